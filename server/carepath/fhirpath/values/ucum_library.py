"""The whole of UCUM, by the library `ucumvert`, for the rare units the table does not hold.

https://ucum.org/ucum and https://github.com/dalito/ucumvert
"""

import re
from fractions import Fraction
from functools import cache
from importlib import import_module
from threading import Lock
from typing import Any

Dimensions = tuple[tuple[str, int], ...]

# What the library counts in, in the base units of UCUM.
_BASE: dict[str, tuple[Fraction, Dimensions]] = {
    "meter": (Fraction(1), (("m", 1),)),
    "kilogram": (Fraction(1000), (("g", 1),)),
    "second": (Fraction(1), (("s", 1),)),
    "kelvin": (Fraction(1), (("K", 1),)),
    "radian": (Fraction(1), (("rad", 1),)),
    "candela": (Fraction(1), (("cd", 1),)),
    "ampere": (Fraction(1), (("C", 1), ("s", -1))),
    "mole": (Fraction(602213670000000000000000), ()),
}
_LONGEST = 60
_HUGE_POWER = re.compile(r"[^\d.(/]\d{3,}")
"""The library works it out to the last digit, and nobody can stop it."""
_ALONE = Lock()
"""Two threads that load the library at once find half of it."""


@cache
def _registry() -> Any:
    return import_module("ucumvert").PintUcumRegistry()


def factor_and_dimensions(code: str) -> tuple[Fraction, Dimensions] | None:
    """Return one of a unit in UCUM base units; None for what is no unit, or none with a factor."""
    if len(code) > _LONGEST or not code.isascii() or _HUGE_POWER.search(code):
        return None
    refusals = (
        import_module("ucumvert.parser").InvalidUcumError,
        import_module("lark.exceptions").LarkError,
        import_module("pint").PintError,
        ArithmeticError,
        AttributeError,
        TypeError,
        ValueError,
    )
    try:
        with _ALONE:
            registry = _registry()
        base = (1 * registry.from_ucum(code)).to_base_units()
        factor = Fraction(str(base.magnitude))
        powers = [(name, int(power)) for name, power in base.units._units.items()]
    except refusals:
        return None
    dimensions: dict[str, int] = {}
    for name, power in powers:
        scale, parts = _BASE.get(name, (Fraction(1), ((name, 1),)))
        factor *= scale**power
        for part, each in parts:
            dimensions[part] = dimensions.get(part, 0) + each * power
    return factor, tuple(sorted((n, e) for n, e in dimensions.items() if e))
