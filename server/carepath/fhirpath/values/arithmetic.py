"""Sums, products and texts put together.

https://hl7.org/fhirpath/#math
"""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from carepath.fhirpath.values import results
from carepath.fhirpath.values.calendar import plus
from carepath.fhirpath.values.context import Context
from carepath.fhirpath.values.failure import Failure
from carepath.fhirpath.values.quantity import Quantity, calendar_unit
from carepath.fhirpath.values.quantity_arithmetic import PRECISE, product_of, sum_of
from carepath.fhirpath.values.results import EMPTY, NUMBERS
from carepath.fhirpath.values.temporal import Moment
from carepath.fhirpath.values.types import (
    DATE,
    DATE_TIME,
    DECIMAL,
    INTEGER,
    LONG,
    QUANTITY,
    STRING,
    SYSTEM,
    TIME,
    Item,
    Items,
    system_value,
)

_MOMENTS = frozenset({DATE, DATE_TIME, TIME})
_KINDS = {INTEGER: "Integer", LONG: "Long", DECIMAL: "Decimal"}

Pair = tuple[Any, int, Any, int]


def number(value: Any, kind: int) -> Items:
    """Return a number of a kind; one beyond the range of its type is empty."""
    if kind == INTEGER and not results.is_integer(value):
        return EMPTY
    if kind == LONG and not results.is_long(value):
        return EMPTY
    return [(value, SYSTEM[_KINDS[kind]])]


def _pair(left: Items, right: Items) -> Pair | None:
    """Return two values with their kinds; None when either side is empty."""
    ours, theirs = results.one(left), results.one(right)
    if ours is None or theirs is None:
        return None
    pair = (system_value(ours), ours[1].kind, system_value(theirs), theirs[1].kind)
    return None if pair[0] is None or pair[2] is None else pair


def _wider(one: int, other: int) -> int:
    return DECIMAL if DECIMAL in (one, other) else LONG if LONG in (one, other) else INTEGER


def _refuse(operator: str, left: Items, right: Items) -> Failure:
    return Failure(f"`{operator}` does not apply to {left[0][1]!r} and {right[0][1]!r}", left)


def add(context: Context, left: Items, right: Items) -> Items:
    """`left + right`"""
    return _sum(context, left, right, "+")


def subtract(context: Context, left: Items, right: Items) -> Items:
    """`left - right`"""
    return _sum(context, left, right, "-")


def _sum(context: Context, left: Items, right: Items, operator: str) -> Items:
    pair = _pair(left, right)
    if pair is None:
        return EMPTY
    ours, our_kind, theirs, their_kind = pair
    sign = 1 if operator == "+" else -1
    if our_kind in NUMBERS and their_kind in NUMBERS:
        kind = _wider(our_kind, their_kind)
        if kind != DECIMAL:
            return number(ours + sign * theirs, kind)
        return _calculated(lambda: PRECISE.add(Decimal(ours), Decimal(theirs) * sign), kind)
    if our_kind == their_kind == STRING and sign > 0:
        return results.text(context.checked_text(_text(left) + _text(right)))
    if our_kind in _MOMENTS and their_kind == QUANTITY:
        return _moved(context, ours, theirs, sign, left[0])
    if QUANTITY in (our_kind, their_kind):
        one, other = _quantity(ours), _quantity(theirs)
        if one is not None and other is not None:
            summed = sum_of(one, other, sign)
            return EMPTY if summed is None else results.quantity(summed)
    raise _refuse(operator, left, right)


def _text(items: Items) -> str:
    return results.one_text(items) or ""


def _quantity(value: Any) -> Quantity | None:
    if isinstance(value, Quantity):
        return value
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return Quantity(Decimal(value))
    return None


def _moved(context: Context, moment: Moment, by: Quantity, sign: int, item: Item) -> Items:
    """Return a date or time moved by calendar units; of their fractions those of seconds count."""
    unit = calendar_unit(by)
    is_time = item[1].kind == TIME
    if unit is None or (is_time and unit in ("year", "month", "week", "day")):
        raise Failure(f"`{by.unit}` is no unit to add to a {type(moment).__name__}", [item])
    if unit == "second" and not context.environment.cuts_seconds:
        moved = plus(moment, int(by.value * 1000) * sign, "millisecond")
    else:
        moved = plus(moment, int(by.value) * sign, unit)
    return EMPTY if moved is None else [(moved, SYSTEM[type(moved).__name__])]


