"""Matching one value of a resource against one value of a search.

https://hl7.org/fhir/R4/search.html#ptypes

A matcher is prepared once from the text of the query; it raises UnsupportedSearch for text that
its type cannot mean, and then tells of each value of a resource whether it matches.
"""

import calendar
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from carepath.canonical import Canonical
from carepath.resources import codings
from carepath.web.refusals import UnsupportedSearch

Matcher = Callable[[Any], bool]

_DATE = re.compile(
    r"(?P<year>\d{4})(-(?P<month>\d\d)(-(?P<day>\d\d)"
    r"(T(?P<time>\d\d:\d\d(:\d\d(\.\d+)?)?)(?P<zone>Z|[+-]\d\d:\d\d)?)?)?)?$"
)
_PREFIX = re.compile(r"(eq|ne|gt|lt|ge|le|sa|eb|ap)(?=\d)")
_EARLIEST = datetime.min.replace(tzinfo=UTC)
_LATEST = datetime.max.replace(tzinfo=UTC)
_APPROXIMATELY = timedelta(days=30)


class Span(NamedTuple):
    """The time that a date of some precision, or a Period, stands for; `end` is excluded."""

    start: datetime
    end: datetime


def matcher(name: str, search_type: str, modifier: str, text: str) -> Matcher:
    """Prepare the matcher for `name:modifier=text`."""
    makers = _MAKERS.get(search_type, {})
    if modifier not in makers:
        raise UnsupportedSearch(f"{name}:{modifier}", f"no such modifier for a {search_type}")
    try:
        return makers[modifier](text)
    except ValueError as error:
        raise UnsupportedSearch(name, str(error)) from error


def modifiers(search_type: str) -> tuple[str, ...]:
    """Return the modifiers that a type of parameter takes, `missing` and `not` included."""
    extra = ("missing", "not") if search_type == "token" else ("missing",)
    return tuple(filter(None, _MAKERS.get(search_type, {}))) + extra


