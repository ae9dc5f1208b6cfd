"""How to get from a type to each of its children, worked out once for each name.

https://hl7.org/fhir/R4/fhirpath.html#polymorphism
"""

from collections.abc import Callable
from typing import Any

from carepath.fhirpath.values.access import add_children
from carepath.fhirpath.values.failure import Failure
from carepath.fhirpath.values.types import (
    CHOICE,
    COMPLEX,
    COMPUTED,
    MANY,
    NO_ACCESS,
    PRIMITIVE,
    RESOURCE,
    RESOURCE_OF,
    SYSTEM,
    UNTYPED,
    Access,
    Item,
    Items,
    Members,
    TypeInfo,
    fhir_type,
    fits,
    item_of,
    model,
    sibling,
    system_value,
)


def access_to(owner: TypeInfo, key: str | tuple[str, str]) -> Access:
    """Return how to get the member `name`, or with a key `(name, type)` only those of the type."""
    if isinstance(key, str):
        return _access(owner, key)
    return _access_of_type(owner.members[key[0]], *key)


def _access_of_type(access: Access, name: str, wanted: str) -> Access:
    """Return how to get only the children of one type."""
    kind, property_, _, child = access
    if kind == CHOICE:
        fitting = {n: a for n, a in child.items() if fits(a[3], wanted)}
        return next(iter(fitting.values())) if len(fitting) == 1 else (kind, name, "", fitting)
    if kind == RESOURCE and wanted.rpartition(".")[2] in model().RESOURCE_TYPES:
        return (RESOURCE_OF, property_, "", fhir_type(wanted.rpartition(".")[2]))
    if kind in (COMPLEX, PRIMITIVE):
        return access if fits(child, wanted) else NO_ACCESS
    if kind in (RESOURCE, COMPUTED):
        return (COMPUTED, property_, "", _only(access, name, wanted))
    return NO_ACCESS


def _only(access: Access, name: str, wanted: str) -> Callable[[Item], Items]:
    def get(item: Item) -> Items:
        found: Items = []
        add_children(item, name, found)
        return [each for each in found if fits(each[1], wanted)]

    return get


def _access(owner: TypeInfo, name: str) -> Access:
    if owner is MANY:
        return (COMPUTED, name, "", _member_of_each(name))
    if owner.namespace == "System":
        getter = _SYSTEM_MEMBERS.get((owner.name, name))
        return (COMPUTED, name, "", getter) if getter else NO_ACCESS
    if owner is UNTYPED:
        return (COMPUTED, name, "", _untyped_member(name))
    if owner.primitive:
        getter = _PRIMITIVE_MEMBERS.get(name)
        return (COMPUTED, name, "", getter) if getter else NO_ACCESS
    type_ = model().type_of(owner.name)
    if type_ is None:
        return NO_ACCESS
    if name in type_.choices:
        return (CHOICE, name, "", {e.name: _element_access(e) for e in type_.choices[name]})
    element = type_.elements.get(name)
    if element is None:
        return NO_ACCESS
    if element.choice:
        # An empty result here would be a silent "no": the element is named without its type.
        raise Failure(f"`{name}` is written `{element.choice}.ofType({element.type})` in FHIRPath")
    return _element_access(element)


def _member_of_each(name: str) -> Callable[[Item], Items]:
    """Return the getter for a focus of several items."""

    def get(focus: Item) -> Items:
        found: Items = []
        for item in focus[0]:
            if name in item[1].ancestors and name[:1].isupper():
                found.append(item)
            else:
                add_children(item, name, found)
        return found

    return get


def _element_access(element: Any) -> Access:
    type_ = fhir_type(element.type)
    if type_.primitive:
        return (PRIMITIVE, element.name, "_" + element.name, type_)
    if element.type in ("Resource", "DomainResource"):
        return (RESOURCE, element.name, "", type_)
    return (COMPLEX, element.name, "", type_)


def _sibling_member(name: str, child: str) -> Callable[[Item], Items]:
    def get(item: Item) -> Items:
        beside = sibling(item)
        value = beside.get(name) if isinstance(beside, dict) else None
        if value is None:
            return []
        type_ = fhir_type(child)
        return [(each, type_) for each in value] if isinstance(value, list) else [(value, type_)]

    return get


def _primitive_value(item: Item) -> Items:
    value = system_value(item)
    found = None if value is None else item_of(value)
    return [found] if found else []


def _untyped_member(name: str) -> Callable[[Item], Items]:
    """Read a property of an object without a type; its own type is guessed from the value."""

    def get(item: Item) -> Items:
        value = item[0].get(name) if isinstance(item[0], dict) else None
        each = value if isinstance(value, list) else [value]
        return [found for one in each if (found := item_of(one))]

    return get


def _field(name: str, type_: str) -> Callable[[Item], Items]:
    def get(item: Item) -> Items:
        value = item[0]
        found = value.get(name) if isinstance(value, dict) else getattr(value, name)
        return [(found, SYSTEM[type_])]

    return get


_PRIMITIVE_MEMBERS: dict[str, Callable[[Item], Items]] = {
    "extension": _sibling_member("extension", "Extension"),
    "id": _sibling_member("id", "string"),
    "value": _primitive_value,
}


_SYSTEM_MEMBERS: dict[tuple[str, str], Callable[[Item], Items]] = {
    ("Quantity", "value"): _field("value", "Decimal"),
    ("Quantity", "unit"): _field("unit", "String"),
    ("TypeInfo", "namespace"): _field("namespace", "String"),
    ("TypeInfo", "name"): _field("name", "String"),
    ("TypeInfo", "baseType"): _field("baseType", "String"),
}

Members.look_up = access_to
