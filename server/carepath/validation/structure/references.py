"""References that lead to a resource inside the same data: to a contained one, or in a Bundle.

https://hl7.org/fhir/R4/references.html

Their target's type is known, and must be one that the element allows; `#id` must lead somewhere.
A reference that tells its target's type twice must tell the same, and no two contained resources
may have one id.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from carepath import deadline
from carepath.r4.model import RESOURCE_TYPES
from carepath.validation.structure.locations import place_of, resource_type_of
from carepath.validation.structure.problems import Problem
from carepath.validation.structure.text import text_of

Path = tuple[str | int, ...]
_Step = Any
"""The step before and a key or an index; the empty tuple at the root.  Few steps become a path."""

_NESTED = frozenset({dict, list})
_INSIDE = (b'"contained":', b'"reference":"#', b'"reference":"urn:')
_TYPE = re.compile(rb'"type":"[A-Z]')

_TYPED = re.compile(
    r"(?:^|/)([A-Z][A-Za-z]+)/[A-Za-z0-9\-.]{1,64}(?:/_history/[A-Za-z0-9\-.]{1,64})?\Z"
)
"""A reference that ends in `Type/id`."""


class _Scope(NamedTuple):
    """From what a reference says (`#pump`, `urn:uuid:...`) to the type of the resource there."""

    contained: Mapping[str, str]
    bundled: Mapping[str, str]
    is_certain: bool = True
    """False when what is contained cannot all be read: then nothing is said to be missing."""


def inner_references(resource: dict[str, Any]) -> Iterator[Problem]:
    """Yield the references that lead nowhere, or to a type that their element does not allow."""
    if not _may_lead_inside(resource):
        return
    stack: list[tuple[_Step, Any, _Scope]] = [((), resource, _Scope({}, {}))]
    while stack:
        step, value, scope = stack.pop()
        if isinstance(value, list):
            pairs: Iterator[tuple[Any, Any]] = deadline.paced(enumerate(value))
        elif isinstance(value, dict):
            deadline.check()
            if isinstance(value.get("reference"), str):
                yield from _of_reference(resource, step, value, scope)
            if "resourceType" in value:
                yield from _repeated_ids(resource, step, value)
                scope = _scope(value, scope)
            pairs = iter(value.items())
        nested = [((step, key), inner, scope) for key, inner in pairs if type(inner) in _NESTED]
        nested.reverse()
        stack += nested


def _may_lead_inside(resource: dict[str, Any]) -> bool:
    """Tell quickly whether there can be anything to look at: most resources have nothing."""
    text = text_of(resource)
    if text is None:
        return True
    return any(map(text.__contains__, _INSIDE)) or _TYPE.search(text) is not None


def _path_of(step: _Step) -> Path:
    """Return the path from the root that ends in a step."""
    path: list[str | int] = []
    while step:
        step, key = step
        path.append(key)
    return (*reversed(path),)


def _of_reference(
    resource: Any, step: _Step, value: Mapping[str, Any], scope: _Scope
) -> Iterator[Problem]:
    reference = value["reference"]
    if reference.startswith(("#", "urn:")):
        yield from _wrong(resource, (*_path_of(step), "reference"), reference, scope)
    if isinstance(value.get("type"), str):
        yield from _two_types(resource, _path_of(step), value, scope)


def _wrong(resource: Any, path: Path, reference: str, scope: _Scope) -> Iterator[Problem]:
    place = place_of(resource, path)
    if place.element is None or place.element.path != "Reference.reference":
        return
    is_local = reference.startswith("#")
    target = (scope.contained if is_local else scope.bundled).get(reference)
    if is_local and target is None and reference != "#" and scope.is_certain:
        yield Problem("reference", place, "leads to no contained resource")
    owner = place_of(resource, path[:-1]).element
    allowed = owner.targets if owner else ()
    if target and allowed and target not in allowed:
        yield Problem("target", place, f"leads to a {target}, which may not be referred to here")


def _two_types(
    resource: Any, path: Path, value: Mapping[str, Any], scope: _Scope
) -> Iterator[Problem]:
    """Yield a `Reference.type` that is not the type which its reference leads to."""
    place = place_of(resource, (*path, "type"))
    if place.element is None or place.element.path != "Reference.type":
        return
    reference, named = value["reference"], value["type"]
    match = _TYPED.search(reference)
    target = match[1] if match else {**scope.bundled, **scope.contained}.get(reference)
    if target in RESOURCE_TYPES and named in RESOURCE_TYPES and named != target:
        yield Problem("target", place, f"is not {target}, which the reference leads to")


def _scope(resource: dict[str, Any], outer: _Scope) -> _Scope:
    """Return the scope inside a resource: what it contains, and a Bundle's entries."""
    contained = {
        f"#{one['id']}": resource_type_of(one)
        for one in reversed(list(_objects(resource, "contained")))  # Of two the first counts.
        if isinstance(one.get("id"), str)
    }
    bundled = {
        entry["fullUrl"]: resource_type_of(entry.get("resource"))
        for entry in _objects(resource, "entry")
        if isinstance(entry.get("fullUrl"), str)
    }
    is_certain = outer.is_certain
    if "contained" in resource:
        is_certain = all(isinstance(id, str) for id in _contained_ids(resource))
    return _Scope(contained or outer.contained, bundled or outer.bundled, is_certain)


def _contained_ids(resource: dict[str, Any]) -> list[Any]:
    """Return the ids of what is contained; None for what has none or is no resource."""
    values = resource.get("contained")
    if not isinstance(values, list):
        return [None]
    return [one.get("id") if isinstance(one, dict) else None for one in values]


def _repeated_ids(resource: Any, step: _Step, owner: dict[str, Any]) -> Iterator[Problem]:
    """Yield the ids that two contained resources of one resource have."""
    seen: set[str] = set()
    for index, id in enumerate(_contained_ids(owner) if "contained" in owner else ()):
        if isinstance(id, str) and id in seen:
            place = place_of(resource, (*_path_of(step), "contained", index, "id"))
            yield Problem("reference", place, "is the id of another contained resource, too")
        if isinstance(id, str):
            seen.add(id)


def _objects(resource: dict[str, Any], name: str) -> Iterator[dict[str, Any]]:
    values = resource.get(name)
    for value in values if isinstance(values, list) else ():
        if isinstance(value, dict):
            yield value
