"""The comparison of two states of the content for many patients."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from carepath.apply import Applied
from carepath.authoring.compare.difference import ActionDifference, differences_between
from carepath.authoring.compare.patient import Patient, Unreadable, applied_to
from carepath.errors import CarepathError
from carepath.knowledge import Knowledge


@dataclass(frozen=True, slots=True)
class Found:
    """What differs in one action for one patient."""

    patient: str
    difference: ActionDifference


@dataclass(frozen=True, slots=True)
class ActionReport:
    """An action with all patients for whom it differs."""

    path: str
    title: str
    found: tuple[Found, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Who gets another plan, by what; `problems` are sentences about who could not be compared."""

    before: str
    after: str
    compared: int
    """How many patients have been compared, whether their plans differ or not."""
    found: tuple[Found, ...]
    problems: tuple[str, ...]

    @property
    def patients(self) -> tuple[str, ...]:
        """Return the patients who get another plan, in the order they were given."""
        return tuple(dict.fromkeys(one.patient for one in self.found))

    @property
    def by_action(self) -> tuple[ActionReport, ...]:
        """Return the actions that differ: those that concern most patients first."""
        sorted_by: dict[str, list[Found]] = {}
        for one in self.found:
            sorted_by.setdefault(one.difference.path, []).append(one)
        reports = (
            ActionReport(path, found[0].difference.title, tuple(found))
            for path, found in sorted_by.items()
        )
        return tuple(sorted(reports, key=lambda report: (-len(report.found), report.path)))

    @property
    def summary(self) -> str:
        """Return in a sentence how much differs."""
        who = f"{len(self.patients)} of {_counted(self.compared, 'patient')}"
        verb = "gets" if len(self.patients) == 1 else "get"
        by = f", by {_counted(len(self.by_action), 'action')}" if self.found else ""
        return f"{who} {verb} another plan{by}."


def compare(
    patients: Iterable[Patient | Unreadable],
    before: tuple[str, Knowledge],
    after: tuple[str, Knowledge],
) -> Comparison:
    """Apply two states of the content, each with its name, to patients and tell what differs.

    Whoever cannot be read, or has no plan by one of them, is told of and holds up no other.
    """
    found: list[Found] = []
    problems: list[str] = []
    compared = 0
    for patient in patients:
        if isinstance(patient, Unreadable):
            problems.append(f"{patient.name}: {patient.sentence}")
            continue
        old, new = (_plan_or_problem(patient, content) for _, content in (before, after))
        if isinstance(old, Applied) and isinstance(new, Applied):
            compared += 1
            found += (Found(patient.name, one) for one in differences_between(old, new))
        elif old == new:
            problems.append(f"{patient.name}: {old}")
        else:
            problems += (
                f"{patient.name}, with `{name}`: {problem}"
                for (name, _), problem in ((before, old), (after, new))
                if isinstance(problem, str)
            )
    return Comparison(before[0], after[0], compared, tuple(found), tuple(problems))


def _plan_or_problem(patient: Patient, knowledge: Knowledge) -> Applied | str:
    try:
        return applied_to(patient, knowledge)
    except CarepathError as error:
        return str(error)


def words_of(difference: ActionDifference) -> str:
    """Return how an action differs: its outcomes, or the elements of what it gives."""
    before, after = difference.before.outcome, difference.after.outcome
    if difference.elements:
        return f"{after} as before, with another {', '.join(difference.elements)}"
    return f"from {before} to {after}"


def as_text(comparison: Comparison) -> str:
    """Return a comparison for a terminal."""
    return "".join(f"{line}\n" for line in _text_lines(comparison))


def _text_lines(comparison: Comparison) -> Iterator[str]:
    for report in comparison.by_action:
        yield f"{report.path}: {report.title} ({_counted(len(report.found), 'patient')})"
        for one in report.found:
            yield f"  {one.patient}: {words_of(one.difference)}"
            yield f"    before: {_line(one.difference.before.because)}"
            yield f"    after:  {_line(one.difference.after.because)}"
        yield ""
    yield from (f"error: {_line(problem)}" for problem in comparison.problems)
    yield comparison.summary


def _line(text: str) -> str:
    """Return a text in one line, as a table or an indented list needs it."""
    return " ".join(text.split())


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
