"""Objects of FHIR that an expression makes, element by element.

https://build.fhir.org/ig/HL7/FHIRPath/#instance-selector and https://hl7.org/fhir/fhirpath.html#factory
"""

from collections.abc import Sequence
from typing import Any

from carepath.fhirpath.values.failure import Failure
from carepath.fhirpath.values.quantity import Quantity
from carepath.fhirpath.values.types import (
    DATE,
    DATE_TIME,
    DECIMAL,
    INTEGER,
    OBJECT,
    QUANTITY,
    UCUM,
    Item,
    Items,
    TypeInfo,
    fhir_type,
    model,
    sibling,
    system_value,
)

_WIDENED = {(INTEGER, DECIMAL), (DATE, DATE_TIME)}
"""A value of the first kind may stand where the second is wanted."""


def written(item: Item) -> Any:
    """Return a value as it stands in JSON."""
    if item[1].namespace == "FHIR":
        return item[0]
    value = system_value(item)
    if isinstance(value, Quantity):
        return _quantity(value)
    return value if isinstance(value, bool | int | str) or item[1].name == "Decimal" else str(value)


def _quantity(value: Quantity) -> dict[str, Any]:
    """Return a quantity as FHIR writes it; a calendar unit is no code of UCUM."""
    if value.calendar:
        return {"value": value.value, "unit": value.unit}
    return {"value": value.value, "unit": value.unit, "system": UCUM, "code": value.unit}


def new(type_: TypeInfo) -> dict[str, Any]:
    """Return an object of a type without elements; a resource says its type."""
    is_resource = type_.name in model().RESOURCE_TYPES
    return {"resourceType": type_.name} if is_resource else {}


def with_element(made: dict[str, Any], type_: TypeInfo, name: str, values: Items) -> dict[str, Any]:
    """Return an object with an element set, or with more of one that repeats; raises Failure."""
    known = model().type_of(type_.name)
    choices = known.choices.get(name, ()) if known is not None else ()
    element = known.elements.get(name) if known is not None else None
    if not choices and (element is None or element.choice):
        raise Failure(f"{type_!r} has no element `{name}`", values)
    if not values:
        return made
    for value in values:
        element = _chosen(choices, value) if choices else element
        if element is None or not _fits(element, value):
            raise Failure(f"`{name}` of {type_!r} is no {value[1]!r}", values)
    if choices:
        others = {key for each in choices for key in (each.name, f"_{each.name}")}
        made = {key: value for key, value in made.items() if key not in others}
    return made | _property(made, element, values)


def _chosen(choices: Sequence[Any], value: Item) -> Any:
    """Return the element of a choice that a value belongs to."""
    name = value[1].name
    own = name[:1].lower() + name[1:] if value[1].namespace == "System" else name
    fitting = [each for each in choices if each.type == own]
    return next(iter([*fitting, *(each for each in choices if _fits(each, value))]), None)


def _fits(element: Any, value: Item) -> bool:
    wanted, given = fhir_type(element.type), value[1]
    if wanted.primitive is not (given.primitive and given.kind not in (OBJECT, QUANTITY)):
        return False
    if wanted.primitive:
        return wanted.kind == given.kind or (given.kind, wanted.kind) in _WIDENED
    return given.name == wanted.name or wanted.name in given.ancestors or given.name == "Element"


def _property(made: dict[str, Any], element: Any, values: Items) -> dict[str, Any]:
    """Return the properties that an element is written as, what stands beside values included."""
    name, beside_name = element.name, f"_{element.name}"
    found = [written(item) for item in values]
    beside = [sibling(item) if item[1].primitive else None for item in values]
    if not element.is_list:
        if len(values) > 1:
            raise Failure(f"`{name}` does not repeat, found {len(values)}", values)
        pairs = {name: found[0], beside_name: beside[0]}
        return {key: value for key, value in pairs.items() if value is not None}
    before = made.get(name) if isinstance(made.get(name), list) else []
    old = made.get(beside_name) if isinstance(made.get(beside_name), list) else []
    result: dict[str, Any] = {name: [*before, *found]}  # type: ignore[misc]
    if any(beside) or old:
        padded = [*old, *([None] * (len(before) - len(old)))]  # type: ignore[misc, arg-type]
        result[beside_name] = [*padded, *beside]
    return result
