"""Equality, equivalence and order.

https://hl7.org/fhirpath/#equality and https://hl7.org/fhirpath/#comparison
"""

import re
from collections.abc import Hashable
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from carepath.fhirpath.values.failure import Failure
from carepath.fhirpath.values.quantity import (
    UCUM_OF,
    Alike,
    Quantity,
    compare_quantities,
    converted,
    in_base_units,
    size_of,
)
from carepath.fhirpath.values.results import NUMBERS
from carepath.fhirpath.values.temporal import Moment, compare
from carepath.fhirpath.values.types import (
    BOOLEAN,
    OBJECT,
    QUANTITY,
    STRING,
    TIME,
    Item,
    Items,
    system_value,
)

_WHITE_SPACE = re.compile(r"[\t\r\n]")


def equal(left: Items, right: Items) -> bool | None:
    """Return whether two collections are equal, item by item; None when either is empty."""
    if not left or not right:
        return None
    if len(left) != len(right):
        return False
    answer: bool | None = True
    for ours, theirs in zip(left, right, strict=True):
        same = equal_items(ours, theirs)
        if same is False:
            return False
        if same is None:
            answer = None
    return answer


def equal_items(left: Item, right: Item) -> bool | None:
    """Return whether two items are equal; None when what is known does not decide it."""
    ours_type, theirs_type = left[1], right[1]
    ours, theirs = left[0], right[0]
    if ours_type.kind == theirs_type.kind == STRING and ours is not None and theirs is not None:
        return bool(ours == theirs)
    if OBJECT in (ours_type.kind, theirs_type.kind):
        return _same_object(left, right)
    if ours_type.convert:
        ours = ours_type.convert(ours)
    if theirs_type.convert:
        theirs = theirs_type.convert(theirs)
    if ours is None or theirs is None:
        return _same_without_value(left, right)
    return _equal_values(ours, ours_type.kind, theirs, theirs_type.kind)


def _equal_values(ours: Any, our_kind: int, theirs: Any, their_kind: int) -> bool | None:
    if isinstance(ours, Moment) and isinstance(theirs, Moment):
        if (our_kind == TIME) is not (their_kind == TIME):
            return False
        order = compare(ours, theirs)
        return None if order is None else order == 0
    if QUANTITY in (our_kind, their_kind):
        pair = _as_quantities(ours, our_kind, theirs, their_kind)
        order = compare_quantities(*pair) if pair else None
        return False if pair is None else None if order is None else order == 0
    if (our_kind in NUMBERS) is not (their_kind in NUMBERS):
        return False
    return (our_kind == their_kind or our_kind in NUMBERS) and bool(ours == theirs)


def _same_object(left: Item, right: Item) -> bool:
    if left[1].kind != right[1].kind:
        return False
    return left[0] is right[0] or (
        bool(left[0] == right[0]) and left[1].namespace == right[1].namespace
    )


def _same_without_value(left: Item, right: Item) -> bool | None:
    """Compare items of which one has no usable value: equal only when they are the same JSON."""
    if left[1] is right[1] and left[0] == right[0] and left[2:3] == right[2:3]:
        return True
    return None


def _as_quantities(
    ours: Any, our_kind: int, theirs: Any, their_kind: int
) -> tuple[Quantity, Quantity] | None:
    """Return both as quantities; a number counts as one without a unit."""
    pair = (_as_quantity(ours, our_kind), _as_quantity(theirs, their_kind))
    return (pair[0], pair[1]) if pair[0] and pair[1] else None


def _as_quantity(value: Any, kind: int) -> Quantity | None:
    if kind == QUANTITY and isinstance(value, Quantity):
        return value
    return Quantity(Decimal(value)) if kind in NUMBERS else None


def order(left: Item, right: Item) -> int | None:
    """Return -1, 0 or 1, or None when it is not decided; raises Failure for unlike types."""
    our_kind, their_kind = left[1].kind, right[1].kind
    ours, theirs = system_value(left), system_value(right)
    if ours is None or theirs is None:
        return None
    if our_kind in NUMBERS and their_kind in NUMBERS:
        return int(ours > theirs) - int(ours < theirs)
    if isinstance(ours, str) and isinstance(theirs, str):
        return (ours > theirs) - (ours < theirs)
    if isinstance(ours, Moment) and isinstance(theirs, Moment):
        if (our_kind == TIME) is (their_kind == TIME):
            return compare(ours, theirs)
    elif QUANTITY in (our_kind, their_kind):
        pair = _as_quantities(ours, our_kind, theirs, their_kind)
        if pair:
            return compare_quantities(*pair)
    raise Failure(f"{left[1]!r} cannot be compared with {right[1]!r}", [left, right])


