"""Whether a definition has the shape of FHIR: known elements, lists, objects and scalars in place.

https://hl7.org/fhir/R4/json.html

This is what the engine relies on when it compiles a definition that a deployment brings along.
Whether the content is valid beyond its shape is for `carepath.validation`.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from carepath import deadline
from carepath.r4.model import RESOURCE_TYPES, Element, type_of
from carepath.resources import Resource

Problem = tuple[str, str]
"""A FHIRPath of the element and what is wrong with it."""

COMMENTS = "fhir_comments"
"""Comments of an earlier version of FHIR, in an element of their own; they say nothing."""
_NUMBERS = {"decimal", "integer", "positiveInt", "unsignedInt"}
_RELIED_ON = {
    "Extension": ("url",),
    "ValueSet.compose": ("include",),
    "ValueSet.compose.include.concept": ("code",),
}
"""What R4 requires and the engine reads without asking."""


def shape_problems(resource: Resource) -> Iterator[Problem]:
    """Yield every place where a resource does not have the shape that R4 gives it."""
    resource_type = str(resource.get("resourceType"))
    yield from _object_problems(resource, resource_type, resource_type)


def _object_problems(value: dict[str, Any], type_name: str, path: str) -> Iterator[Problem]:
    """Yield the problems inside an object of a type."""
    deadline.check()
    found = type_of(type_name)
    if found is None:
        yield path, f"`{type_name}` is no type of FHIR R4"
        return
    for name in _RELIED_ON.get(type_name, ()):
        if name not in value:
            yield f"{path}.{name}", "is required"
    for name, item in value.items():
        if name in ("resourceType", COMMENTS):
            continue
        element = found.elements.get(name.removeprefix("_"))
        place = f"{path}.{name}"
        if element is None:
            yield place, f"`{type_name}` has no element `{name}`"
        elif name.startswith("_"):
            yield from _sibling_problems(item, place)
        else:
            yield from _element_problems(item, element, place)


def _sibling_problems(value: Any, path: str) -> Iterator[Problem]:
    """Yield a problem when the `_name` beside a primitive is not what carries its extensions."""
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, dict):
            yield from _object_problems(item, "Element", path)
        elif item is not None:
            yield path, "expected an object that holds id or extensions"


def _element_problems(value: Any, element: Element, path: str) -> Iterator[Problem]:
    """Yield the problems of one property: a list or a single value, and what is in it."""
    if element.is_list:
        if not isinstance(value, list) or not value:
            yield path, "expected a list that is not empty"
            return
        may_be_null = _is_primitive(element.type)
        for index, item in enumerate(value):
            # In a list of primitives null holds the place of one that only has extensions.
            if item is not None or not may_be_null:
                yield from value_problems(item, element.type, f"{path}[{index}]")
    else:
        yield from value_problems(value, element.type, path)


def value_problems(value: Any, type_name: str, path: str) -> Iterator[Problem]:
    """Yield every place where a single value does not have the shape of a type."""
    if _is_primitive(type_name):
        if not _is_scalar(value, type_name):
            yield path, f"expected a value of type `{type_name}`"
    elif not isinstance(value, dict):
        yield path, f"expected an object of type `{type_name}`"
    elif type_name == "Resource":
        if value.get("resourceType") in RESOURCE_TYPES:
            yield from _object_problems(value, value["resourceType"], path)
        else:
            yield path, "expected a resource with a known `resourceType`"
    else:
        yield from _object_problems(value, type_name, path)


def _is_primitive(type_name: str) -> bool:
    """Tell whether values of a type are JSON scalars."""
    found = type_of(type_name)
    return found is None or found.kind == "primitive"


def _is_scalar(value: Any, type_name: str) -> bool:
    """Tell whether a JSON scalar can be a value of a primitive type."""
    if type_name == "boolean":
        return isinstance(value, bool)
    if type_name in _NUMBERS:
        return isinstance(value, int | float | Decimal) and not isinstance(value, bool)
    return isinstance(value, str) and value != ""
