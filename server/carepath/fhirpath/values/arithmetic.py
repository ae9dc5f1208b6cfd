"""Sums, products and texts put together.

https://hl7.org/fhirpath/#math
"""

from collections.abc import Callable
from decimal import Context as DecimalContext
from decimal import Decimal, DivisionByZero, InvalidOperation, Overflow
from fractions import Fraction
from typing import Any

from carepath.fhirpath.values import results
from carepath.fhirpath.values.calendar import plus
from carepath.fhirpath.values.context import Context
from carepath.fhirpath.values.failure import Failure
from carepath.fhirpath.values.quantity import (
    UCUM_OF,
    Quantity,
    calendar_unit,
    converted,
    decimal_of,
    in_base_units,
)
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
from carepath.fhirpath.values.units import code_of, product

PRECISE = DecimalContext(
    prec=34, Emax=1000, Emin=-1000, traps=[InvalidOperation, DivisionByZero, Overflow]
)
"""Enough for the 28 digits the specification asks for, with some to spare."""
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
        return _moved(ours, theirs, sign, left[0])
    if QUANTITY in (our_kind, their_kind):
        one, other = _quantity(ours), _quantity(theirs)
        if one is not None and other is not None:
            summed = _sum_of_quantities(one, other, sign)
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


def _sum_of_quantities(left: Quantity, right: Quantity, sign: int) -> Quantity | None:
    """Add in the finer of two units; None when they cannot be brought together."""
    finer = left if _size(left) <= _size(right) else right
    ours, theirs = _value_in(left, finer), _value_in(right, finer)
    if ours is None or theirs is None:
        return None
    return Quantity(PRECISE.add(ours, sign * theirs), finer.unit, finer.calendar)


def _size(quantity: Quantity) -> Fraction:
    """Return what one of the unit is in base units; zero for units that are not known."""
    one_of_it = in_base_units(Quantity(Decimal(1), quantity.unit, quantity.calendar))
    return one_of_it[0] if one_of_it else Fraction(0)


def _value_in(quantity: Quantity, target: Quantity) -> Decimal | None:
    if (quantity.unit, quantity.calendar) == (target.unit, target.calendar):
        return quantity.value
    if quantity.calendar is not target.calendar:
        return None
    return converted(quantity, UCUM_OF[target.unit] if target.calendar else target.unit)


def _moved(moment: Moment, by: Quantity, sign: int, item: Item) -> Items:
    """Return a date or time moved by calendar units; their fractions do not count."""
    unit = calendar_unit(by)
    is_time = item[1].kind == TIME
    if unit is None or (is_time and unit in ("year", "month", "week", "day")):
        raise Failure(f"`{by.unit}` is no unit to add to a {type(moment).__name__}", [item])
    amount = int(by.value) * sign
    moved = plus(moment, amount, unit)
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
    if sign < 0 and not other.value:
        return EMPTY
    try:
        return _product_of_quantities(one, other, sign)
    except ArithmeticError:
        return EMPTY


def _product_of_quantities(one: Quantity, other: Quantity, sign: int) -> Items:
    if other.unit == "1":
        return results.quantity(
            Quantity(_times(one.value, other.value, sign), one.unit, one.calendar)
        )
    if one.unit == "1" and sign > 0:
        return results.quantity(
            Quantity(_times(one.value, other.value, sign), other.unit, other.calendar)
        )
    if one.unit == other.unit and sign < 0:
        return results.quantity(Quantity(_times(one.value, other.value, sign)))
    ours, theirs = in_base_units(one), in_base_units(other)
    if ours is None or theirs is None:
        return EMPTY
    value = ours[0] * theirs[0] if sign > 0 else ours[0] / theirs[0]
    unit = product(_code(one), _code(other), sign)
    return results.quantity(Quantity(decimal_of(value), unit)) if unit else EMPTY


def _code(quantity: Quantity) -> str:
    base = in_base_units(quantity)
    return code_of(base[1]) if base else ""


def _times(one: Decimal, other: Decimal, sign: int) -> Decimal:
    return PRECISE.multiply(one, other) if sign > 0 else PRECISE.divide(one, other)


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
