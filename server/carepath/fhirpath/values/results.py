"""Small collections every function answers with, and what it asks of the ones it gets.

https://hl7.org/fhirpath/#singleton-evaluation-of-collections
"""

from decimal import Decimal
from typing import Any

from carepath.fhirpath.values.failure import Failure
from carepath.fhirpath.values.quantity import Quantity
from carepath.fhirpath.values.types import (
    BOOLEAN,
    DECIMAL,
    INTEGER,
    LONG,
    STRING,
    SYSTEM,
    Item,
    Items,
    system_value,
)

EMPTY: Items = []
TRUE: Items = [(True, SYSTEM["Boolean"])]
FALSE: Items = [(False, SYSTEM["Boolean"])]
OF_TRUTH = {True: TRUE, False: FALSE, None: EMPTY}

NUMBERS = frozenset({INTEGER, LONG, DECIMAL})
MAX_INTEGER = 2**31 - 1
MAX_LONG = 2**63 - 1


def is_integer(value: int) -> bool:
    """Tell whether a number fits into an Integer."""
    return -MAX_INTEGER - 1 <= value <= MAX_INTEGER


def is_long(value: int) -> bool:
    """Tell whether a number fits into a Long."""
    return -MAX_LONG - 1 <= value <= MAX_LONG


def of_truth(value: bool | None) -> Items:
    """Return the collection for a truth value."""
    return OF_TRUTH[value]


def integer(value: int) -> Items:
    """Return an Integer."""
    return [(value, SYSTEM["Integer"])]


def long(value: int) -> Items:
    """Return a Long."""
    return [(value, SYSTEM["Long"])]


def decimal(value: Decimal) -> Items:
    """Return a Decimal."""
    return [(value, SYSTEM["Decimal"])]


def text(value: str) -> Items:
    """Return a String."""
    return [(value, SYSTEM["String"])]


def quantity(value: Quantity) -> Items:
    """Return a Quantity."""
    return [(value, SYSTEM["Quantity"])]


def as_truth(items: Items) -> bool | None:
    """Return the truth of a collection: one item that is no Boolean counts as true."""
    if not items:
        return None
    if len(items) > 1:
        raise Failure(f"expected one item, found {len(items)}", items)
    item = items[0]
    if item[1].kind == BOOLEAN:
        value = system_value(item)
        return value if value is None else bool(value)
    return True


def one(items: Items) -> Item | None:
    """Return the only item, None for none; raises Failure for several."""
    if not items:
        return None
    if len(items) > 1:
        raise Failure(f"expected one item, found {len(items)}", items)
    return items[0]


def one_text(items: Items) -> str | None:
    """Return the only string, None for none; raises Failure for several or another type."""
    item = one(items)
    if item is None:
        return None
    value = item[0]
    if item[1].kind == STRING and isinstance(value, str):
        return value
    if value is None:
        return None
    raise Failure(f"expected a string, found {item[1]!r}", items)


def one_integer(items: Items) -> int | None:
    """Return the only integer, None for none; raises Failure for several or another type."""
    item = one(items)
    if item is None:
        return None
    if item[1].kind in (INTEGER, LONG):
        value = system_value(item)
        return value if value is None else int(value)
    raise Failure(f"expected an integer, found {item[1]!r}", items)


def one_number(items: Items) -> tuple[Any, int] | None:
    """Return the only number and its kind, None for none."""
    item = one(items)
    if item is None:
        return None
    if item[1].kind in NUMBERS:
        value = system_value(item)
        return None if value is None else (value, item[1].kind)
    raise Failure(f"expected a number, found {item[1]!r}", items)
