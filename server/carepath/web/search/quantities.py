"""Quantities in a search: prefixes, the precision of the number, units.

https://hl7.org/fhir/R4/search.html#quantity
"""

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any, NamedTuple

from carepath.fhirpath.values.units import unit_of
from carepath.web.search.text import plain, split

UCUM = "http://unitsofmeasure.org"
_NUMBER = re.compile(
    r"(?P<prefix>eq|ne|gt|lt|ge|le|sa|eb|ap)?"
    r"(?P<number>[+-]?\d{1,40}(\.\d{1,40})?([eE][+-]?\d{1,2})?)",
    re.ASCII,
)
_INFINITE = float("inf")

Edge = tuple[Fraction | float, int]
"""A number, and -1 or 1 when what is meant lies just below or above it."""


class Bounds(NamedTuple):
    """The numbers that a quantity stands for, both edges included."""

    low: Edge
    high: Edge


class Unit(NamedTuple):
    """A unit as the search names it; both empty for any unit."""

    system: str
    code: str


def quantity_test(text: str) -> Callable[[Any], bool]:
    """Return the test for `[prefix]number`, `number|system|code` or `number||unit`.

    Raises ValueError for text that is none of them.  A unit of UCUM is compared in base units.
    """
    number, *rest = (plain(part) for part in split(text, "|"))
    match = _NUMBER.fullmatch(number.replace(" ", "+"))
    if match is None or len(rest) not in (0, 2):
        raise ValueError(f"`{text[:40]}` is not a quantity such as 5.4 or gt5.4|{UCUM}|mg")
    unit = Unit(*rest) if rest else Unit("", "")
    wanted = _wanted(match, unit)
    compare = _COMPARISONS[match["prefix"] or "eq"]

    def matches(value: Any) -> bool:
        has = _bounds(value, unit)
        return has is not None and compare(has, wanted)

    return matches


def _wanted(match: re.Match[str], unit: Unit) -> Bounds:
    """Return what the number means: a point, or its precision for `eq` and `ne`, 10 % for `ap`."""
    value = Decimal(match["number"])
    exact = Fraction(value)
    margin = Fraction(0)
    if match["prefix"] in (None, "eq", "ne"):
        margin = Fraction(10) ** int(value.as_tuple().exponent) / 2
    elif match["prefix"] == "ap":
        margin = abs(exact) / 10
    low, high = _in_base(exact - margin, unit), _in_base(exact + margin, unit)
    return Bounds((low, 0), (high, -1 if margin and match["prefix"] != "ap" else 0))


def _bounds(value: Any, unit: Unit) -> Bounds | None:
    """Return what a Quantity or Range of a resource stands for, None in another unit."""
    if not isinstance(value, Mapping):
        return None
    if "low" not in value and "high" not in value:
        return _of_quantity(value, unit)
    low = _of_quantity(value["low"], unit) if "low" in value else _EVERYTHING
    high = _of_quantity(value["high"], unit) if "high" in value else _EVERYTHING
    return Bounds(low.low, high.high) if low and high else None


def _of_quantity(quantity: Mapping[str, Any], unit: Unit) -> Bounds | None:
    if "value" not in quantity or not _is_same_unit(quantity, unit):
        return None
    own = Unit(str(quantity.get("system", "")), str(quantity.get("code", "")))
    number = Fraction(Decimal(str(quantity["value"])))
    point = _in_base(number, own) if unit.system == UCUM and unit.code else number
    low, high = _COMPARATORS.get(str(quantity.get("comparator", "")), (0, 0))
    return Bounds(
        (-_INFINITE, 0) if low is None else (point, low),
        (_INFINITE, 0) if high is None else (point, high),
    )


def _is_same_unit(quantity: Mapping[str, Any], unit: Unit) -> bool:
    """Tell whether a quantity has the unit, or one that can be brought to it."""
    code, system = quantity.get("code", ""), quantity.get("system", "")
    if not unit.system:
        return not unit.code or unit.code in (code, quantity.get("unit"))
    if unit.system != system or not unit.code or unit.code == code:
        return bool(unit.system == system)
    ours, theirs = (unit_of(unit.code), unit_of(code)) if system == UCUM else (None, None)
    return ours is not None and theirs is not None and ours.dimensions == theirs.dimensions


def _in_base(number: Fraction, unit: Unit) -> Fraction:
    known = unit_of(unit.code) if unit.system == UCUM and unit.code else None
    return known.to_base(number) if known else number


_EVERYTHING = Bounds((-_INFINITE, 0), (_INFINITE, 0))
_COMPARATORS: Mapping[str, tuple[int | None, int | None]] = {
    "<": (None, -1),
    "<=": (None, 0),
    ">": (1, None),
    ">=": (0, None),
}


def _contains(wanted: Bounds, has: Bounds) -> bool:
    return wanted.low <= has.low and has.high <= wanted.high


_COMPARISONS: Mapping[str, Callable[[Bounds, Bounds], bool]] = {
    "eq": lambda has, wanted: _contains(wanted, has),
    "ne": lambda has, wanted: not _contains(wanted, has),
    "gt": lambda has, wanted: has.high > wanted.high,
    "lt": lambda has, wanted: has.low < wanted.low,
    "ge": lambda has, wanted: has.high >= wanted.low,
    "le": lambda has, wanted: has.low <= wanted.high,
    "sa": lambda has, wanted: has.low > wanted.high,
    "eb": lambda has, wanted: has.high < wanted.low,
    "ap": lambda has, wanted: has.low <= wanted.high and has.high >= wanted.low,
}
