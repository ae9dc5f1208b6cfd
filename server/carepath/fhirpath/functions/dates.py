"""Parts of dates, and how far apart two of them are.

https://build.fhir.org/ig/HL7/FHIRPath/#datetime-component-extraction
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from carepath.fhirpath.functions.row import Function, Table
from carepath.fhirpath.functions.table import plain
from carepath.fhirpath.values.context import Context
from carepath.fhirpath.values.failure import Failure
from carepath.fhirpath.values.quantity import CALENDAR_UNITS
from carepath.fhirpath.values.results import EMPTY, decimal, integer, one, one_text
from carepath.fhirpath.values.temporal import DAY, SECOND, Date, Moment, Number, Time
from carepath.fhirpath.values.types import SYSTEM, Items, system_value


def _moment(items: Items) -> Moment | None:
    item = one(items)
    value = None if item is None else system_value(item)
    if value is not None and not isinstance(value, Moment):
        raise Failure(f"expected a date or time, found {items[0][1]!r}", items)
    return value


def _read(items: Items) -> Moment | None:
    """Return the date or time whose parts are asked for; what is none has no parts."""
    item = one(items)
    value = None if item is None else system_value(item)
    return value if isinstance(value, Moment) else None


def _fields(moment: Moment) -> tuple[Number | None, ...]:
    """Return the fields from the year on; a Time has none before the hour."""
    return (None, None, None, *moment.fields) if isinstance(moment, Time) else moment.fields


def _part(place: int, read: Callable[[Number], int | None] = int) -> Function:
    def evaluate(_: Context, items: Items) -> Items:
        moment = _read(items)
        fields = _fields(moment) if moment is not None else ()
        value = fields[place] if place < len(fields) else None
        found = None if value is None else read(value)
        return EMPTY if found is None else integer(found)

    return plain(evaluate)


def _milliseconds(second: Number) -> int | None:
    """Return the milliseconds of a second, None when none were written."""
    return None if isinstance(second, int) else int((second % 1) * 1000)


def _offset(_: Context, items: Items) -> Items:
    moment = _read(items)
    if moment is None or moment.offset is None:
        return EMPTY
    hours = Decimal(moment.offset) / 60
    return decimal(hours if hours % 1 else hours.quantize(Decimal("0.1")))


def _date_of(_: Context, items: Items) -> Items:
    moment = _read(items)
    if moment is None or isinstance(moment, Time):
        return EMPTY
    return [(Date(moment.fields[:DAY]), SYSTEM["Date"])]


def _time_of(_: Context, items: Items) -> Items:
    moment = _read(items)
    if moment is None or isinstance(moment, Time):
        return EMPTY
    clock = moment.fields[DAY:]
    return [(Time(clock), SYSTEM["Time"])] if clock else EMPTY


_PLACES = {
    "year": 1, "month": 2, "week": 3, "day": 3,
    "hour": 4, "minute": 5, "second": 6, "millisecond": 6,
}  # fmt: skip
_SPANS = {
    "week": timedelta(weeks=1),
    "day": timedelta(days=1),
    "hour": timedelta(hours=1),
    "minute": timedelta(minutes=1),
    "second": timedelta(seconds=1),
    "millisecond": timedelta(milliseconds=1),
}
_SUNDAY = datetime(1, 1, 7)  # noqa: DTZ001 - boundaries of weeks have no time zone


def _apart(measure: Callable[[datetime, datetime, str], int]) -> Function:
    """A row for `start.f(end, precision)`; empty when either is less precise than asked for."""

    def evaluate(_: Context, items: Items, other: Items, precision: Items) -> Items:
        start, end, name = _moment(items), _moment(other), one_text(precision)
        if start is None or end is None or name is None:
            return EMPTY
        unit = CALENDAR_UNITS.get(name)
        if unit is None or isinstance(start, Time) is not isinstance(end, Time):
            raise Failure(f"`{name}` does not measure between these values", items)
        if min(start.precision, end.precision) < _PLACES[unit]:
            return EMPTY
        return integer(measure(*_aligned(start, end), unit))

    return plain(evaluate, 2)


def _aligned(start: Moment, end: Moment) -> tuple[datetime, datetime]:
    """Return both as moments of one time zone, when both zones are known."""
    if start.offset is not None and end.offset is not None and start.offset != end.offset:
        return _as_datetime(start.utc()), _as_datetime(end.utc())
    return _as_datetime(_known(start)), _as_datetime(_known(end))


def _known(moment: Moment) -> tuple[Number, ...]:
    return (2000, 1, 1, *moment.fields) if isinstance(moment, Time) else moment.fields


def _as_datetime(fields: tuple[Number, ...]) -> datetime:
    whole: list[Any] = [int(field) for field in fields[:SECOND]]
    whole += [1] * (DAY - len(whole))
    micro = int(Decimal(fields[5]) % 1 * 1_000_000) if len(fields) == SECOND else 0
    return datetime(*whole).replace(microsecond=micro)  # noqa: DTZ001


def _duration(start: datetime, end: datetime, unit: str) -> int:
    """Return how many whole units lie between: a year is over on its anniversary."""
    if unit in _SPANS:
        return _whole(end - start, _SPANS[unit])
    early, late, sign = (start, end, 1) if start <= end else (end, start, -1)
    months = (late.year - early.year) * 12 + late.month - early.month
    if (late.day, late.time()) < (early.day, early.time()):
        months -= 1
    return sign * (months // 12 if unit == "year" else months)


def _whole(span: timedelta, step: timedelta) -> int:
    return span // step if span >= timedelta() else -(-span // step)


def _difference(start: datetime, end: datetime, unit: str) -> int:
    """Return how many boundaries of a unit lie between: New Year's Eve is a year from January."""
    if unit == "year":
        return end.year - start.year
    if unit == "month":
        return (end.year - start.year) * 12 + end.month - start.month
    step = _SPANS[unit]
    return (end - _SUNDAY) // step - (start - _SUNDAY) // step


FUNCTIONS: Table = {
    "yearOf": _part(0),
    "monthOf": _part(1),
    "dayOf": _part(2),
    "hourOf": _part(3),
    "minuteOf": _part(4),
    "secondOf": _part(5),
    "millisecondOf": _part(5, _milliseconds),
    "timezoneOffsetOf": plain(_offset),
    "dateOf": plain(_date_of),
    "timeOf": plain(_time_of),
    "duration": _apart(_duration),
    "difference": _apart(_difference),
}
