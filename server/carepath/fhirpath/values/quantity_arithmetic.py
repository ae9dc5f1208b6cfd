"""Sums and products of quantities.

https://hl7.org/fhirpath/#math
"""

from decimal import Context as DecimalContext
from decimal import Decimal, DivisionByZero, InvalidOperation, Overflow
from fractions import Fraction

from carepath.fhirpath.values.quantity import (
    INEXACT,
    UCUM_OF,
    Quantity,
    converted,
    decimal_of,
    in_base_units,
    size_of,
)
from carepath.fhirpath.values.unit_terms import product_of as product_of_units
from carepath.fhirpath.values.units import unit_of

PRECISE = DecimalContext(
    prec=34, Emax=1000, Emin=-1000, traps=[InvalidOperation, DivisionByZero, Overflow]
)
"""Enough for the 28 digits the specification asks for, with some to spare."""


def sum_of(left: Quantity, right: Quantity, sign: int) -> Quantity | None:
    """Add in the finer of two units; None when they cannot be brought together.

    Years and months add to their like alone: how long they are depends on the date.
    """
    finer = left if size_of(left) <= size_of(right) else right
    ours, theirs = _value_in(left, finer), _value_in(right, finer)
    if ours is None or theirs is None:
        return None
    return Quantity(PRECISE.add(ours, sign * theirs), finer.unit, finer.calendar)


def _value_in(quantity: Quantity, target: Quantity) -> Decimal | None:
    if (quantity.unit, quantity.calendar) == (target.unit, target.calendar):
        return quantity.value
    if _is_inexact(quantity) or _is_inexact(target):
        return None
    return converted(quantity, UCUM_OF[target.unit] if target.calendar else target.unit)


def _is_inexact(quantity: Quantity) -> bool:
    """Tell whether a unit is a year or month of the calendar."""
    return quantity.calendar and quantity.unit in INEXACT


def product_of(one: Quantity, other: Quantity, sign: int) -> Quantity | None:
    """Multiply (`sign` 1) or divide (-1); None by zero, out of range, or where there is no unit.

    The units stay those that were given.  Calendar units multiply and divide with numbers only.
    """
    try:
        if other.unit == "1":
            return Quantity(_times(one.value, other.value, sign), one.unit, one.calendar)
        if one.unit == "1" and sign > 0:
            return Quantity(_times(one.value, other.value, sign), other.unit, other.calendar)
        if one.calendar or other.calendar:
            return None
        if one.unit == other.unit and sign < 0:
            return Quantity(_times(one.value, other.value, sign))
        return _with_unit(_from_zero(one), _from_zero(other), sign)
    except ArithmeticError:
        return None


def _from_zero(quantity: Quantity) -> Quantity:
    """Return a quantity on a scale that begins at zero: a temperature in `Cel` as one in `K`."""
    unit, base = unit_of(quantity.unit), in_base_units(quantity)
    if unit is None or base is None or not unit.offset:
        return quantity
    return Quantity(decimal_of(base[0]), "K")


def _with_unit(one: Quantity, other: Quantity, sign: int) -> Quantity | None:
    product = product_of_units(one.unit, other.unit, sign)
    if product is None:
        return None
    if product.factor == 1:
        return Quantity(_times(one.value, other.value, sign), product.code)
    value = Fraction(one.value) * Fraction(other.value) ** sign * product.factor
    return Quantity(decimal_of(value), product.code)


def _times(one: Decimal, other: Decimal, sign: int) -> Decimal:
    return PRECISE.multiply(one, other) if sign > 0 else PRECISE.divide(one, other)
