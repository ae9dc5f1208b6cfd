"""Where in a resource something is: from the JSON path to FHIRPath and the element's definition.

https://hl7.org/fhir/R4/fhirpath.html#simple
"""

import re
from collections.abc import Iterable
from typing import Any, NamedTuple

from carepath.r4.model import RESOURCE_TYPES, Element, type_of

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


class Place(NamedTuple):
    """An element of a resource, or an element that should be there."""

    expression: str
    """The FHIRPath: `Patient.name[0].given[1]`, `Observation.value` for a `valueQuantity`."""
    type: str
    """The type at the place; empty when it is not known."""
    element: Element | None = None
    """The definition of the element; None for the resource itself and for unknown elements."""
    value: Any = None
    in_sibling: bool = False
    """True for the `_given` of a primitive `given`, which has the same FHIRPath."""

    def child(self, name: str) -> "Place":
        """Return the place of a property, which need not exist in the data."""
        value = self.value.get(name) if isinstance(self.value, dict) else None
        owner = type_of(self.type)
        plain = name.removeprefix("_")
        element = owner.elements.get(plain) if owner else None
        if element is None:
            return Place(f"{self.expression}.{escaped(name)}", "", None, value)
        expression = f"{self.expression}.{element.choice or element.name}"
        if plain != name:
            return Place(expression, "Element", element, value, in_sibling=True)
        return Place(expression, _type_of_value(element, value), element, value)

    def item(self, index: int) -> "Place":
        """Return the place of an item of an array."""
        inside = isinstance(self.value, list) and index < len(self.value)
        value = self.value[index] if inside else None
        type_ = self.type
        if self.element is not None and not self.in_sibling:
            type_ = _type_of_value(self.element, value)
        return self._replace(expression=f"{self.expression}[{index}]", type=type_, value=value)


def root(resource: Any) -> Place:
    """Return the place of the resource itself."""
    type_ = resource_type_of(resource)
    return Place(type_ or "Resource", type_, None, resource)


def place_of(resource: Any, path: Iterable[str | int]) -> Place:
    """Return the place that a JSON path leads to."""
    place = root(resource)
    for step in path:
        place = place.item(step) if isinstance(step, int) else place.child(step)
    return place


def _type_of_value(element: Element, value: Any) -> str:
    """Return the type of an element, of a contained resource what it says itself."""
    if element.type != "Resource":
        return element.type
    return resource_type_of(value) or "Resource"


def escaped(name: str) -> str:
    """Return a property name as FHIRPath writes it."""
    if _IDENTIFIER.match(name):
        return name
    return "`" + name.replace("\\", "\\\\").replace("`", "\\`") + "`"


def resource_type_of(value: Any) -> str:
    """Return the resourceType when it is a known one, else an empty string."""
    if not isinstance(value, dict):
        return ""
    name = value.get("resourceType")
    return name if isinstance(name, str) and name in RESOURCE_TYPES else ""