def _calculated(calculate: Callable[[], Any], kind: int) -> Items:
    try:
        value = calculate()
    except (ArithmeticError, ValueError):
        return EMPTY
    return number(value if kind != DECIMAL else Decimal(value), kind)


def multiply(context: Context, left: Items, right: Items) -> Items:
    """`left * right`"""
    del context
    pair = _pair(left, right)
    if pair is None:
        return EMPTY
    ours, our_kind, theirs, their_kind = pair
    if our_kind in NUMBERS and their_kind in NUMBERS:
        kind = _wider(our_kind, their_kind)
        if kind == DECIMAL:
            return _calculated(lambda: PRECISE.multiply(Decimal(ours), Decimal(theirs)), kind)
        return number(ours * theirs, kind)
    return _product(ours, theirs, 1, left, right)


def divide(context: Context, left: Items, right: Items) -> Items:
    """`left / right`, always a Decimal or Quantity; empty when divided by zero"""
    del context
    pair = _pair(left, right)
    if pair is None:
        return EMPTY
    ours, our_kind, theirs, their_kind = pair
    if our_kind in NUMBERS and their_kind in NUMBERS:
        return _calculated(lambda: PRECISE.divide(Decimal(ours), Decimal(theirs)), DECIMAL)
    return _product(ours, theirs, -1, left, right)


def _product(ours: Any, theirs: Any, sign: int, left: Items, right: Items) -> Items:
    one, other = _quantity(ours), _quantity(theirs)
    if one is None or other is None:
        raise _refuse("*" if sign > 0 else "/", left, right)
    found = product_of(one, other, sign)
    return EMPTY if found is None else results.quantity(found)


def whole_quotient(context: Context, left: Items, right: Items) -> Items:
    """`left div right`, cut toward zero"""
    return _whole(context, left, right, "div")


def remainder(context: Context, left: Items, right: Items) -> Items:
    """`left mod right`, with the sign of the left"""
    return _whole(context, left, right, "mod")


def _whole(context: Context, left: Items, right: Items, operator: str) -> Items:
    del context
    pair = _pair(left, right)
    if pair is None:
        return EMPTY
    ours, our_kind, theirs, their_kind = pair
    if our_kind not in NUMBERS or their_kind not in NUMBERS:
        raise _refuse(operator, left, right)
    if not theirs:
        return EMPTY
    kind = _wider(our_kind, their_kind)
    if kind == DECIMAL:
        return _whole_decimal(Decimal(ours), Decimal(theirs), operator)
    quotient = abs(ours) // abs(theirs) * (1 if (ours < 0) == (theirs < 0) else -1)
    return number(quotient if operator == "div" else ours - quotient * theirs, kind)


def _whole_decimal(ours: Decimal, theirs: Decimal, operator: str) -> Items:
    try:
        if operator == "mod":
            return results.decimal(PRECISE.remainder(ours, theirs))
        return number(int(PRECISE.divide_int(ours, theirs)), INTEGER)
    except ArithmeticError:
        return EMPTY


def concatenate(context: Context, left: Items, right: Items) -> Items:
    """`left & right`; an empty side counts as an empty string"""
    ours, theirs = results.one_text(left), results.one_text(right)
    return results.text(context.checked_text((ours or "") + (theirs or "")))


def signed(items: Items, *, negative: bool) -> Items:
    """`-x` or `+x`"""
    item = results.one(items)
    if item is None:
        return EMPTY
    value, kind = system_value(item), item[1].kind
    if value is None:
        return EMPTY
    if kind in NUMBERS:
        return number(-value if negative else value, kind)
    if kind == QUANTITY:
        amount = -value.value if negative else value.value
        return results.quantity(Quantity(amount, value.unit, value.calendar))
    raise Failure(f"expected a number or quantity, found {item[1]!r}", items)
