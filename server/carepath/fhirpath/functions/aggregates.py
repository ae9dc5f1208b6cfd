"""Sum, average, least and greatest of a collection.

https://build.fhir.org/ig/HL7/FHIRPath/#aggregates

All items are of one type.  What is not known, a value that is missing or two that cannot be
compared, leaves the whole unknown: a sum of the rest would be a silent zero for it.
"""

from decimal import Decimal

from carepath.fhirpath.functions.row import ITEM, Function, Table
from carepath.fhirpath.functions.table import plain
from carepath.fhirpath.values.arithmetic import add, divide
from carepath.fhirpath.values.comparison import order
from carepath.fhirpath.values.context import Context
from carepath.fhirpath.values.failure import Failure
from carepath.fhirpath.values.results import EMPTY, NUMBERS, decimal, integer, long
from carepath.fhirpath.values.types import (
    BOOLEAN,
    LONG,
    OBJECT,
    QUANTITY,
    Item,
    Items,
    item_of,
    system_value,
)


def _are_known(items: Items, kinds: frozenset[int], name: str) -> bool:
    """Tell whether all items have a value; raises Failure for unlike types, or one not fit."""
    for item in items:
        if item[1].kind not in kinds:
            raise Failure(f"`{name}()` does not apply to {item[1]!r}", items)
        if item[1].kind != items[0][1].kind:
            both = f"{items[0][1]!r} and {item[1]!r}"
            raise Failure(f"`{name}()` takes items of one type, found {both}", items)
    return all(system_value(item) is not None for item in items)


_MEASURES = NUMBERS | {QUANTITY}
_ORDERED = frozenset(range(10)) - {OBJECT, BOOLEAN}


def _sum(context: Context, items: Items) -> Items:
    return _added(context, items) if _are_known(items, _MEASURES, "sum") else EMPTY


def _added(context: Context, items: Items) -> Items:
    """Return the sum as a System value, whatever the items are."""
    total = [_plain(item) for item in items[:1]]
    for item in items[1:]:
        total = add(context, total, [item])
    return total


def _plain(item: Item) -> Item:
    value = system_value(item)
    found = item_of(value)
    is_long = found is not None and item[1].kind == LONG
    return long(value)[0] if is_long or found is None else found


def _extreme(name: str, wanted: int) -> Function:
    """A row for the least (`wanted` -1) or greatest (1) item."""

    def evaluate(_: Context, items: Items) -> Items:
        if not _are_known(items, _ORDERED, name):
            return EMPTY
        found = items[:1]
        for item in items[1:]:
            place = order(item, found[0])
            if place is None:
                return EMPTY
            if place == wanted:
                found = [item]
        return found

    return plain(evaluate, gives=ITEM)


def _avg(context: Context, items: Items) -> Items:
    if not items or not _are_known(items, _MEASURES, "avg"):
        return EMPTY
    is_number = items[0][1].kind in NUMBERS
    addends = [decimal(Decimal(system_value(i)))[0] for i in items] if is_number else items
    return divide(context, _added(context, addends), integer(len(items)))


FUNCTIONS: Table = {
    "sum": plain(_sum),
    "avg": plain(_avg),
    "min": _extreme("min", -1),
    "max": _extreme("max", 1),
}
