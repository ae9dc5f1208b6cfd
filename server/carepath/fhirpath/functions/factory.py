"""`%factory`: making FHIR values inside an expression.

https://hl7.org/fhir/fhirpath.html#factory
"""

from typing import Any

from carepath.fhirpath.functions.making import with_element, written
from carepath.fhirpath.functions.row import Function, Table
from carepath.fhirpath.functions.table import plain
from carepath.fhirpath.values.context import Context
from carepath.fhirpath.values.failure import Failure
from carepath.fhirpath.values.results import EMPTY, one, one_text
from carepath.fhirpath.values.types import (
    FACTORY,
    Item,
    Items,
    fhir_type,
    model,
    sibling,
)

_PRIMITIVES = [
    "boolean",
    "integer",
    "positiveInt",
    "unsignedInt",
    "decimal",
    "string",
    "markdown",
    "code",
    "id",
    "uri",
    "url",
    "canonical",
    "oid",
    "uuid",
    "base64Binary",
    "date",
    "dateTime",
    "instant",
    "time",
]


def _primitive(type_: str) -> Function:
    def evaluate(_: Context, items: Items, value: Items, extensions: Items = EMPTY) -> Items:
        _on_factory(items)
        item = one(value)
        if item is None and not extensions:
            return []
        value_of = None if item is None else written(item)
        return [_extended((value_of, fhir_type(type_)), extensions)]

    return plain(evaluate, 1, 2)


def _extended(item: Item, extensions: Items) -> Item:
    """Return an item with more extensions: inside an object, beside a primitive."""
    if not extensions:
        return item
    holder = sibling(item) if item[1].primitive else item[0]
    known = holder.get("extension") if isinstance(holder, dict) else None
    before = known if isinstance(known, list) else []
    more = {"extension": [*before, *(extension[0] for extension in extensions)]}
    holder = {**(holder if isinstance(holder, dict) else {}), **more}
    return (item[0], item[1], holder) if item[1].primitive else (holder, item[1])


def _object(type_: str, names: str, least: int) -> Function:
    """A row for an object whose arguments are the elements `names`, in their order."""
    elements = names.split()

    def evaluate(_: Context, items: Items, *arguments: Items) -> Items:
        _on_factory(items)
        made: dict[str, Any] = {}
        for name, argument in zip(elements, arguments, strict=False):
            if argument:
                _put(made, name, argument)
        return [(made, fhir_type(type_))]

    return plain(evaluate, least, len(elements))


def _put(made: dict[str, Any], name: str, argument: Items) -> None:
    """Set one element: `coding*` is a list, `value[x]` is named after the type it gets.

    What stands beside primitives goes into the property that FHIR has for it.
    """
    is_list = name.endswith("*")
    bare = name.removesuffix("*").removesuffix("[x]")
    if name.endswith("[x]"):
        type_ = argument[0][1].name
        bare += type_[:1].upper() + type_[1:]
    values = [written(item) for item in argument]
    beside = [sibling(item) if item[1].primitive else None for item in argument]
    if any(value is not None for value in values):
        made[bare] = values if is_list else values[0]
    if any(beside):
        made[f"_{bare}"] = beside if is_list else beside[0]


def _on_factory(items: Items) -> None:
    if not items or items[0][1] is not FACTORY:
        raise Failure("this function belongs to `%factory`", items)


def _create(_: Context, items: Items, type_: Items) -> Items:
    _on_factory(items)
    item = one(type_)
    if item is not None and model().type_of(str(item[0])) is None:
        raise Failure("there is no such type in FHIR R4", type_)
    return [] if item is None else [({}, fhir_type(str(item[0])))]


def _with_extension(_: Context, items: Items, instance: Items, url: Items, value: Items) -> Items:
    """Return a copy of a value with one extension more."""
    _on_factory(items)
    item, named = one(instance), one_text(url)
    if item is None or named is None:
        return []
    extension: dict[str, Any] = {"url": named}
    if value:
        _put(extension, "value[x]", value)
    return [_extended(_in_fhir(item), [(extension, fhir_type("Extension"))])]


def _in_fhir(item: Item) -> Item:
    """Return a System value as the FHIR primitive that it is written as."""
    if item[1].namespace == "FHIR":
        return item
    name = item[1].name
    return (written(item), fhir_type(name[:1].lower() + name[1:]))


def _with_property(_: Context, items: Items, instance: Items, name: Items, value: Items) -> Items:
    """Return a copy of an object with an element set, or with one more where it repeats."""
    _on_factory(items)
    item, named = one(instance), one_text(name)
    if item is None or named is None:
        return []
    if item[1].primitive or not isinstance(item[0], dict):
        raise Failure(f"{item[1]!r} has no properties to set", instance)
    return [(with_element(item[0], item[1], named, value), item[1])]


_OBJECTS: dict[str, tuple[str, int]] = {
    "Extension": ("url value[x]", 2),
    "Identifier": ("system value use type", 2),
    "HumanName": ("family given* prefix* suffix* text use", 1),
    "ContactPoint": ("system value use", 2),
    "Address": ("line* city state postalCode country use type", 1),
    "Quantity": ("system code value unit", 3),
    "Coding": ("system code display version", 2),
    "CodeableConcept": ("coding* text", 1),
}
FUNCTIONS: Table = {
    **{name: _primitive(name) for name in _PRIMITIVES},
    **{name: _object(name, *row) for name, row in _OBJECTS.items()},
    "create": plain(_create, 1),
    "withExtension": plain(_with_extension, 3),
    "withProperty": plain(_with_property, 3),
}
