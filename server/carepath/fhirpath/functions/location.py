"""Where an item stands in the resource that was handed in.

https://build.fhir.org/ig/HL7/FHIRPath/#fn-pathname

An item knows the path it was reached by while it is traced, so an expression that asks is traced as
a whole.  The path is followed again from the root: what is not found at its end, such as a value
that was computed or a resource from elsewhere, has no place.
"""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from carepath.fhirpath.functions.row import A_STRING, Table
from carepath.fhirpath.functions.table import plain
from carepath.fhirpath.syntax.text import name_of
from carepath.fhirpath.values.access import add_children
from carepath.fhirpath.values.context import Context
from carepath.fhirpath.values.evidence import evidence_of, place_of
from carepath.fhirpath.values.results import one, text
from carepath.fhirpath.values.standard_variables import STANDARD
from carepath.fhirpath.values.types import MANY, Item, Items, resource_type, sibling, system_value

_STEP = re.compile(r"\.([^.\[]+)(?:\[(\d+)\])?")


class _Spot(NamedTuple):
    """An item and how it is reached: with all indexes, and with those that a list needs."""

    item: Item
    long: str
    short: str


def _pathname(context: Context, items: Items, short: Items | None = None) -> Items:
    wanted = one(short) if short is not None else None
    is_short = wanted is not None and system_value(wanted) is True
    found: Items = []
    for item in items:
        spot = next(_spots_of(context, item), None)
        if spot is not None:
            found += text(spot.short if is_short else spot.long)
    return found


def _spots_of(context: Context, item: Item) -> Iterator[_Spot]:
    """Yield the places in the root where this very item stands."""
    for place in evidence_of(item)[:1]:
        steps = _STEP.findall(place.path)
        for resource in _resources(context).get(place.resource, ()):
            context.spend(len(steps))
            for spot in _followed(resource, steps):
                if _is_same(spot.item, item):
                    yield spot


def _followed(start: _Spot, steps: list[tuple[str, str]]) -> Iterator[_Spot]:
    """Yield what stands at the end of a path; a step without an index may lead to several."""
    if not steps:
        yield start
        return
    (name, index), *rest = steps
    for number, spot in enumerate(_children(start, name)):
        if not index or number == int(index):
            yield from _followed(spot, rest)


def _children(parent: _Spot, name: str) -> list[_Spot]:
    item = parent.item
    children: Items = []
    add_children(item, name, children)
    step = f".{name_of(name)}"
    long, short, is_list = parent.long + step, parent.short + step, _is_list(item, name)
    return [
        _Spot(child, f"{long}[{index}]", f"{short}[{index}]" if is_list else short)
        for index, child in enumerate(children)
    ]


def _is_list(item: Item, name: str) -> bool:
    """Tell whether the children of a name are a list; those of a primitive stand beside it."""
    if item[1].primitive:
        holder, key = sibling(item), name
    else:
        holder, key = item[0], item[1].members[name][1]
    return isinstance(holder, dict) and isinstance(holder.get(key), list)


def _is_same(spot: Item, item: Item) -> bool:
    if isinstance(spot[0], dict):
        return spot[0] is item[0]
    return spot[1] is item[1] and bool(spot[0] == item[0])


def _resources(context: Context) -> dict[str, list[_Spot]]:
    """Return the root and the resources inside of it, by the names that evidence gives them."""
    found: dict[str, list[_Spot]] | None = context.cache.get(_RESOURCES)
    if found is None:
        found = context.cache[_RESOURCES] = {}
        for root in STANDARD["rootResource"](context):
            if root[1] is not MANY and isinstance(root[0], dict) and "resourceType" in root[0]:
                name = root[1].name
                for spot in _inside(context, _Spot(root, name, name)):
                    found.setdefault(place_of(spot.item).resource, []).append(spot)
    return found


_RESOURCES = id(_resources)


def _inside(context: Context, spot: _Spot) -> Iterator[_Spot]:
    """Yield a resource and those below it."""
    yield spot
    stack: list[tuple[Any, str, str]] = [
        (value, f"{spot.long}.{name}", f"{spot.short}.{name}")
        for name, value in reversed(spot.item[0].items())
    ]
    while stack:
        context.spend(1)
        value, long, short = stack.pop()
        is_list = isinstance(value, list)
        for index, each in enumerate(value if is_list else [value]):
            if not isinstance(each, dict):
                continue
            at = (f"{long}[{index}]", f"{short}[{index}]" if is_list else short)
            if "resourceType" in each:
                yield from _inside(context, _Spot((each, resource_type(each)), *at))
            else:
                stack += [(inner, f"{at[0]}.{n}", f"{at[1]}.{n}") for n, inner in each.items()]


FUNCTIONS: Table = {
    "pathname": plain(_pathname, 0, 1, gives=A_STRING)._replace(needs_places=True),
}
