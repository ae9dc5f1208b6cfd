"""From items to their children, by the FHIR model.

https://hl7.org/fhirpath/#path-selection and https://hl7.org/fhir/R4/fhirpath.html#polymorphism
"""

from collections.abc import Callable, Iterator
from typing import Any

from carepath.fhirpath.values.types import (
    CHOICE,
    COMPLEX,
    COMPUTED,
    MANY,
    PRIMITIVE,
    RESOURCE,
    RESOURCE_OF,
    UNTYPED,
    Access,
    Item,
    Items,
    fhir_type,
    model,
    resource_type,
    sibling,
)

Key = str | tuple[str, str]
"""A member's name, or name and type where `.ofType(T)` follows at once."""


def add_children(item: Item, key: Key, out: Items) -> None:
    """Append the children of one item that go by this name."""
    kind, name, beside, child = item[1].members[key]
    if kind:
        ADDERS[kind](item, name, beside, child, out)


def _add_complex(item: Item, name: str, _: str, child: Any, out: Items) -> None:
    value = item[0].get(name)
    if type(value) is dict:
        out.append((value, child))
    elif type(value) is list:
        out.extend([(each, child) for each in value if type(each) is dict])


def _add_primitive(item: Item, name: str, beside: str, child: Any, out: Items) -> None:
    holder = item[0]
    value = holder.get(name)
    if beside in holder:
        out.extend(_with_siblings(value, holder[beside], child))
    elif type(value) is list:
        out.extend([(each, child) for each in value if each is not None])
    elif value is not None:
        out.append((value, child))


def _with_siblings(value: Any, beside: Any, child: Any) -> Iterator[Item]:
    """Pair the values of a primitive with what stands beside them; either may be null."""
    values = value if isinstance(value, list) else [value]
    siblings = beside if isinstance(beside, list) else [beside]
    for index in range(max(len(values), len(siblings))):
        each = values[index] if index < len(values) else None
        near = siblings[index] if index < len(siblings) else None
        if near is not None:
            yield (each, child, near)
        elif each is not None:
            yield (each, child)


def _add_resources(item: Item, name: str, _: str, __: Any, out: Items) -> None:
    value = item[0].get(name)
    for each in value if isinstance(value, list) else (value,):
        if isinstance(each, dict):
            out.append((each, resource_type(each)))


def _add_resources_of(item: Item, name: str, _: str, wanted: Any, out: Items) -> None:
    value = item[0].get(name)
    if type(value) is dict and value.get("resourceType") == wanted.name:
        out.append((value, wanted))
    elif type(value) is list:
        for each in value:
            if isinstance(each, dict) and each.get("resourceType") == wanted.name:
                out.append((each, wanted))


_FEW = 3


def _add_choice(item: Item, _: str, __: str, typed: dict[str, Access], out: Items) -> None:
    """Append the one member of `value[x]` that is there; its siblings count as well."""
    holder = item[0]
    names = typed if len(typed) <= _FEW else [key.lstrip("_") for key in holder]
    for name in names:
        access = typed.get(name)
        if access is not None and (name in holder or access[2] in holder):
            kind, property_, beside, child = access
            ADDERS[kind](item, property_, beside, child, out)
            return


def _add_computed(item: Item, _: str, __: str, getter: Callable[[Item], Items], out: Items) -> None:
    out.extend(getter(item))


ADDERS: dict[int, Callable[[Item, str, str, Any, Items], None]] = {
    COMPLEX: _add_complex,
    PRIMITIVE: _add_primitive,
    RESOURCE: _add_resources,
    RESOURCE_OF: _add_resources_of,
    CHOICE: _add_choice,
    COMPUTED: _add_computed,
}


_OF_PRIMITIVES = ("id", "extension", "value")


def all_children(item: Item) -> Iterator[tuple[str, Item]]:
    """Yield every child of an item with its name, in the order of the JSON."""
    value, type_ = item[0], item[1]
    if type_.primitive:
        if type_.namespace == "FHIR":
            yield from _named(item, ("value",) if sibling(item) is None else _OF_PRIMITIVES)
    elif isinstance(value, dict):
        yield from _named(item, _names(value, type_))


def _names(value: dict[str, Any], type_: Any) -> Iterator[str]:
    """Yield the FHIRPath names of the properties that are there, each once."""
    if type_ is UNTYPED:
        yield from value
        return
    known = model().type_of(type_.name)
    seen = set()
    for key in value if known else ():
        element = known.elements.get(key.lstrip("_"))
        name = (element.choice or element.name) if element else None
        if name and name not in seen:
            seen.add(name)
            yield name


def _named(item: Item, names: Any) -> Iterator[tuple[str, Item]]:
    for name in names:
        found: Items = []
        add_children(item, name, found)
        for child in found:
            yield name, child


def spread(item: Item) -> Items:
    """Return the items of a focus: usually itself, or the several it stands for."""
    return list(item[0]) if item[1] is MANY else [item]


def many(items: Items) -> Item:
    """Return one focus for a collection."""
    return items[0] if len(items) == 1 else (items, MANY)


def typed(value: Any, name: str) -> Item:
    """Return the item for a FHIR value whose type is known by name."""
    return (value, fhir_type(name))
