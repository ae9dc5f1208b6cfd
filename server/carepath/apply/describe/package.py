"""$package: a definition with everything it needs, in one Bundle.

https://hl7.org/fhir/uv/crmi/OperationDefinition-crmi-package.html
"""

from collections.abc import Iterator
from typing import Any

from carepath.apply.describe.data_requirements import data_requirements
from carepath.knowledge import Knowledge
from carepath.resources import Resource, canonical_of, identity

_CANONICALS = {
    "library", "definitionCanonical", "valueSet", "profile", "transform", "resource", "derivedFrom",
}  # fmt: skip
"""Elements of definitions that hold canonicals."""
_SYSTEMS = {"system"}


def package(definition: Resource, knowledge: Knowledge) -> Resource:
    """Return a collection Bundle: the definition, then each dependency that is known, once."""
    found: dict[tuple[str, str], Resource] = {_key(definition): definition}
    waiting = [definition]
    if definition["resourceType"] in ("PlanDefinition", "ActivityDefinition"):
        # Value sets that only an expression names are found by reading the expressions.
        requirements = data_requirements(definition, knowledge)
        waiting.append({**requirements, "contained": definition.get("contained", [])})
    while waiting:
        owner = waiting.pop(0)
        for canonical in _canonicals(owner, ""):
            other = knowledge.find(canonical, owner)
            if canonical.startswith("#") or other is None or _key(other) in found:
                continue
            found[_key(other)] = other
            waiting.append(other)
    entries = [_entry(resource) for resource in found.values()]
    return {"resourceType": "Bundle", "type": "collection", "entry": entries}


def _key(resource: Resource) -> tuple[str, str]:
    return resource["resourceType"], canonical_of(resource)


def _canonicals(value: Any, name: str) -> Iterator[str]:
    """Yield every canonical in an element: by its name, as a value set import, as a code system."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _canonicals(item, key)
    elif isinstance(value, list):
        for item in value:
            yield from _canonicals(item, name)
    elif isinstance(value, str) and (name in _CANONICALS or name in _SYSTEMS):
        yield value


def _entry(resource: Resource) -> Resource:
    """Return an entry; two versions of one canonical differ in their full URLs."""
    url = resource.get("url")
    full_url = f"{url}" if isinstance(url, str) else f"urn:carepath:{identity(resource)}"
    if "version" in resource and isinstance(url, str):
        full_url = canonical_of(resource)
    return {"fullUrl": full_url, "resource": resource}
