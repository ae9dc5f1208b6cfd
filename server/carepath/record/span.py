"""Stretches of time that may be known in part, and their order.

https://hl7.org/fhir/R4/datatypes.html#dateTime and https://hl7.org/fhir/R4/datatypes.html#Period

A date without a time zone is that day wherever the sender was.  Two such dates compare as dates;
against a moment with a zone the day reaches from its start in the east to its end in the west.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple

_EAST, _WEST = timedelta(hours=14), timedelta(hours=12)
"""How far the clocks on earth are before and behind UTC."""

_TICK = timedelta(microseconds=1)
_DAY = timedelta(days=1)

_TEXT = re.compile(
    r"(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d+))?)?(Z|[+-]\d\d:\d\d)?)?)?)?",
    re.ASCII,
)


class Edge(NamedTuple):
    """Where a stretch begins or ends: in UTC when `zoned`, else on the clock of the sender."""

    clock: datetime
    zoned: bool


Interval = tuple[datetime, datetime]
"""The earliest and the latest moment, with a time zone."""

_FIRST = Edge(datetime.min, True)  # noqa: DTZ901 - clocks are kept in UTC without saying so
_LAST = Edge(datetime.max, True)  # noqa: DTZ901


@dataclass(frozen=True, slots=True)
class Span:
    """The stretch in which something was; both ends belong to it.  Equal spans are one moment."""

    first: Edge
    last: Edge

    @property
    def interval(self) -> Interval:
        """Return the earliest and the latest moment that the span can mean."""
        return soonest(self.first).replace(tzinfo=UTC), furthest(self.last).replace(tzinfo=UTC)

    def is_before(self, other: "Span") -> bool | None:
        """Tell whether this ended before the other began; None when that is not known."""
        if _is_less(self.last, other.first):
            return True
        if _is_at_most(other.last, self.first) or (self == other and self._is_within_a_day()):
            return False
        return None

    def is_after(self, other: "Span") -> bool | None:
        """Tell whether this began after the other ended; None when that is not known."""
        return other.is_before(self)

    def same_moment(self, other: "Span") -> bool | None:
        """Tell whether both mean the same moment, as far as it was told."""
        if self == other:
            return True
        return False if self.is_before(other) or other.is_before(self) else None

    def _is_within_a_day(self) -> bool:
        return self.first.zoned is self.last.zoned and self.last.clock - self.first.clock < _DAY


def soonest(edge: Edge) -> datetime:
    """Return the earliest moment in UTC that a beginning can mean."""
    return edge.clock if edge.zoned else _moved(edge.clock, -_EAST)


def furthest(edge: Edge) -> datetime:
    """Return the latest moment in UTC that an end can mean."""
    return edge.clock if edge.zoned else _moved(edge.clock, _WEST)


def at(moment: datetime) -> Span:
    """Return a moment as a span; one without a time zone may be in any."""
    zoned = moment.utcoffset() is not None
    edge = Edge(_in_utc(moment) if zoned else moment, zoned)
    return Span(edge, edge)


def interval_of(value: Any) -> Interval | None:
    """Return the earliest and latest moment of a value, as `span_of` reads it."""
    span = span_of(value)
    return None if span is None else span.interval


def span_of(value: Any) -> Span | None:
    """Return the time in a date, dateTime, instant, Period or Timing.

    None when there is none: another type, the 13th month, a Period that ends before it starts.
    """
    if isinstance(value, str):
        return _of_text(value)
    if not isinstance(value, dict):
        return None
    if "start" in value or "end" in value:
        return _of_period(value)
    return _of_timing(value)


def period_of(value: Any) -> dict[str, str] | None:
    """Return what `span_of` reads as a Period of the texts that were sent; None where it is."""
    if span_of(value) is None:
        return None
    if isinstance(value, str):
        return {"start": value, "end": value}
    if "start" in value or "end" in value:
        return {end: value[end] for end in ("start", "end") if _of_part(value.get(end))}
    events = value.get("event")
    if not events:
        return period_of(value["repeat"]["boundsPeriod"])
    read = [(span, event) for event in events if (span := _of_text(event))]
    _, start = min(read, key=lambda pair: soonest(pair[0].first))
    _, end = max(read, key=lambda pair: furthest(pair[0].last))
    return {"start": start, "end": end}


@lru_cache(maxsize=8192)
def _of_text(text: str) -> Span | None:
    """Return the stretch that a date or moment covers at its precision."""
    match = _TEXT.fullmatch(text)
    if match is None:
        return None
    year, month, day, hour, minute, second, fraction, zone = match.groups()
    try:
        first = datetime(int(year), int(month or 1), int(day or 1))  # noqa: DTZ001
        if hour is None:
            return Span(Edge(first, False), Edge(_end_of(first, month, day), False))
        # A leap second has no place on this calendar: it is read as the second before it.
        whole = 59 if second == "60" else int(second or 0)
        first = first.replace(hour=int(hour), minute=int(minute), second=whole)
    except (ValueError, OverflowError):
        return None
    if fraction:
        first = first.replace(microsecond=int(fraction[:6].ljust(6, "0")))
    last = first if second else first + timedelta(minutes=1) - _TICK
    return _in_zone(first, last, zone)


def _end_of(first: datetime, month: str | None, day: str | None) -> datetime:
    """Return the last moment of a year, month or day."""
    if day:
        return first + (_DAY - _TICK)
    if month and first.month < 12:  # noqa: PLR2004
        return first.replace(month=first.month + 1) - _TICK
    return first.replace(month=12, day=31, hour=23, minute=59, second=59, microsecond=999999)


def _in_zone(first: datetime, last: datetime, zone: str | None) -> Span | None:
    """Return the span of a clock in a time zone, None when there is no such zone."""
    if zone is None:
        return Span(Edge(first, False), Edge(last, False))
    hours, minutes = (0, 0) if zone == "Z" else (int(zone[1:3]), int(zone[4:6]))
    offset = timedelta(hours=hours, minutes=minutes)
    if offset > _EAST or minutes > 59:  # noqa: PLR2004
        return None
    if zone[0] != "-":
        offset = -offset
    return Span(Edge(_moved(first, offset), True), Edge(_moved(last, offset), True))


def _of_period(period: dict[str, Any]) -> Span | None:
    """Return the stretch of a Period; an end that is missing or cannot be read is open."""
    start, end = _of_part(period.get("start")), _of_part(period.get("end"))
    if start is None and end is None:
        return None
    span = Span(start.first if start else _FIRST, end.last if end else _LAST)
    return None if _is_less(span.last, span.first) else span


def _of_part(value: Any) -> Span | None:
    return _of_text(value) if isinstance(value, str) else None


def _of_timing(timing: dict[str, Any]) -> Span | None:
    """Return the stretch over all events of a Timing, else the bounds of its repeating."""
    events = timing.get("event")
    if events:
        return _around(events) if isinstance(events, list) else None
    repeat = timing.get("repeat")
    bounds = repeat.get("boundsPeriod") if isinstance(repeat, dict) else None
    return _of_period(bounds) if isinstance(bounds, dict) else None


def _around(events: list[Any]) -> Span | None:
    """Return the stretch from the first to the last, None when one of them cannot be read."""
    spans = [span for event in events if (span := _of_part(event))]
    if len(spans) < len(events):
        return None
    first = min((span.first for span in spans), key=soonest)
    return Span(first, max((span.last for span in spans), key=furthest))


def _is_less(end: Edge, start: Edge) -> bool:
    """Tell whether an end certainly comes before a beginning."""
    if end.zoned is start.zoned:
        return end.clock < start.clock
    return furthest(end) < soonest(start)


def _is_at_most(end: Edge, start: Edge) -> bool:
    """Tell whether an end certainly comes before a beginning or with it."""
    if end.zoned is start.zoned:
        return end.clock <= start.clock
    return furthest(end) <= soonest(start)


def _in_utc(moment: datetime) -> datetime:
    offset = moment.utcoffset() or timedelta()
    return _moved(moment.replace(tzinfo=None), -offset)


def _moved(clock: datetime, by: timedelta) -> datetime:
    """Return a clock moved, at most to the ends of the calendar."""
    try:
        return clock + by
    except OverflowError:
        return datetime.max if by > timedelta() else datetime.min  # noqa: DTZ901
