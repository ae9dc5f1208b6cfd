"""Dates in a search: what time a value stands for, and how two times compare.

https://hl7.org/fhir/R4/search.html#date
"""

import calendar
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

_DATE = re.compile(
    r"(?P<year>\d{4})(-(?P<month>\d\d)(-(?P<day>\d\d)"
    r"(T(?P<time>\d\d:\d\d(:\d\d(\.\d+)?)?)(?P<zone>Z|[+-]\d\d:\d\d)?)?)?)?",
    re.ASCII,
)
_PREFIX = re.compile(r"(eq|ne|gt|lt|ge|le|sa|eb|ap)(?=\d)")
_EARLIEST = datetime.min.replace(tzinfo=UTC)
_LATEST = datetime.max.replace(tzinfo=UTC)
_APPROXIMATELY = timedelta(days=30)


class Span(NamedTuple):
    """The time that a date of some precision, or a Period, stands for; `end` is excluded."""

    start: datetime
    end: datetime


def date_test(text: str) -> Callable[[Any], bool]:
    """Return the test for a date with or without prefix; raise ValueError when it is none."""
    # A `+` before the time zone that was not escaped arrives as a space.
    text = text.replace(" ", "+")
    prefix = _PREFIX.match(text)
    wanted = span_of_text(text[prefix.end() :] if prefix else text)
    compare = _COMPARISONS[prefix[0] if prefix else "eq"]

    def matches(value: Any) -> bool:
        has = span(value)
        return has is not None and compare(has, wanted)

    return matches


def span(value: Any) -> Span | None:
    """Return the time that a date, dateTime, instant or Period stands for."""
    if isinstance(value, Mapping):
        start = span(value["start"]) if value.get("start") else Span(_EARLIEST, _EARLIEST)
        end = span(value["end"]) if value.get("end") else Span(_LATEST, _LATEST)
        return Span(start.start, end.end) if start and end else None
    try:
        return span_of_text(str(value))
    except ValueError:
        return None


def span_of_text(text: str) -> Span:
    """Return the time that a date of any precision stands for; raise ValueError."""
    match = _DATE.fullmatch(text)
    try:
        if match:
            return _moment(text, match["time"]) if match["time"] else _days(match)
    except (ValueError, OverflowError):
        pass
    raise ValueError(f"`{text[:40]}` is not a date such as 2026-11 or 2026-11-24T09:30:00Z")


def _moment(text: str, time: str) -> Span:
    moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    start = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    exact = timedelta(microseconds=1) if "." in time else timedelta(seconds=1)
    return _from(start, timedelta(minutes=1) if time.count(":") == 1 else exact)


def _days(match: re.Match[str]) -> Span:
    year, month, day = (int(match[part] or 0) for part in ("year", "month", "day"))
    start = datetime(year, month or 1, day or 1, tzinfo=UTC)
    days = calendar.monthrange(year, month)[1] if month else 365 + calendar.isleap(year)
    return _from(start, timedelta(days=1 if match["day"] else days))


def _from(start: datetime, length: timedelta) -> Span:
    """Return the time from a start on; the calendar of the machine ends with the year 9999."""
    return Span(start, start + min(length, _LATEST - start))


def _about(has: Span, wanted: Span) -> bool:
    return has.start - wanted.end < _APPROXIMATELY and wanted.start - has.end < _APPROXIMATELY


def _contains(wanted: Span, has: Span) -> bool:
    return wanted.start <= has.start and has.end <= wanted.end


_COMPARISONS: Mapping[str, Callable[[Span, Span], bool]] = {
    "eq": lambda has, wanted: _contains(wanted, has),
    "ne": lambda has, wanted: not _contains(wanted, has),
    "gt": lambda has, wanted: has.end > wanted.end,
    "lt": lambda has, wanted: has.start < wanted.start,
    "ge": lambda has, wanted: has.end > wanted.start,
    "le": lambda has, wanted: has.start < wanted.end,
    "sa": lambda has, wanted: has.start >= wanted.end,
    "eb": lambda has, wanted: has.end <= wanted.start,
    "ap": _about,
}
