"""Quantities: exact values with a UCUM or calendar unit.

https://hl7.org/fhirpath/#quantity
"""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from carepath.fhirpath.values.units import unit_of

_CALENDAR = ("year", "month", "week", "day", "hour", "minute", "second", "millisecond")
CALENDAR_UNITS = {name: name for name in _CALENDAR} | {f"{name}s": name for name in _CALENDAR}
"""Calendar words, singular and plural, to their singular."""

UCUM_OF = {
    "year": "a",
    "month": "mo",
    "week": "wk",
    "day": "d",
    "hour": "h",
    "minute": "min",
    "second": "s",
    "millisecond": "ms",
}
CALENDAR_OF = {code: name for name, code in UCUM_OF.items()}
INEXACT = frozenset({"year", "month"})
"""Calendar units whose length varies: `1 year` and `1 'a'` cannot be told equal."""


@dataclass(frozen=True, slots=True)
class Quantity:
    """A value with a unit; `calendar` for `4 days`, otherwise the unit is a UCUM code."""

    value: Decimal
    unit: str = "1"
    calendar: bool = False
    either: bool = False
    """A FHIR Quantity in `a` or `mo`: FHIR reads it as calendar years or months as well."""

    def __str__(self) -> str:
        if self.calendar:
            return f"{self.value:f} {self.unit}{'' if self.value == 1 else 's'}"
        return f"{self.value:f} '{self.unit}'"


def calendar_unit(quantity: Quantity) -> str | None:
    """Return the calendar unit for date arithmetic, or None when the unit has none."""
    if quantity.calendar:
        return quantity.unit
    if quantity.unit in CALENDAR_UNITS:
        return CALENDAR_UNITS[quantity.unit]
    name = CALENDAR_OF.get(quantity.unit)
    return name if name not in INEXACT or quantity.either else None


Dimensions = tuple[tuple[str, int], ...]
Base = tuple[Fraction, Dimensions]


def in_base_units(quantity: Quantity) -> Base | None:
    """Return value and dimensions in base units; None for a unit that is not known."""
    unit = unit_of(UCUM_OF[quantity.unit] if quantity.calendar else quantity.unit)
    if unit is None:
        return None
    return unit.to_base(Fraction(quantity.value)), unit.dimensions


def comparable(left: Quantity, right: Quantity) -> bool:
    """Tell whether `=` and `<` have an answer for the two."""
    return compare_quantities(left, right) is not None


def compare_quantities(left: Quantity, right: Quantity) -> int | None:
    """Return -1, 0 or 1, or None when the units cannot be brought together."""
    if left.unit == right.unit and left.calendar == right.calendar:
        return _sign(left.value, right.value)
    if left.calendar is not right.calendar and _is_inexact_mix(left, right):
        return None
    ours, theirs = in_base_units(left), in_base_units(right)
    if ours is None or theirs is None or ours[1] != theirs[1]:
        return None
    return _sign(ours[0], theirs[0])


def _is_inexact_mix(left: Quantity, right: Quantity) -> bool:
    """Tell whether a calendar year or month meets a definite duration."""
    named, coded = (left, right) if left.calendar else (right, left)
    if coded.either:
        return False
    return named.unit in INEXACT or CALENDAR_OF.get(coded.unit) in INEXACT


def _sign(left: Decimal | Fraction, right: Decimal | Fraction) -> int:
    return (left > right) - (left < right)


def size_of(quantity: Quantity) -> Fraction:
    """Return how large one of the unit is in base units; zero for units that are not known."""
    unit = unit_of(UCUM_OF[quantity.unit] if quantity.calendar else quantity.unit)
    return Fraction(0) if unit is None else unit.factor


def converted(quantity: Quantity, unit: str) -> Decimal | None:
    """Return the value of `quantity` in another UCUM unit."""
    base, target = in_base_units(quantity), unit_of(unit)
    if base is None or target is None or base[1] != target.dimensions:
        return None
    return decimal_of(target.from_base(base[0]))


class Alike:
    """A key that is the same for equal quantities, whatever their units.

    Equality of durations hands nothing on: 64 years of an Age equal `64 years` and `64 'a'`, which
    do not equal each other.  So the key asks, and its hash only says who might be asked.
    """

    __slots__ = ("base", "quantity")

    def __init__(self, quantity: Quantity, base: Base | None) -> None:
        self.quantity = quantity
        self.base = base

    def __hash__(self) -> int:
        return hash(self.base or (self.quantity.unit, self.quantity.value))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Alike) and compare_quantities(self.quantity, other.quantity) == 0


def decimal_of(value: Fraction) -> Decimal:
    """Return the decimal nearest to a fraction."""
    return Decimal(value.numerator) / Decimal(value.denominator)
