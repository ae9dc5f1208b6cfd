"""A resource without what has the wrong shape, so that expressions can be evaluated on the rest.

https://hl7.org/fhir/R4/json.html

The structure check names what is wrong; here it is left out.  Places in lists stay as they are.
"""

from decimal import Decimal
from typing import Any

from carepath import deadline
from carepath.r4.model import Element, type_of
from carepath.validation.structure.locations import resource_type_of

_NUMBERS = {"decimal", "integer", "positiveInt", "unsignedInt"}


def well_shaped(resource: Any) -> Any:
    """Return a copy of a resource that has only known elements, each of the right JSON kind."""
    type_ = resource_type_of(resource)
    return {"resourceType": type_, **_members(resource, type_)} if type_ else {}


def _members(owner: dict[str, Any], type_name: str) -> dict[str, Any]:
    deadline.check()
    type_ = type_of(type_name)
    found = {}
    for name, value in owner.items() if type_ else ():
        element = type_.elements.get(name.removeprefix("_")) if type_ else None
        if element is None:
            continue
        kept = _value(value, element, is_sibling=name.startswith("_"))
        if kept is not None:
            found[name] = kept
    return found


def _value(value: Any, element: Element, *, is_sibling: bool) -> Any:
    """Return what is right of a property; None when nothing is."""
    if not element.is_list:
        return _one(value, element.type, is_sibling=is_sibling)
    if not isinstance(value, list):
        return None
    primitive = is_sibling or _is_primitive(element.type)
    items = [_one(item, element.type, is_sibling=is_sibling) for item in value]
    return [{} if item is None and not primitive else item for item in items]


def _one(value: Any, type_name: str, *, is_sibling: bool) -> Any:
    if is_sibling:
        return _members(value, "Element") if isinstance(value, dict) else None
    if _is_primitive(type_name):
        return value if _is_scalar(value, type_name) else None
    if not isinstance(value, dict):
        return None
    if type_name == "Resource":
        return well_shaped(value) or None
    return _members(value, type_name)


def _is_primitive(type_name: str) -> bool:
    type_ = type_of(type_name)
    return type_ is None or type_.kind == "primitive"


def _is_scalar(value: Any, type_name: str) -> bool:
    if type_name == "boolean":
        return isinstance(value, bool)
    if type_name in _NUMBERS:
        return isinstance(value, int | float | Decimal) and not isinstance(value, bool)
    return isinstance(value, str)
