"""Dates, moments and times of day that may be known in part only.

https://hl7.org/fhirpath/#date-time-and-time and https://hl7.org/fhir/R4/datatypes.html#dateTime
"""

import re
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Self

YEAR, MONTH, DAY, HOUR, MINUTE, SECOND = 1, 2, 3, 4, 5, 6
"""Precisions: how many fields are known."""

_DATE = r"(\d{4})(?:-(\d\d)(?:-(\d\d))?)?"
_CLOCK = r"(\d\d)(?::(\d\d)(?::(\d\d(?:\.\d+)?))?)?"
_ZONE = r"(Z|[+-]\d\d:\d\d)?"
_DATE_TEXT = re.compile(_DATE)
_DATE_TIME_TEXT = re.compile(rf"{_DATE}(?:T(?:{_CLOCK}{_ZONE})?)?")
_TIME_TEXT = re.compile(rf"T?{_CLOCK}")
_MAX_HOURS_APART = 14
"""The widest offset from UTC on earth, in hours."""


class InvalidMoment(ValueError):
    """A text that names no date or time there is."""


Number = int | Decimal


class Moment:
    """What Date, DateTime and Time share: the known fields and their order."""

    __slots__ = ("_hash", "_utc", "fields", "offset", "zone")
    fields: tuple[Number, ...]
    zone: str
    offset: int | None

    def __init__(self, fields: tuple[Number, ...], zone: str = "") -> None:
        self.fields = fields
        self.zone = zone
        self.offset = _minutes(zone) if zone else None
        self._utc: tuple[Number, ...] | None = None

    @property
    def precision(self) -> int:
        """How many fields are known; a Time counts on from the day."""
        return len(self.fields)

    def utc(self) -> tuple[Number, ...]:
        """Return the fields as they are at offset zero; without an offset as they are."""
        if self._utc is None:
            self._utc = _shifted(self.fields, -self.offset) if self.offset else self.fields
        return self._utc

    def with_fields(self, fields: tuple[Number, ...]) -> Self:
        """Return the same kind of value, in the same time zone, with other fields."""
        return type(self)(fields, self.zone)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Moment) and type(self) is type(other) and compare(self, other) == 0

    def __hash__(self) -> int:
        return hash((type(self).__name__, self.utc(), self.offset is None))

    def __repr__(self) -> str:
        return f"{type(self).__name__}('{self}')"


class Date(Moment):
    """A day, month or year."""

    __slots__ = ()

    def __str__(self) -> str:
        return _date_text(self.fields)

    @classmethod
    def parse(cls, text: str) -> "Date":
        """Return the date for `2026`, `2026-03` or `2026-03-31`; raises InvalidMoment."""
        match = _DATE_TEXT.fullmatch(text)
        if match is None:
            raise InvalidMoment(text)
        return cls(_checked(match.groups()))


