"""Numbers.

https://hl7.org/fhirpath/#math
"""

from collections.abc import Callable
from decimal import (
    ROUND_CEILING,
    ROUND_DOWN,
    ROUND_FLOOR,
    ROUND_HALF_UP,
    Decimal,
)
from decimal import (
    Context as DecimalContext,
)
from typing import Any

from carepath.fhirpath.functions.row import Function, Table
from carepath.fhirpath.functions.table import plain
from carepath.fhirpath.values.arithmetic import number
from carepath.fhirpath.values.context import Context
from carepath.fhirpath.values.failure import Failure
from carepath.fhirpath.values.quantity import Quantity
from carepath.fhirpath.values.quantity_arithmetic import PRECISE
from carepath.fhirpath.values.results import (
    EMPTY,
    NUMBERS,
    decimal,
    one,
    one_integer,
    one_number,
    quantity,
)
from carepath.fhirpath.values.types import DECIMAL, INTEGER, LONG, QUANTITY, Items, system_value

_ROUNDED = DecimalContext(prec=28)
_MAX_DIGITS = 28


def _clean(value: Decimal) -> Decimal:
    """Return a computed value without the last digits that carry rounding errors."""
    found = _ROUNDED.plus(value)
    whole = found.to_integral_value()
    return whole.quantize(Decimal("0.1")) if found == whole and abs(whole) < 10**20 else found


def _computed(calculate: Callable[[Decimal], Decimal]) -> Function:
    """A row for a function whose answer is always a Decimal; what has none is empty."""

    def evaluate(_: Context, items: Items) -> Items:
        found = one_number(items)
        if found is None:
            return EMPTY
        try:
            return decimal(_clean(calculate(Decimal(found[0]))))
        except ArithmeticError:
            return EMPTY

    return plain(evaluate)


def _whole(rounding: str) -> Function:
    def evaluate(_: Context, items: Items) -> Items:
        item = one(items)
        if item is not None and item[1].kind == QUANTITY:
            value = system_value(item)
            return EMPTY if value is None else quantity(_with(value, rounding))
        found = one_number(items)
        if found is None:
            return EMPTY
        value, kind = found
        whole = int(Decimal(value).to_integral_value(rounding))
        return number(whole, LONG if kind == LONG else INTEGER)

    return plain(evaluate)


def _with(value: Quantity, rounding: str) -> Quantity:
    return Quantity(value.value.to_integral_value(rounding), value.unit, value.calendar)


def _abs(_: Context, items: Items) -> Items:
    item = one(items)
    if item is None:
        return EMPTY
    value, kind = system_value(item), item[1].kind
    if value is None:
        return EMPTY
    if kind == QUANTITY:
        return quantity(Quantity(abs(value.value), value.unit, value.calendar))
    if kind in NUMBERS:
        return number(abs(value), kind)
    raise Failure(f"expected a number or quantity, found {item[1]!r}", items)


def _round(_: Context, items: Items, precision: Items | None = None) -> Items:
    digits = one_integer(precision) if precision is not None else 0
    item = one(items)
    if digits is None or item is None:
        return EMPTY
    if digits < 0:
        raise Failure("`round()` takes no negative precision", items)
    unit = Decimal(1).scaleb(-min(digits, _MAX_DIGITS))
    if item[1].kind == QUANTITY:
        value = system_value(item)
        return EMPTY if value is None else quantity(_rounded_quantity(value, unit))
    found = one_number(items)
    return EMPTY if found is None else _rounded(Decimal(found[0]), unit)


def _rounded(value: Decimal, unit: Decimal) -> Items:
    try:
        return decimal(value.quantize(unit, ROUND_HALF_UP))
    except ArithmeticError:
        return decimal(value)


def _rounded_quantity(value: Quantity, unit: Decimal) -> Quantity:
    return Quantity(value.value.quantize(unit, ROUND_HALF_UP), value.unit, value.calendar)


def _log(_: Context, items: Items, base: Items) -> Items:
    value, foot = one_number(items), one_number(base)
    if value is None or foot is None:
        return EMPTY
    try:
        top, bottom = PRECISE.ln(Decimal(value[0])), PRECISE.ln(Decimal(foot[0]))
        return decimal(_clean(PRECISE.divide(top, bottom)))
    except ArithmeticError:
        return EMPTY


def _power(_: Context, items: Items, exponent: Items) -> Items:
    value, raised = one_number(items), one_number(exponent)
    if value is None or raised is None:
        return EMPTY
    whole = value[1] != DECIMAL and raised[1] != DECIMAL and raised[0] >= 0
    try:
        found: Any = PRECISE.power(Decimal(value[0]), Decimal(raised[0]))
        if whole:
            return number(int(found), LONG if LONG in (value[1], raised[1]) else INTEGER)
    except ArithmeticError:
        return EMPTY
    return decimal(_ROUNDED.plus(found))


FUNCTIONS: Table = {
    "abs": plain(_abs),
    "ceiling": _whole(ROUND_CEILING),
    "floor": _whole(ROUND_FLOOR),
    "truncate": _whole(ROUND_DOWN),
    "round": plain(_round, 0, 1),
    "exp": _computed(PRECISE.exp),
    "ln": _computed(PRECISE.ln),
    "sqrt": _computed(PRECISE.sqrt),
    "log": plain(_log, 1),
    "power": plain(_power, 1),
}
