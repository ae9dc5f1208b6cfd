"""What stays of a resource that cannot be read as a whole: enough to know what is not known.

https://hl7.org/fhir/R4/bundle.html#bundle-unique

Whose it is, which version of what, and about what, as far as that can be read.
"""

import re
from collections.abc import Iterable
from typing import Any

from carepath.record import ANY_TYPE, SUBJECT_ELEMENTS
from carepath.resources import Resource
from carepath.validation.structure.locations import resource_type_of

_NAME = re.compile(r"\w+", re.ASCII)
_OF_PATIENT = frozenset({"resourceType", "id", "meta"})


def remainder_of(
    resource: Resource, expressions: Iterable[str], place: str, *, is_all: bool
) -> Resource:
    """Return a copy without the elements in which something cannot be read.

    `expressions` are the FHIRPaths of what is wrong, `place` that of the resource; `is_all` tells
    that nothing else is wrong.  Of a Patient stay only type, id and version: the person is known
    then, and nothing about them.
    """
    resource_type = resource_type_of(resource)
    if resource_type in ("", "Bundle"):  # A Bundle may hold anything.
        return {"resourceType": ANY_TYPE, **_id_of(resource), **_plain_subjects(resource)}
    wrong = {_element(text, place) for text in expressions if text.startswith(place)}
    if "" in wrong or not is_all:
        return {"resourceType": resource_type, **_id_of(resource)}
    stays = {name: value for name, value in resource.items() if not _is_of(name, wrong)}
    if resource_type == "Patient":
        return {name: value for name, value in stays.items() if name in _OF_PATIENT}
    if "contained" in wrong:
        return {name: value for name, value in stays.items() if not _leads_inside(value)}
    return stays


def _element(expression: str, place: str) -> str:
    """Return the name of the element of the resource that an expression leads to or into."""
    found = _NAME.search(expression, len(place))
    return found[0] if found else ""


def _is_of(name: str, elements: set[str]) -> bool:
    """Tell whether a property is one of some elements: `_status` of status, `onsetAge` of onset."""
    name = name.removeprefix("_")
    return any(
        name == element or (name.startswith(element) and name[len(element)].isupper())
        for element in elements
    )


def _id_of(resource: Resource) -> Resource:
    return {"id": resource["id"]} if isinstance(resource.get("id"), str) else {}


def _plain_subjects(resource: Resource) -> Resource:
    """Return whom a resource names whose elements were not checked, if in plain text."""
    given = {name: resource.get(name) for name in SUBJECT_ELEMENTS}
    texts = {name: v.get("reference") for name, v in given.items() if isinstance(v, dict)}
    return {name: {"reference": text} for name, text in texts.items() if isinstance(text, str)}


def _leads_inside(value: Any) -> bool:
    """Tell whether an element refers to a contained resource: it is as unread as that."""
    if isinstance(value, list):
        return any(map(_leads_inside, value))
    if not isinstance(value, dict):
        return False
    text = value.get("reference")
    return (isinstance(text, str) and text.startswith("#")) or _leads_inside([*value.values()])
