"""A FactReport for people on a terminal, and as JSON."""

from collections.abc import Iterable, Iterator
from datetime import date
from textwrap import wrap
from typing import Any

from carepath.apply.explain.facts import FactReading, FactReport, LeftOut

_WIDTH = 100
_WIDEST = 36
"""No column but the last is wider than this; what is longer pushes the rest along."""

_MOST_REASONS = 3
_TIE = "\N{NO-BREAK SPACE}"
"""What holds words of a line together until it has been wrapped."""


def facts_json(report: FactReport) -> dict[str, Any]:
    """Return a report as one JSON document."""
    problems = [fact.problem for fact in report.facts if fact.problem is not None]
    return {
        "library": report.library,
        "subject": report.subject,
        "now": report.now.isoformat(),
        "facts": [_fact_json(fact) for fact in report.facts],
        "leftOut": [_left_out_json(one) for one in report.left_out],
        "issues": [issue.as_element() for issue in (*report.issues, *problems)],
    }


def _fact_json(fact: FactReading) -> dict[str, Any]:
    return {
        "name": fact.name,
        "label": fact.label,
        "value": fact.value,
        "text": fact.text or None,
        "evidence": list(fact.evidence),
        "known": fact.is_known,
        "auxiliary": fact.is_auxiliary,
    }


def _left_out_json(one: LeftOut) -> dict[str, Any]:
    shown: dict[str, Any] = {"reference": one.reference, "reason": one.reason}
    return {**shown, "facts": list(one.facts)} if one.facts else shown


def facts_text(report: FactReport) -> str:
    """Return a report as lines: what is known, what is not, what was left out, what else is odd."""
    sections = (
        ("", [("", _header(report))]),
        ("Known:", _known(report)),
        ("Not known:", list(_not_known(report))),
        ("Left out:", [(one.reference, f"{one.reason}.") for one in report.left_out]),
        ("Also noticed:", [("", issue.diagnostics) for issue in report.issues]),
    )
    blocks = ("\n".join(_section(title, rows)) for title, rows in sections if rows)
    return "\n\n".join(blocks) + "\n"


Row = tuple[str, str]
"""What stands left and what stands right of it."""


def _header(report: FactReport) -> str:
    """Return whose facts these are, and when they hold."""
    person = ", ".join(part for part in (report.sex, _age(report)) if part)
    name = f"{report.subject}: {person}" if person else report.subject
    return f"{name}; facts at {report.now.isoformat(' ', 'minutes')}"


def _age(report: FactReport) -> str:
    """Return the age in completed years, the date of birth as it is when that leaves it open."""
    try:
        born = date.fromisoformat(report.birth_date)
    except ValueError:
        return f"born {report.birth_date}" if report.birth_date else ""
    today = report.now.date()
    years = today.year - born.year - ((today.month, today.day) < (born.month, born.day))
    return f"born {report.birth_date}" if years < 0 else f"{years} years"


def _known(report: FactReport) -> list[Row]:
    """Return label and value of each known fact, the evidence in a column of its own."""
    known = [fact for fact in report.facts if fact.is_known]
    width = _column(fact.text for fact in known)
    return [(f"{f.label}:", f"{f.text:<{width}}{_evidence(f, report)}".rstrip()) for f in known]


def _evidence(fact: FactReading, report: FactReport) -> str:
    """Return the resources that a fact rests on, each with its date where it has one."""
    told = (f"{name}{_TIE}{report.dates.get(name, '')}".rstrip() for name in fact.evidence)
    return f"   ({', '.join(told)})" if fact.evidence else ""


def _not_known(report: FactReport) -> Iterator[Row]:
    """Yield each fact without a value, with the resources that would decide it and do not."""
    for fact in report.facts:
        if fact.is_known:
            continue
        hanging = [one for one in report.left_out if fact.name in one.facts]
        # The first reason of a resource is enough here: all stand where it is told as left out.
        first = {one.reference: one for one in reversed(hanging)}.values()
        reasons = [f"{one.reference} {one.reason}." for one in reversed(first)]
        if fact.problem is not None:
            reasons.append(fact.problem.diagnostics)
        more = ["And others."] if len(reasons) > _MOST_REASONS else []
        yield fact.label, " ".join([*reasons[:_MOST_REASONS], *more])


def _section(title: str, rows: list[Row]) -> Iterator[str]:
    """Yield the lines of a section: its title, and its rows in two columns."""
    indent = "  " if title else ""
    if title:
        yield title
    width = _column(left for left, _ in rows)
    for left, right in rows:
        start = f"{indent}{left:<{width}}  " if left and right else f"{indent}{left}"
        yield from _wrapped(_printable(f"{start}{right}"), len(indent) + (width + 2) * bool(left))


def _wrapped(text: str, hanging: int) -> list[str]:
    """Return a row as lines, the second and later ones under its right column."""
    lines = wrap(
        text,
        _WIDTH,
        subsequent_indent=" " * hanging,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return [line.replace(_TIE, " ") for line in lines]


def _column(texts: Iterable[str]) -> int:
    """Return the width of a column."""
    return max((len(text) for text in texts if len(text) <= _WIDEST), default=0)


def _printable(text: str) -> str:
    """Return a text without what could steer a terminal: data of others may hold it."""
    plain = "".join(" " if c.isspace() and c != _TIE else c for c in text)
    return "".join(
        c if c.isprintable() or c == _TIE else "\N{REPLACEMENT CHARACTER}" for c in plain
    )
