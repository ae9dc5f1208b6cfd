"""Dates and times moved by calendar units.

https://hl7.org/fhirpath/#datetime-arithmetic
"""

from datetime import date, timedelta

from carepath.fhirpath.values.temporal import (
    DAY,
    HOUR,
    MINUTE,
    MONTH,
    SECOND,
    YEAR,
    DateTime,
    Moment,
    Time,
    as_datetime,
    second_of,
)

_MONTHS = {"year": 12, "month": 1}


_MILLISECONDS = {
    "week": 604_800_000,
    "day": 86_400_000,
    "hour": 3_600_000,
    "minute": 60_000,
    "second": 1000,
    "millisecond": 1,
}


def plus(moment: Moment, amount: int, unit: str) -> Moment | None:
    """Return `moment` moved by whole calendar units, or None when that leaves the calendar."""
    try:
        if isinstance(moment, Time):
            return _plus_clock(moment, amount * _MILLISECONDS[unit])
        if unit in _MONTHS:
            return _plus_months(moment, amount * _MONTHS[unit])
        return _plus_milliseconds(moment, amount * _MILLISECONDS[unit])
    except (OverflowError, ValueError):
        return None


def _plus_months(moment: Moment, months: int) -> Moment:
    fields = moment.fields
    if len(fields) == YEAR:
        return moment.with_fields((_year(int(fields[0]) + _toward_zero(months, 12)),))
    year, month = divmod(int(fields[0]) * 12 + int(fields[1]) - 1 + months, 12)
    _year(year)
    if len(fields) == MONTH:
        return moment.with_fields((year, month + 1))
    day = min(int(fields[2]), days_in_month(year, month + 1))
    return moment.with_fields((year, month + 1, day, *fields[3:]))


def _plus_milliseconds(moment: Moment, milliseconds: int) -> Moment:
    """Move by a fixed span, first cut down to the precision that is known."""
    fields = moment.fields
    days = _toward_zero(milliseconds, 86_400_000)
    if len(fields) <= MONTH:
        return _plus_months(
            moment, _toward_zero(days, 30) if len(fields) == MONTH else _toward_zero(days, 365) * 12
        )
    if len(fields) == DAY:
        moved = date(*(int(f) for f in fields)) + timedelta(days=days)
        return moment.with_fields((moved.year, moved.month, moved.day))
    step = {HOUR: 3_600_000, MINUTE: 60_000, SECOND: 1}[len(fields)]
    span = timedelta(milliseconds=_toward_zero(milliseconds, step) * step)
    start, rest = as_datetime(fields)
    later = start + span
    second = second_of(fields, later, rest)
    clock = (later.hour, later.minute, second)[: len(fields) - DAY]
    return moment.with_fields((later.year, later.month, later.day, *clock))


def _plus_clock(moment: Time, milliseconds: int) -> Time:
    """Move a time of day around the clock."""
    fields = (2000, 1, 1, *moment.fields)
    moved = _plus_milliseconds(DateTime(fields), milliseconds % 86_400_000)
    return Time(moved.fields[3:])


def _toward_zero(value: int, step: int) -> int:
    return value // step if value >= 0 else -(-value // step)


def _year(year: int) -> int:
    if not 1 <= year <= 9999:  # noqa: PLR2004
        raise OverflowError
    return year


def days_in_month(year: int, month: int) -> int:
    """Return how many days a month has."""
    first, next_first = date(year, month, 1), (year + month // 12, month % 12 + 1)
    return 31 if month == 12 else (date(*next_first, 1) - first).days  # noqa: PLR2004
