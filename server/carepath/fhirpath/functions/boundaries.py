"""How exact a value is, and between which values it may really lie.

https://build.fhir.org/ig/HL7/FHIRPath/#boundary-functions
"""

from collections.abc import Callable
from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_FLOOR, Decimal
from typing import Any

from carepath.fhirpath.functions.conversion import to_quantity
from carepath.fhirpath.functions.row import A_BOOLEAN, AN_INTEGER, Function, Table
from carepath.fhirpath.functions.table import plain
from carepath.fhirpath.values.calendar import days_in_month
from carepath.fhirpath.values.context import Context
from carepath.fhirpath.values.failure import Failure
from carepath.fhirpath.values.quantity import Quantity, comparable
from carepath.fhirpath.values.results import EMPTY, NUMBERS, integer, of_truth, one, one_integer
from carepath.fhirpath.values.temporal import (
    DAY,
    HOUR,
    SECOND,
    Date,
    DateTime,
    Moment,
    Number,
    Time,
)
from carepath.fhirpath.values.types import QUANTITY, SYSTEM, Item, Items, system_value

_DEFAULT_DIGITS = 8
_MAX_DIGITS = 28
_DATE_DIGITS = {4: 1, 6: 2, 8: 3}
_DATE_TIME_DIGITS = {**_DATE_DIGITS, 10: 4, 12: 5, 14: 6, 17: 7}
_TIME_DIGITS = {2: 1, 4: 2, 6: 3, 9: 4}
_EARLIEST_ZONE, _LATEST_ZONE = "+14:00", "-12:00"


def digits_of(value: Decimal) -> int:
    """Return how many digits stand after the point as the value was written."""
    exponent = value.as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def _decimal_boundary(value: Decimal, digits: int, high: bool) -> Decimal | None:
    """Return the boundary with so many digits, never inside the interval it bounds."""
    if not 0 <= digits <= _MAX_DIGITS:
        return None
    half = Decimal(5).scaleb(-digits_of(value) - 1)
    unit = Decimal(1).scaleb(-digits)
    bound = value + half if high else value - half
    if value.quantize(unit, ROUND_DOWN) == 0 and abs(bound) < unit / 2:
        # Less than half a unit away from zero: the official suite rounds this to zero.
        return bound.quantize(unit, ROUND_DOWN)
    return bound.quantize(unit, ROUND_CEILING if high else ROUND_FLOOR)


def _bounded_number(value: Any, digits: int | None, high: bool) -> Any:
    wanted = _DEFAULT_DIGITS if digits is None else digits
    return _decimal_boundary(Decimal(value), wanted, high)


def _bounded_quantity(value: Quantity, digits: int | None, high: bool) -> Any:
    bound = _bounded_number(value.value, digits, high)
    return None if bound is None else Quantity(bound, value.unit, value.calendar)


def _bounded_date(value: Date, digits: int | None, high: bool) -> Any:
    count = _DATE_DIGITS.get(8 if digits is None else digits)
    return None if count is None else Date(_date_fields(value.fields, high)[:count])


def _date_fields(fields: tuple[Number, ...], high: bool) -> tuple[Number, ...]:
    year = int(fields[0])
    month = int(fields[1]) if len(fields) > 1 else (12 if high else 1)
    last = days_in_month(year, month) if high else 1
    return (year, month, fields[2] if len(fields) >= DAY else last)


def _bounded_date_time(value: DateTime, digits: int | None, high: bool) -> Any:
    count = _DATE_TIME_DIGITS.get(17 if digits is None else digits)
    if count is None:
        return None
    date = _date_fields(value.fields, high)
    if count <= DAY:
        return DateTime(date[:count])
    clock = _clock_fields(value.fields[DAY:], high, known=len(value.fields) >= HOUR)
    zone = value.zone or (_LATEST_ZONE if high else _EARLIEST_ZONE)
    return DateTime((*date, *_cut(clock, count - DAY)), zone)


