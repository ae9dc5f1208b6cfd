"""UCUM units to base units, exactly.

https://ucum.org/ucum

The table holds the units of everyday clinical data; its factors are exact fractions.  A unit that
is not in it is looked up in the whole of UCUM by the library `ucumvert`, which is loaded only then.
"""

import re
from collections.abc import Mapping
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

Dimensions = tuple[tuple[str, int], ...]


class Unit(NamedTuple):
    """What one of a unit is in base units; `offset` only for temperatures."""

    factor: Fraction
    dimensions: Dimensions
    offset: Fraction = Fraction(0)

    def to_base(self, value: Fraction) -> Fraction:
        """Return a value of this unit in base units."""
        return value * self.factor + self.offset

    def from_base(self, value: Fraction) -> Fraction:
        """Return a value of base units in this unit."""
        return (value - self.offset) / self.factor


_PREFIXES = {
    "Y": 24, "Z": 21, "E": 18, "P": 15, "T": 12, "G": 9, "M": 6, "k": 3, "h": 2, "da": 1,
    "d": -1, "c": -2, "m": -3, "u": -6, "n": -9, "p": -12, "f": -15, "a": -18, "z": -21, "y": -24,
}  # fmt: skip

_BASE = ("m", "g", "s", "K", "rad", "C", "cd")
# Metric units take prefixes: code -> (factor, the base units it is made of).
_METRIC: Mapping[str, tuple[str, str]] = {
    "l": ("1/1000", "m3"),
    "L": ("1/1000", "m3"),
    "mol": ("602213670000000000000000", "1"),
    "eq": ("602213670000000000000000", "1"),
    "osm": ("602213670000000000000000", "1"),
    "Hz": ("1", "s-1"),
    "N": ("1000", "g.m.s-2"),
    "Pa": ("1000", "g.m-1.s-2"),
    "bar": ("100000000", "g.m-1.s-2"),
    "J": ("1000", "g.m2.s-2"),
    "W": ("1000", "g.m2.s-3"),
    "cal": ("4184", "g.m2.s-2"),
    "A": ("1", "C.s-1"),
    "V": ("1000", "g.m2.s-2.C-1"),
    "Ohm": ("1000", "g.m2.s-1.C-2"),
    "S": ("1/1000", "g-1.m-2.s.C2"),
    "F": ("1/1000", "g-1.m-2.s2.C2"),
    "T": ("1000", "g.s-1.C-1"),
    "Bq": ("1", "s-1"),
    "Ci": ("37000000000", "s-1"),
    "Gy": ("1", "m2.s-2"),
    "Sv": ("1", "m2.s-2"),
    "kat": ("602213670000000000000000", "s-1"),
    "U": ("10036894500000000", "s-1"),
    "t": ("1000000", "g"),
    "lm": ("1", "cd"),
    "lx": ("1", "cd.m-2"),
    "m[Hg]": ("133322000", "g.m-1.s-2"),
    "m[H2O]": ("9806650", "g.m-1.s-2"),
    "eV": ("0.000000000000000160217733", "g.m2.s-2"),
    "[iU]": ("1", "[iU]"),
    "[IU]": ("1", "[iU]"),
    "[Amb'a'1'U]": ("1", "[Amb'a'1'U]"),
}
_PLAIN: Mapping[str, tuple[str, str]] = {
    "min": ("60", "s"),
    "h": ("3600", "s"),
    "d": ("86400", "s"),
    "wk": ("604800", "s"),
    "mo": ("2629800", "s"),
    "a": ("31557600", "s"),
    "%": ("1/100", "1"),
    "[ppth]": ("1/1000", "1"),
    "[ppm]": ("1/1000000", "1"),
    "[pi]": ("3.1415926535897932384626433832795028841971693993751058209749445923", "1"),
    "10*": ("10", "1"),
    "10^": ("10", "1"),
    "deg": ("0.0174532925199432957692369076848861271344287188854172545609719144", "rad"),
    "[in_i]": ("0.0254", "m"),
    "[ft_i]": ("0.3048", "m"),
    "[yd_i]": ("0.9144", "m"),
    "[mi_i]": ("1609.344", "m"),
    "[nmi_i]": ("1852", "m"),
    "[in_us]": ("100/3937", "m"),
    "[lb_av]": ("453.59237", "g"),
    "[oz_av]": ("28.349523125", "g"),
    "[gr]": ("0.06479891", "g"),
    "[stone_av]": ("6350.29318", "g"),
    "[gal_us]": ("0.003785411784", "m3"),
    "[qt_us]": ("0.000946352946", "m3"),
    "[pt_us]": ("0.000473176473", "m3"),
    "[foz_us]": ("0.0000295735295625", "m3"),
    "[cup_us]": ("0.0002365882365", "m3"),
    "[tbs_us]": ("0.00001478676478125", "m3"),
    "[tsp_us]": ("0.00000492892159375", "m3"),
    "[car_m]": ("0.2", "g"),
    "[psi]": ("6894757.29316836133672", "g.m-1.s-2"),
    "atm": ("101325000", "g.m-1.s-2"),
    "Ao": ("0.0000000001", "m"),
    "ar": ("100", "m2"),
    "[arb'U]": ("1", "[arb'U]"),
    "[CFU]": ("1", "[CFU]"),
    "[drp]": ("0.00000005", "m3"),
    "[hp_C]": ("1", "[hp_C]"),
}
_TEMPERATURES = {
    "Cel": (Fraction(1), Fraction("273.15")),
    "[degF]": (Fraction(5, 9), Fraction("459.67") * 5 / 9),
}
_PART = re.compile(
    r"(?P<annotation>\{[^{}]*\})|(?P<sign>[./()])|(?P<power>10[*^])(?P<ten>[+-]?\d+)?"
    r"|(?P<number>\d+)(?![*^])"
    r"|(?P<symbol>(?:[^\d.\[\]{}()/+\-\s]|\[[^\[\]]*\])+)(?P<exponent>[+-]?\d+)?"
)
_NEUTRAL = Unit(Fraction(1), ())
MAX_EXPONENT = 30


