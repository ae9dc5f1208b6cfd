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

Path = tuple[str | int, ...]

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
    stack: list[tuple[Path, Any, _Scope]] = [((), resource, _Scope({}, {}))]
    while stack:
        path, value, scope = stack.pop()
        if isinstance(value, list):
            stack += [
                ((*path, index), item, scope)
                for index, item in deadline.paced(reversed(list(enumerate(value))))
                if isinstance(item, (dict, list))
            ]
        elif isinstance(value, dict):
            deadline.check()
            if isinstance(value.get("reference"), str):
                yield from _of_reference(resource, path, value, scope)
            if "resourceType" in value:
                yield from _repeated_ids(resource, path, value)
                scope = _scope(value, scope)
            stack += [
                ((*path, name), inner, scope)
                for name, inner in reversed(value.items())
                if isinstance(inner, (dict, list))
            ]


def _of_reference(
    resource: Any, path: Path, value: Mapping[str, Any], scope: _Scope
) -> Iterator[Problem]:
    reference = value["reference"]
    if reference.startswith(("#", "urn:")):
        yield from _wrong(resource, (*path, "reference"), reference, scope)
    if isinstance(value.get("type"), str):
        yield from _two_types(resource, path, value, scope)


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


def _repeated_ids(resource: Any, path: Path, owner: dict[str, Any]) -> Iterator[Problem]:
    """Yield the ids that two contained resources of one resource have."""
    seen: set[str] = set()
    for index, id in enumerate(_contained_ids(owner) if "contained" in owner else ()):
        if isinstance(id, str) and id in seen:
            place = place_of(resource, (*path, "contained", index, "id"))
            yield Problem("reference", place, "is the id of another contained resource, too")
        if isinstance(id, str):
            seen.add(id)


def _objects(resource: dict[str, Any], name: str) -> Iterator[dict[str, Any]]:
    values = resource.get(name)
    for value in values if isinstance(values, list) else ():
        if isinstance(value, dict):
            yield value
