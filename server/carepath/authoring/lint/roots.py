"""Under which root a definition stands, and which definitions there have a url and a status.

https://hl7.org/fhir/R4/references.html#canonical
"""

from collections.abc import Callable
from functools import cache

from carepath.knowledge import Knowledge
from carepath.r4.model import type_of
from carepath.resources import Resource


def root_of(definition: Resource) -> str:
    """Return the url of a definition without its own name: what a publisher's urls begin with."""
    url = str(definition.get("url", ""))
    before, _, tail = url.rpartition(f"/{definition['resourceType']}/")
    return before if before and "/" not in tail else url.rpartition("/")[0]


@cache
def has_canonical(resource_type: str) -> bool:
    """Tell whether resources of a type are definitions: they have a url and a status."""
    found = type_of(resource_type)
    return found is not None and {"url", "status", "version"} <= found.elements.keys()


def root_has(
    definition: Resource, knowledge: Knowledge, is_wanted: Callable[[Resource], bool]
) -> bool:
    """Tell whether some CodeSystem of a kind stands under the root of a definition."""
    root = root_of(definition)
    systems = filter(is_wanted, knowledge.all("CodeSystem"))
    return bool(root) and any(root_of(system) == root for system in systems)
