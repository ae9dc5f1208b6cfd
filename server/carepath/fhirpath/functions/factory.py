"""`%factory`: making FHIR values inside an expression.

https://hl7.org/fhir/fhirpath.html#factory
"""

from typing import Any

from carepath.fhirpath.functions.row import Function, Table
from carepath.fhirpath.functions.table import plain
from carepath.fhirpath.values.context import Context
from carepath.fhirpath.values.failure import Failure
from carepath.fhirpath.values.results import one
from carepath.fhirpath.values.types import FACTORY, Item, Items, fhir_type, model, system_value

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


def _json(item: Item) -> Any:
    """Return the value as it stands in JSON."""
    if item[1].namespace == "FHIR":
        return item[0]
    value = system_value(item)
    return value if isinstance(value, bool | int | str) or item[1].name == "Decimal" else str(value)


def _primitive(type_: str) -> Function:
    def evaluate(_: Context, items: Items, value: Items) -> Items:
        _on_factory(items)
        item = one(value)
        return [] if item is None else [(_json(item), fhir_type(type_))]

    return plain(evaluate, 1)


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
    """Set one element: `coding*` is a list, `value[x]` is named after the type it gets."""
    values = [_json(item) for item in argument]
    if name.endswith("*"):
        made[name[:-1]] = values
    elif name.endswith("[x]"):
        type_ = argument[0][1].name
        made[name[:-3] + type_[:1].upper() + type_[1:]] = values[0]
    else:
        made[name] = values[0]


def _on_factory(items: Items) -> None:
    if not items or items[0][1] is not FACTORY:
        raise Failure("this function belongs to `%factory`", items)


def _create(_: Context, items: Items, type_: Items) -> Items:
    _on_factory(items)
    item = one(type_)
    if item is not None and model().type_of(str(item[0])) is None:
        raise Failure("there is no such type in FHIR R4", type_)
    return [] if item is None else [({}, fhir_type(str(item[0])))]


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
}
