"""Comparisons that are never true, whatever the data hold, told from the types of both sides.

https://hl7.org/fhirpath/#equality and https://hl7.org/fhirpath/#comparison
"""

from collections.abc import Mapping

from carepath.fhirpath.checking.static_types import Kinds, info, listed
from carepath.fhirpath.values.types import (
    BOOLEAN,
    DATE,
    DATE_TIME,
    DECIMAL,
    INTEGER,
    LONG,
    OBJECT,
    QUANTITY,
)

_ALIKE: Mapping[int, int] = {INTEGER: DECIMAL, LONG: DECIMAL, QUANTITY: DECIMAL, DATE: DATE_TIME}
"""Kinds that can be equal to each other; a number becomes a quantity beside one."""
_EQUALITY = frozenset({"=", "!=", "~", "!~", "in", "contains"})
_ORDER = frozenset({"<", "<=", ">", ">="})
_UNORDERED = frozenset({BOOLEAN, OBJECT})


def never_compares(operator: str, left: Kinds, right: Kinds) -> str | None:
    """Return why a comparison cannot come out as somebody hopes, None when it may."""
    if operator not in _EQUALITY and operator not in _ORDER:
        return None
    if left.types is None or right.types is None:
        return None
    if not (left.types and right.types):
        return _beside_nothing(operator)
    ours, theirs = _families(left.types), _families(right.types)
    if operator in _ORDER and not (ours & theirs) - _UNORDERED:
        return f"{listed(left.types)} and {listed(right.types)} have no order"
    if not ours & theirs:
        return f"{listed(left.types)} is never equal to {listed(right.types)}"
    return None


def _beside_nothing(operator: str) -> str | None:
    if operator in ("in", "contains", "~", "!~"):
        return None
    return "beside `{}` it is always empty; whether there is anything is asked with `exists()`"


def _families(types: frozenset[str]) -> frozenset[int]:
    kinds = (info(name).kind for name in types)
    return frozenset(_ALIKE.get(kind, kind) for kind in kinds)
