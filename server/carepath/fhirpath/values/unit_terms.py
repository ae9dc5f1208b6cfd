"""Units as the terms they are written with, so that a product keeps the units that were given.

https://ucum.org/ucum#section-Algebraic-Unit-Terms

`kg/m2` is `kg` once and `m` minus twice.  In a product equal symbols are put together; symbols
that measure the same (`mg` and `g`, `mol` and `mmol`) are brought to the one on the left side.
"""

import re
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

from carepath.fhirpath.values.units import MAX_EXPONENT, parts_of, stem_of, unit_of

_RATIOS = frozenset({"%", "[ppth]", "[ppm]", "10*", "10^", "[pi]"})
"""Symbols for numbers: a unit of nothing else only scales what it is multiplied with."""


class Product(NamedTuple):
    """What the value has to be multiplied with, and the unit it has then."""

    factor: Fraction
    code: str


class _Terms(NamedTuple):
    """A number and the symbols that stand beside it, with their exponents, as they are written."""

    factor: Fraction
    symbols: tuple[tuple[str, int], ...]


@lru_cache(maxsize=512)
def product_of(left: str, right: str, sign: int) -> Product | None:
    """Return the unit of `left` times (`sign` 1) or by (-1) `right`; None where there is none.

    A scale that does not begin at zero, such as `Cel`, stands in no product.
    """
    ours, theirs = _terms_of(left), _terms_of(right)
    if ours is None or theirs is None:
        return None
    factor = ours.factor * theirs.factor**sign
    powers = dict(ours.symbols)
    for symbol, exponent in theirs.symbols:
        power = sign * exponent
        at = _place(powers, symbol, power)
        if at != symbol:
            factor *= (_size(symbol) / _size(at)) ** power
        powers[at] = powers.get(at, 0) + power
    if any(abs(power) > MAX_EXPONENT for power in powers.values()):
        return None
    return Product(factor, _code_of(powers))


def _place(powers: dict[str, int], symbol: str, power: int) -> str:
    """Return the symbol of the left side that one of the right is put together with.

    One that it cancels comes first: in `mg/kg` times `g` the grams belong to the `kg`.
    """
    if powers.get(symbol):
        return symbol
    alike = [known for known, its in powers.items() if its and _measure_the_same(known, symbol)]
    cancelled = (known for known in alike if powers[known] * power < 0)
    return next(cancelled, alike[0] if alike else symbol)


@lru_cache(maxsize=512)
def _measure_the_same(one: str, other: str) -> bool:
    ours, theirs = unit_of(one), unit_of(other)
    if ours is None or theirs is None or ours.dimensions != theirs.dimensions:
        return False
    # Particles, cells and parts are all without a dimension: there only the prefix may differ.
    return bool(ours.dimensions) or stem_of(one) == stem_of(other) != ""


def _size(symbol: str) -> Fraction:
    unit = unit_of(symbol)
    return Fraction(1) if unit is None else unit.factor


def _terms_of(code: str) -> _Terms | None:
    unit, parts = unit_of(code), parts_of(code)
    if unit is None or parts is None or unit.offset:
        return None
    number, powers = Fraction(1), dict[str, int]()
    outer, sign, outside = 1, 1, list[int]()
    is_after_symbol = False
    for part in parts:
        mark = part["sign"]
        if mark == "(":
            outside.append(outer)
            outer, sign = outer * sign, 1
        elif mark == ")":
            outer = outside.pop()
        elif mark:
            sign = -1 if mark == "/" else 1
        elif part["number"]:
            number *= Fraction(int(part["number"])) ** (outer * sign)
        elif not (part["annotation"] and is_after_symbol):
            symbol, exponent = _symbol(part)
            powers[symbol] = powers.get(symbol, 0) + exponent * outer * sign
        is_after_symbol = bool(part["symbol"] or part["power"] or part["number"])
    if powers.keys() <= _RATIOS:
        return _Terms(unit.factor, ())
    return _Terms(number, tuple(powers.items()))


def _symbol(part: re.Match[str]) -> tuple[str, int]:
    if part["annotation"]:
        return part["annotation"], 1
    if part["power"]:
        return part["power"], int(part["ten"] or 1)
    return part["symbol"], int(part["exponent"] or 1)


def _code_of(powers: dict[str, int]) -> str:
    """Return the code of symbols: first those that multiply, then one by one those that divide."""
    above = ".".join(_raised(symbol, power) for symbol, power in powers.items() if power > 0)
    below = "".join(f"/{_raised(symbol, -power)}" for symbol, power in powers.items() if power < 0)
    return f"{above}{below}" or "1"


def _raised(symbol: str, power: int) -> str:
    """Return a symbol with its exponent; an annotation can have none, and needs none."""
    return symbol if power == 1 or symbol.startswith("{") else f"{symbol}{power}"
