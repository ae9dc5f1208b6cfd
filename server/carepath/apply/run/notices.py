"""What a CarePlan tells of its plans as notes: disclaimers, and what is out of date.

https://hl7.org/fhir/R4/careplan-definitions.html#CarePlan.note
"""

from collections.abc import Sequence

from carepath.apply.run.walk import Walk
from carepath.issues import Issue


def notes(walk: Walk) -> Sequence[str]:
    """Return the notices of the plans: disclaimer first, then what is out of date."""
    closed = [walk.closed.diagnostics] if walk.closed is not None else []
    return list(dict.fromkeys((*closed, *walk.plan.disclaimers, *expired(walk))))


def expired(walk: Walk) -> list[str]:
    """Return a sentence for each date that the sources behind applied plans are past."""
    today = walk.session.today
    found: dict[tuple[str, str], dict[str, None]] = {}
    for plan in walk.plans:
        for day, what in plan.expiries:
            if day[:10] < today[: len(day[:10])]:
                found.setdefault((what, day[:10]), {})[plan.title or plan.canonical] = None
    return [
        f"Out of date: {what} of “{next(iter(names))}”{_and_more(len(names) - 1)} passed on {day}."
        for (what, day), names in found.items()
    ]


def _and_more(count: int) -> str:
    return "" if count == 0 else f" and of {count} more plan{'' if count == 1 else 's'}"


def expiry_issues(walk: Walk) -> list[Issue]:
    """Return a warning for each date that the sources behind applied plans are past."""
    return [Issue("warning", "business-rule", text) for text in expired(walk)]