def equivalent(left: Items, right: Items) -> bool:
    """Return whether two collections mean the same, in any order; never empty."""
    if len(left) != len(right):
        return False
    rest = list(right)
    for ours in left:
        for index, theirs in enumerate(rest):
            if equivalent_items(ours, theirs):
                del rest[index]
                break
        else:
            return False
    return True


def equivalent_items(left: Item, right: Item) -> bool:
    """Return whether two items mean the same: case, spaces and trailing digits aside."""
    our_kind, their_kind = left[1].kind, right[1].kind
    if OBJECT in (our_kind, their_kind):
        return our_kind == their_kind and _equivalent_json(left[0], right[0])
    ours, theirs = system_value(left), system_value(right)
    if ours is None or theirs is None:
        return left[0] == right[0] and left[2:3] == right[2:3]
    if isinstance(ours, str) and isinstance(theirs, str):
        return _folded(ours) == _folded(theirs)
    if our_kind in NUMBERS and their_kind in NUMBERS:
        return _about(Decimal(ours), Decimal(theirs))
    if isinstance(ours, Moment) and isinstance(theirs, Moment):
        return (our_kind == TIME) is (their_kind == TIME) and compare(ours, theirs) == 0
    if QUANTITY in (our_kind, their_kind):
        pair = _as_quantities(ours, our_kind, theirs, their_kind)
        return pair is not None and _equivalent_quantities(*pair)
    return our_kind == their_kind == BOOLEAN and bool(ours == theirs)


def _equivalent_quantities(left: Quantity, right: Quantity) -> bool:
    """Compare in the larger of the two units, whichever side it is on; years count as `a` here."""
    if left.unit == right.unit:
        return _about(left.value, right.value)
    larger = max(left, right, key=lambda each: (size_of(each), each.unit))
    unit = UCUM_OF[larger.unit] if larger.calendar else larger.unit
    ours, theirs = (_value_in(unit, each) for each in (left, right))
    return ours is not None and theirs is not None and _about(ours, theirs)


def _value_in(unit: str, quantity: Quantity) -> Decimal | None:
    own = UCUM_OF[quantity.unit] if quantity.calendar else quantity.unit
    return quantity.value if own == unit else converted(quantity, unit)


def _about(left: Decimal, right: Decimal) -> bool:
    """Compare rounded to the digits of the less precise of the two."""
    digits = min(_digits(left), _digits(right))
    unit = Decimal(1).scaleb(-digits)
    try:
        return left.quantize(unit, ROUND_HALF_UP) == right.quantize(unit, ROUND_HALF_UP)
    except ArithmeticError:
        return left == right


def _digits(value: Decimal) -> int:
    exponent = value.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def _folded(text: str) -> str:
    """Return what equivalent strings share: each white space counts as any other, one for one."""
    return _WHITE_SPACE.sub(" ", text).casefold()


def _equivalent_json(left: Any, right: Any) -> bool:
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(
            _equivalent_json(left[key], right[key]) for key in left
        )
    if isinstance(left, list) and isinstance(right, list):
        rest = list(right)
        for ours in left:
            found = next((t for t in rest if _equivalent_json(ours, t)), None)
            if found is None:
                return False
            rest.remove(found)
        return not rest
    if isinstance(left, str) and isinstance(right, str):
        return _folded(left) == _folded(right)
    return type(left) is type(right) and bool(left == right)


def key_of(item: Item) -> Hashable:
    """Return a key that is the same for equal items, so that duplicates are found in one pass."""
    type_ = item[1]
    if type_.kind == OBJECT:
        return (OBJECT, _frozen(item[0]))
    value = system_value(item)
    if value is None:
        return (type_.name, _frozen(item[0]), _frozen(item[2:3]))
    if type_.kind in NUMBERS:
        return ("number", value)
    if isinstance(value, Moment):
        return (type_.kind == TIME, value.precision, value.offset is None, value.utc())
    if isinstance(value, Quantity):
        base = in_base_units(value)
        return ("number", base[0]) if base and not base[1] else Alike(value, base)
    return (type_.kind, value)


def _frozen(value: Any) -> Hashable:
    if isinstance(value, dict):
        return frozenset((key, _frozen(each)) for key, each in value.items())
    if isinstance(value, list | tuple):
        return tuple(_frozen(each) for each in value)
    return (type(value).__name__, value) if isinstance(value, bool) else value