@lru_cache(maxsize=512)
def unit_of(code: str) -> Unit | None:
    """Return the unit for a UCUM code, or None when there is no such unit."""
    if code in _TEMPERATURES:
        factor, offset = _TEMPERATURES[code]
        return Unit(factor, (("K", 1),), offset)
    parts = parts_of(code)
    if parts is None:
        return None
    parts.reverse()
    unit = _read(parts)
    return unit if unit is not None and not parts else _from_library(code)


def parts_of(code: str) -> list[re.Match[str]] | None:
    """Cut a code into its parts; None when something in it is not UCUM."""
    found, place = [], 0
    while place < len(code):
        match = _PART.match(code, place)
        if match is None:
            return None
        found.append(match)
        place = match.end()
    return found or None


def _read(parts: list[re.Match[str]]) -> Unit | None:
    """Read a term from the end of `parts`; stops before a closing bracket."""
    total, sign = _NEUTRAL, 1
    if parts and parts[-1]["sign"] == "/":
        sign = -1
        parts.pop()
    while parts:
        unit = _component(parts)
        if unit is None:
            return None
        total = Unit(
            total.factor * unit.factor**sign, _merge(total.dimensions, unit.dimensions, sign)
        )
        while parts and parts[-1]["annotation"]:
            parts.pop()
        if not parts or parts[-1]["sign"] == ")":
            break
        operator = parts.pop()["sign"]
        if operator not in (".", "/") or not parts:
            return None
        sign = 1 if operator == "." else -1
    return total


def _component(parts: list[re.Match[str]]) -> Unit | None:
    part = parts.pop()
    if part["annotation"]:
        return _NEUTRAL
    if part["sign"]:
        if part["sign"] != "(":
            return None
        inner = _read(parts)
        if inner is None or not parts or parts.pop()["sign"] != ")":
            return None
        return inner
    if part["number"]:
        value = int(part["number"])
        return Unit(Fraction(value), ()) if value else None
    if part["power"]:
        return _raised(Unit(Fraction(10), ()), part["ten"])
    unit = _atom(part["symbol"])
    return _raised(unit, part["exponent"]) if unit else None


def _raised(unit: Unit, exponent: str | None) -> Unit | None:
    power = int(exponent or 1)
    if abs(power) > MAX_EXPONENT:
        return None
    return Unit(unit.factor**power, tuple((n, e * power) for n, e in unit.dimensions if power))


@lru_cache(maxsize=512)
def _atom(symbol: str) -> Unit | None:
    """Return a unit without exponent, with or without a prefix."""
    plain = _PLAIN.get(symbol)
    if plain is not None:
        return _made(*plain)
    metric = _metric(symbol)
    if metric is not None:
        return metric
    for size in (1, 2):
        ten, rest = _PREFIXES.get(symbol[:size]), _metric(symbol[size:])
        if ten is not None and rest is not None:
            return Unit(rest.factor * Fraction(10) ** ten, rest.dimensions)
    return None


def stem_of(symbol: str) -> str:
    """Return a symbol without its prefix: `mol` for `mmol`; empty for one of no metric unit."""
    for size in (0, 1, 2):
        if (not size or symbol[:size] in _PREFIXES) and _metric(symbol[size:]) is not None:
            return symbol[size:]
    return ""


def _metric(symbol: str) -> Unit | None:
    if symbol in _BASE:
        return Unit(Fraction(1), ((symbol, 1),))
    found = _METRIC.get(symbol)
    return _made(*found) if found else None


def _made(factor: str, of: str) -> Unit:
    dimensions: Dimensions = ()
    for part in of.split(".") if of != "1" else ():
        match = re.fullmatch(r"(.*?[^\d-])(-?\d+)?", part)
        if match is not None:
            dimensions = _merge(dimensions, ((match[1], int(match[2] or 1)),), 1)
    return Unit(Fraction(factor), dimensions)


def _merge(left: Dimensions, right: Dimensions, sign: int) -> Dimensions:
    total = dict(left)
    for name, exponent in right:
        total[name] = total.get(name, 0) + sign * exponent
    return tuple(sorted((n, e) for n, e in total.items() if e))


def _from_library(code: str) -> Unit | None:
    """Ask the library for what the table does not hold; it is loaded by the first such unit."""
    from carepath.fhirpath.values.ucum_library import factor_and_dimensions  # noqa: PLC0415

    found = factor_and_dimensions(code)
    return None if found is None else Unit(*found)