class DateTime(Moment):
    """A moment, down to any precision from the year to the fraction of a second."""

    __slots__ = ()

    def __str__(self) -> str:
        fields = self.fields
        text = _date_text(fields[:3])
        return f"{text}T{_clock_text(fields[3:])}{self.zone}" if len(fields) > DAY else text

    @classmethod
    def parse(cls, text: str) -> "DateTime":
        """Return the moment for `2026-03-31T09:15:00+04:00` or a part of it."""
        match = _DATE_TIME_TEXT.fullmatch(text)
        if match is None:
            raise InvalidMoment(text)
        *fields, zone = match.groups()
        return cls(_checked(fields), zone or "")

    @classmethod
    def of(cls, moment: datetime) -> "DateTime":
        """Return a moment to the millisecond, in the zone it is told in."""
        offset = moment.utcoffset()
        zone = _zone_text(int(offset.total_seconds()) // 60) if offset is not None else ""
        second = Decimal(moment.second * 1000 + moment.microsecond // 1000).scaleb(-3)
        return cls(
            (moment.year, moment.month, moment.day, moment.hour, moment.minute, second), zone
        )


class Time(Moment):
    """A time of day."""

    __slots__ = ()

    def __str__(self) -> str:
        return _clock_text(self.fields)

    @property
    def precision(self) -> int:
        """How many fields are known, counted on from the day."""
        return DAY + len(self.fields)

    @classmethod
    def parse(cls, text: str) -> "Time":
        """Return the time for `14`, `14:30`, `14:30:28` or `14:30:28.123`."""
        match = _TIME_TEXT.fullmatch(text)
        if match is None:
            raise InvalidMoment(text)
        return cls(_checked_clock(match.groups()))


def compare(left: Moment, right: Moment) -> int | None:
    """Return -1, 0 or 1, or None when the known parts do not decide it."""
    if isinstance(left, Time) is not isinstance(right, Time):
        return None
    ours, theirs = left.fields, right.fields
    if left.offset != right.offset and min(len(ours), len(theirs)) > DAY:
        if left.offset is None or right.offset is None:
            return _compare_across_zones(ours, theirs)
        ours, theirs = left.utc(), right.utc()
    if len(ours) == len(theirs):
        return 0 if ours == theirs else -1 if ours < theirs else 1
    known = min(len(ours), len(theirs))
    ours, theirs = ours[:known], theirs[:known]
    return None if ours == theirs else -1 if ours < theirs else 1


def _compare_across_zones(ours: tuple[Number, ...], theirs: tuple[Number, ...]) -> int | None:
    """Compare when one zone is unknown: decided only beyond the widest offset there is."""
    if _shifted(ours, _MAX_HOURS_APART * 60) < _shifted(theirs, -_MAX_HOURS_APART * 60):
        return -1
    if _shifted(ours, -_MAX_HOURS_APART * 60) > _shifted(theirs, _MAX_HOURS_APART * 60):
        return 1
    return None


@lru_cache(maxsize=4096)
def date_of(text: str) -> Date | None:
    """Return the date a FHIR `date` holds, or None when it is malformed."""
    try:
        return Date.parse(text)
    except InvalidMoment:
        return None


@lru_cache(maxsize=4096)
def date_time_of(text: str) -> DateTime | None:
    """Return the moment a FHIR `dateTime` or `instant` holds, or None when it is malformed."""
    try:
        return DateTime.parse(text)
    except InvalidMoment:
        return None


@lru_cache(maxsize=1024)
def time_of(text: str) -> Time | None:
    """Return the time a FHIR `time` holds, or None when it is malformed."""
    try:
        return Time.parse(text)
    except InvalidMoment:
        return None


def moment_literal(text: str) -> tuple[Moment, str]:
    """Return value and System type of what follows `@` in an expression."""
    if text.startswith("T"):
        return Time.parse(text), "Time"
    if "T" in text:
        return DateTime.parse(text), "DateTime"
    return Date.parse(text), "Date"


def as_datetime(fields: tuple[Number, ...]) -> tuple[datetime, Decimal]:
    """Return the moment to the microsecond and the rest of a second beyond that."""
    padded = (*fields, 0, 0, 0)[:SECOND]
    second = Decimal(padded[5])
    micro = int(second * 1_000_000)
    whole = (int(f) for f in padded[:5])
    start = datetime(*whole, micro // 1_000_000, micro % 1_000_000)  # type: ignore[call-arg, arg-type]  # noqa: DTZ001
    return start, second - Decimal(micro).scaleb(-6)


def second_of(fields: tuple[Number, ...], moved: datetime, rest: Decimal) -> Number:
    """Return the seconds of `moved` with as many digits as `fields` had, or three if needed."""
    old = fields[5] if len(fields) == SECOND else 0
    if isinstance(old, int) and not moved.microsecond:
        return moved.second
    digits = max(3, -int(Decimal(old).as_tuple().exponent)) if moved.microsecond else None
    exact = Decimal(moved.second * 1_000_000 + moved.microsecond).scaleb(-6) + rest
    if digits is None:
        digits = -int(Decimal(old).as_tuple().exponent)
    return exact.quantize(Decimal(1).scaleb(-digits))


def _shifted(fields: tuple[Number, ...], minutes: int) -> tuple[Number, ...]:
    """Return the fields moved by some minutes, with the precision kept."""
    if len(fields) <= DAY:
        return fields
    start, rest = as_datetime(fields)
    try:
        moved = start + timedelta(minutes=minutes)
    except OverflowError:
        return fields
    clock: tuple[Number, ...] = (moved.hour, moved.minute, second_of(fields, moved, rest))
    return (moved.year, moved.month, moved.day, *clock[: len(fields) - DAY])


def _checked(groups: tuple[str | None, ...] | list[str | None]) -> tuple[Number, ...]:
    """Return the fields of a date and clock, refusing the 30th of February."""
    year, month, day = (int(g) if g else None for g in groups[:3])
    try:
        date(year or 0, 1 if month is None else month, 1 if day is None else day)
    except ValueError as error:
        raise InvalidMoment(str(error)) from error
    known = tuple(f for f in (year, month, day) if f is not None)
    clock = groups[3:]
    return (*known, *_checked_clock(clock)) if clock and clock[0] else known


def _checked_clock(groups: tuple[str | None, ...] | list[str | None]) -> tuple[Number, ...]:
    fields: list[Number] = []
    for text, limit in zip(groups, (23, 59, 60), strict=True):
        if text is None:
            break
        value: Number = Decimal(text) if "." in text else int(text)
        if value > limit:
            raise InvalidMoment(text)
        fields.append(value if value < 60 else 59)  # noqa: PLR2004 - a leap second
    return tuple(fields)


def _minutes(zone: str) -> int:
    if zone == "Z":
        return 0
    minutes = int(zone[1:3]) * 60 + int(zone[4:6])
    if minutes > _MAX_HOURS_APART * 60 or int(zone[4:6]) > 59:  # noqa: PLR2004
        raise InvalidMoment(zone)
    return -minutes if zone[0] == "-" else minutes


def _zone_text(minutes: int) -> str:
    sign = "-" if minutes < 0 else "+"
    return f"{sign}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"


def _date_text(fields: tuple[Number, ...]) -> str:
    return "-".join((f"{fields[0]:04}", *(f"{field:02}" for field in fields[1:])))


def _clock_text(fields: tuple[Number, ...]) -> str:
    parts = [f"{field:02}" for field in fields[:2]]
    if len(fields) > 2:  # noqa: PLR2004
        second = fields[2]
        parts.append(f"{second:02}" if isinstance(second, int) else f"{second:f}".rjust(2, "0"))
        if not isinstance(second, int) and second < 10:  # noqa: PLR2004
            parts[-1] = f"0{second:f}"
    return ":".join(parts)