def _clock_fields(fields: tuple[Number, ...], high: bool, *, known: bool) -> tuple[Number, ...]:
    """Return hour, minute and second; an hour alone counts as that hour and no minutes."""
    hour, minute = (23, 59) if high else (0, 0)
    if known:
        hour, minute = int(fields[0]), int(fields[1]) if len(fields) > 1 else 0
    second = Decimal(fields[2]) if len(fields) > 2 else Decimal(59 if high else 0)  # noqa: PLR2004
    if digits_of(second) < 3:  # noqa: PLR2004
        missing = Decimal("0.999").scaleb(-digits_of(second)) if high else Decimal(0)
        second = (second + missing).quantize(Decimal("0.001"), ROUND_DOWN)
    return (hour, minute, second)


def _cut(clock: tuple[Number, ...], count: int) -> tuple[Number, ...]:
    """Return the clock to the hour, minute, second or (4) millisecond."""
    if count > SECOND - DAY:
        return clock
    return tuple(int(field) for field in clock[:count])


def _bounded_time(value: Time, digits: int | None, high: bool) -> Any:
    count = _TIME_DIGITS.get(9 if digits is None else digits)
    if count is None:
        return None
    return Time(_cut(_clock_fields(value.fields, high, known=True), count))


_BOUNDED: dict[type, Callable[[Any, int | None, bool], Any]] = {
    int: _bounded_number,
    Decimal: _bounded_number,
    Quantity: _bounded_quantity,
    Date: _bounded_date,
    DateTime: _bounded_date_time,
    Time: _bounded_time,
}


def _boundary(*, high: bool) -> Function:
    def evaluate(_: Context, items: Items, precision: Items | None = None) -> Items:
        item = one(items)
        value = None if item is None else system_value(item)
        if item is None or value is None:
            return EMPTY
        bounded = _BOUNDED.get(type(value))
        if bounded is None:
            raise Failure(f"{item[1]!r} has no boundaries", items)
        digits = one_integer(precision) if precision is not None else None
        found = bounded(value, digits, high)
        return EMPTY if found is None else [(found, SYSTEM[_name_of(found)])]

    return plain(evaluate, 0, 1)


def _name_of(value: Any) -> str:
    return type(value).__name__


def _precision(_: Context, items: Items) -> Items:
    item = one(items)
    value = None if item is None else system_value(item)
    if item is None or value is None:
        return EMPTY
    if isinstance(value, Moment):
        return integer(_moment_digits(value))
    if item[1].kind in NUMBERS:
        return integer(digits_of(Decimal(value)))
    if isinstance(value, Quantity):
        return integer(digits_of(value.value))
    raise Failure(f"{item[1]!r} has no precision", items)


def _moment_digits(value: Moment) -> int:
    """Return how many digits were written: 4 for a year, 17 for a millisecond."""
    if isinstance(value, Time):
        return 2 * len(value.fields) + _fraction(value)
    return 2 + 2 * len(value.fields) + _fraction(value)


def _fraction(value: Moment) -> int:
    last = value.fields[-1]
    return 3 if isinstance(last, Decimal) else 0


def _comparable(_: Context, items: Items, other: Items) -> Items:
    ours, theirs = one(items), one(other)
    if ours is None or theirs is None or not (_is_measure(ours) and _is_measure(theirs)):
        return EMPTY
    left, right = to_quantity(system_value(ours)), to_quantity(system_value(theirs))
    return of_truth(left is not None and right is not None and comparable(left, right))


def _is_measure(item: Item) -> bool:
    """Tell whether an item is a quantity, or a number, which counts as one."""
    return item[1].kind == QUANTITY or item[1].kind in NUMBERS


FUNCTIONS: Table = {
    "lowBoundary": _boundary(high=False),
    "highBoundary": _boundary(high=True),
    "precision": plain(_precision, gives=AN_INTEGER),
    "comparable": plain(_comparable, 1, gives=A_BOOLEAN),
}
