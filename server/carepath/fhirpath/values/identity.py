"""Which items are the same: found by identity and by name before anything is compared as a whole.

https://hl7.org/fhirpath/#equals

Equal resources have the same type and the same id.  So of a thousand resources only those with
the name of the one that is looked for have to be compared with it.
"""

from typing import Any

from carepath.fhirpath.values.comparison import equal_items, key_of
from carepath.fhirpath.values.context import Context
from carepath.fhirpath.values.results import EMPTY
from carepath.fhirpath.values.types import Item, Items

_FEW = 8
"""So many items are looked through faster than an index is made of them."""

Name = tuple[str, str] | None


def holds(context: Context, items: Items, wanted: Item) -> bool:
    """Tell whether a collection has an item that is equal to the one wanted."""
    value, type_ = wanted[0], wanted[1]
    if type(value) is not dict:
        context.spend_on(len(items))
        return any(equal_items(wanted, each) for each in items)
    if len(items) <= _FEW:
        candidates = items
    else:
        candidates = _by_name(context, items).get(_name_of(wanted), EMPTY)
        context.spend_on(len(candidates))
    for each in candidates:
        if each[0] is value and each[1] is type_:
            return True
    return any(equal_items(wanted, each) for each in candidates)


def distinct(items: Items) -> Items:
    """Return the items without those that equal an earlier one."""
    if len(items) < 2:  # noqa: PLR2004 - nothing to compare
        return items
    names = set(map(_name_of, items))
    if len(names) == len(items) and None not in names:
        return items
    seen: dict[Any, Item] = {}
    for item in items:
        seen.setdefault(key_of(item), item)
    return list(seen.values())


def among(items: Items, others: Items, *, wanted: bool) -> Items:
    """Return the items that equal one of the others, or those that equal none of them."""
    if not items or not others:
        return [] if wanted else items
    once = {id(other[0]): other for other in others}.values()
    by_name = {_name_of(other): other for other in once}
    if None in by_name or len(by_name) < len(once):
        keys = set(map(key_of, others))
        return [item for item in items if (key_of(item) in keys) is wanted]
    return [item for item in items if _is_same(item, by_name.get(_name_of(item))) is wanted]


def _is_same(item: Item, other: Item | None) -> bool:
    return other is not None and (item[0] is other[0] or equal_items(item, other) is True)


def _by_name(context: Context, items: Items) -> dict[Name, Items]:
    """Return the items by their name; made once for a collection, which never changes."""
    known = context.cache.get(id(items))
    if known is None:
        context.spend(len(items))
        found: dict[Name, Items] = {}
        for item in items:
            found.setdefault(_name_of(item), []).append(item)
        # The collection is kept with its index, so that no other one can get its `id()`.
        known = context.cache[id(items)] = (items, found)
    index: dict[Name, Items] = known[1]
    return index


def _name_of(item: Item) -> Name:
    """Return type and id of a whole resource, None for anything else."""
    value = item[0]
    if type(value) is not dict:
        return None
    type_, id_ = value.get("resourceType"), value.get("id")
    return (type_, id_) if type(type_) is str and type(id_) is str else None