def fold(text: str) -> str:
    """Return text without case and accents, as string searches compare it."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(c for c in decomposed if not unicodedata.combining(c))


def span(value: Any) -> Span | None:
    """Return the time that a date, dateTime, instant or Period stands for."""
    if isinstance(value, Mapping):
        start = span(value["start"]) if value.get("start") else Span(_EARLIEST, _EARLIEST)
        end = span(value["end"]) if value.get("end") else Span(_LATEST, _LATEST)
        return Span(start.start, end.end) if start and end else None
    try:
        return _span_of_text(str(value))
    except ValueError:
        return None


def sort_text(value: Any) -> str:
    """Return what a value is ordered by: its text, its code, its time."""
    if isinstance(value, Mapping):
        moment = span(value) if {"start", "end"} & value.keys() else None
        if moment:
            return moment.start.isoformat()
        return next((f"{code}" for _, code in _tokens(value)), "") or fold(
            str(value.get("text", ""))
        )
    return fold(str(value))


def _span_of_text(text: str) -> Span:
    match = _DATE.match(text)
    if match is None:
        raise ValueError(f"`{text[:40]}` is not a date such as 2026-11 or 2026-11-24")
    year, month, day = (int(match[part] or 0) for part in ("year", "month", "day"))
    if match["time"]:
        moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
        start = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
        exact = timedelta(microseconds=1) if "." in match["time"] else timedelta(seconds=1)
        minute = timedelta(minutes=1) if match["time"].count(":") == 1 else exact
        return Span(start, start + minute)
    start = datetime(year, month or 1, day or 1, tzinfo=UTC)
    if day:
        return Span(start, start + timedelta(days=1))
    days = calendar.monthrange(year, month)[1] if month else 365 + calendar.isleap(year)
    return Span(start, start + timedelta(days=days))


def _date(text: str) -> Matcher:
    prefix = _PREFIX.match(text)
    wanted = _span_of_text(text[prefix.end() :] if prefix else text)
    compare = _COMPARISONS[prefix[0] if prefix else "eq"]

    def matches(value: Any) -> bool:
        has = span(value)
        return has is not None and compare(has, wanted)

    return matches


def _about(has: Span, wanted: Span) -> bool:
    near = Span(wanted.start - _APPROXIMATELY, wanted.end + _APPROXIMATELY)
    return has.start < near.end and has.end > near.start


_COMPARISONS: Mapping[str, Callable[[Span, Span], bool]] = {
    "eq": lambda has, wanted: wanted.start <= has.start and has.end <= wanted.end,
    "ne": lambda has, wanted: not (wanted.start <= has.start and has.end <= wanted.end),
    "gt": lambda has, wanted: has.end > wanted.end,
    "lt": lambda has, wanted: has.start < wanted.start,
    "ge": lambda has, wanted: has.end > wanted.start,
    "le": lambda has, wanted: has.start < wanted.end,
    "sa": lambda has, wanted: has.start >= wanted.end,
    "eb": lambda has, wanted: has.end <= wanted.start,
    "ap": _about,
}


def _tokens(value: Any) -> Iterator[tuple[str | None, str]]:
    """Yield (system, code) of a Coding, CodeableConcept, Identifier, ContactPoint or primitive.

    A primitive code has no system of its own, which is None: any system asked for will do.
    """
    if isinstance(value, bool):
        yield None, str(value).lower()
    elif not isinstance(value, Mapping):
        yield None, str(value)
    elif "coding" in value or "text" in value:
        for coding in codings(value):
            yield coding.get("system", ""), str(coding.get("code", ""))
    else:
        yield value.get("system", ""), str(value.get("code", value.get("value", "")))


def _token(text: str) -> Matcher:
    system, bar, code = text.rpartition("|")

    def matches(value: Any) -> bool:
        return any(
            (not code or has_code == code) and (not bar or has_system in (None, system))
            for has_system, has_code in _tokens(value)
        )

    return matches


def _token_text(text: str) -> Matcher:
    wanted = fold(text)

    def matches(value: Any) -> bool:
        if not isinstance(value, Mapping):
            return False
        shown = [value.get("text"), value.get("display")]
        shown += [coding.get("display") for coding in codings(value)]
        return any(fold(word).startswith(wanted) for word in shown if word)

    return matches


def _text_test(
    test: Callable[[str, str], bool], *, exact: bool = False
) -> Callable[[str], Matcher]:
    """Return a maker that compares text, folded unless `exact`."""

    def make(text: str) -> Matcher:
        wanted = text if exact else fold(text)
        return lambda value: test(str(value) if exact else fold(str(value)), wanted)

    return make


def _below(value: str, wanted: str) -> bool:
    return value == wanted or value.startswith(wanted.rstrip("/") + "/")


def _reference(text: str) -> Matcher:
    """Match a Reference or a canonical: whole, by its tail, or without its version."""
    wanted = Canonical.parse(text)

    def matches(value: Any) -> bool:
        has = Canonical.parse(
            str(value.get("reference", "") if isinstance(value, Mapping) else value)
        )
        same = has.url == wanted.url or (
            "/" not in wanted.url and has.url.endswith(f"/{wanted.url}")
        )
        tail = "://" not in wanted.url and has.url.endswith(f"/{wanted.url}")
        return (same or tail) and wanted.version in ("", has.version)

    return matches


_MAKERS: Mapping[str, Mapping[str, Callable[[str], Matcher]]] = {
    "string": {
        "": _text_test(str.startswith),
        "exact": _text_test(str.__eq__, exact=True),
        "contains": _text_test(str.__contains__),
    },
    "uri": {
        "": _text_test(str.__eq__, exact=True),
        "below": _text_test(_below, exact=True),
        "above": _text_test(lambda value, wanted: _below(wanted, value), exact=True),
        "contains": _text_test(str.__contains__),
    },
    "token": {"": _token, "text": _token_text},
    "date": {"": _date},
    "reference": {"": _reference},
}
