"""A quantity in a unit that is asked for, by UCUM or by the calendar.

https://hl7.org/fhirpath/#toquantityunit--string--quantity
"""

from decimal import Decimal
from fractions import Fraction

from carepath.fhirpath.values.quantity import (
    CALENDAR_OF,
    CALENDAR_UNITS,
    UCUM_OF,
    Quantity,
    converted,
    decimal_of,
)
from carepath.fhirpath.values.units import unit_of

_DAYS = {
    "year": Fraction(365),
    "month": Fraction(30),
    "week": Fraction(7),
    "day": Fraction(1),
    "hour": Fraction(1, 24),
    "minute": Fraction(1, 24 * 60),
    "second": Fraction(1, 24 * 60 * 60),
    "millisecond": Fraction(1, 24 * 60 * 60 * 1000),
}
"""What one of a calendar unit is in days, where years do not meet months."""
_MONTHS = {"year": 12, "month": 1}


def in_unit(quantity: Quantity, unit: str) -> Quantity | None:
    """Return a quantity in a UCUM or calendar unit, None when it cannot be brought to that.

    What is converted stays in its own system, and takes the unit of the other one then: 182.5 days
    are half a year, and that is half an `a`.  A bare number gets the unit.
    """
    word = CALENDAR_UNITS.get(unit)
    if quantity.calendar or quantity.unit in CALENDAR_UNITS:
        value = _by_calendar(quantity.value, CALENDAR_UNITS[quantity.unit], word, unit)
    else:
        value = converted(quantity, UCUM_OF[word] if word else unit)
    if value is None and quantity.unit == "1" and (word or unit_of(unit) is not None):
        value = quantity.value
    return None if value is None else Quantity(value, word or unit, calendar=word is not None)


def _by_calendar(value: Decimal, own: str, word: str | None, unit: str) -> Decimal | None:
    target = word or CALENDAR_OF.get(unit)
    if target is None:
        seconds = decimal_of(Fraction(value) * _DAYS[own] / _DAYS["second"])
        return converted(Quantity(seconds, "s"), unit)
    if target == own:
        return value
    lengths = _MONTHS if own in _MONTHS and target in _MONTHS else _DAYS
    return decimal_of(Fraction(value) * lengths[own] / lengths[target])
