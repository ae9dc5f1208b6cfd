"""Reading definitions and value sets by canonical from the servers that a request names.

https://hl7.org/fhir/uv/crmi/StructureDefinition-crmi-artifact-endpoint-configurable-operation.html
and https://hl7.org/fhir/R4/references.html#canonical

Only what a definition leads to and what is not here is read, each canonical once.
"""

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from typing import Any, NamedTuple

from carepath import deadline
from carepath.canonical import Canonical
from carepath.knowledge import Knowledge
from carepath.knowledge.versions import version_key
from carepath.resources import Resource
from carepath.web.config import Config
from carepath.web.data_endpoint.connection import Budget, Connection
from carepath.web.http.refusals import TooLarge

MOST = 200
"""Canonicals that are looked for elsewhere for one request, found or not."""
TERMINOLOGY = ("ValueSet", "CodeSystem")
CONTENT = ("PlanDefinition", "ActivityDefinition", "Questionnaire", "Library")
_APPLIED = ("PlanDefinition", "ActivityDefinition", "Questionnaire")
_BY_ELEMENT: Mapping[str, tuple[str, ...]] = {
    "definitionCanonical": _APPLIED,
    "library": ("Library",),
    "valueSet": ("ValueSet",),
}


class Route(NamedTuple):
    """A server that artifacts are read from, and which of them."""

    parameter: str
    """The parameter that names it."""
    base: str
    headers: Mapping[str, str]
    types: tuple[str, ...] = (*CONTENT, *TERMINOLOGY)
    start: str = ""
    """How a canonical begins that is looked for there."""


class Wanted(NamedTuple):
    """A canonical, and the types that it may lead to."""

    canonical: str
    types: tuple[str, ...]


class Artifacts:
    """What the servers of one request hold, as far as it was wanted."""

    def __init__(
        self,
        routes: Sequence[Route],
        knowledge: Knowledge,
        config: Config,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Take the servers in their order; raise InvalidParameter when one is not on the list."""
        budget = Budget(config.max_expanded_bytes)
        self._routes = [
            (route, Connection(route.base, config, route.headers, sleep, route.parameter, budget))
            for route in routes
        ]
        self._knowledge = knowledge
        self._known: dict[Wanted, Resource | None] = {}
        self._open = ExitStack()

    @property
    def read(self) -> tuple[Resource, ...]:
        """Return what was read so far."""
        return tuple(r for r in self._known.values() if r is not None)

    def __enter__(self) -> "Artifacts":
        for _, connection in self._routes:
            self._open.enter_context(connection)
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def gather(self, roots: Iterable[Resource], wanted: Iterable[Wanted] = ()) -> None:
        """Read all that definitions lead to, and what is wanted beside them, if it is not here."""
        waiting = deque([*wanted, *(one for root in roots for one in wanted_by(root))])
        seen: set[Wanted] = set()
        while waiting:
            one = waiting.popleft()
            if one not in seen:
                seen.add(one)
                found = self.find(one)
                waiting += wanted_by(found) if found is not None else ()

    def find(self, wanted: Wanted) -> Resource | None:
        """Return what a canonical leads to, here or on the servers; None when it is nowhere."""
        for resource_type in wanted.types:
            here = self._knowledge.find(wanted.canonical, resource_type=resource_type)
            if here is not None:
                return here
        if wanted not in self._known:
            if len(self._known) >= MOST:
                raise TooLarge("What the definitions lead to", MOST)
            self._known[wanted] = self._read(wanted)
        return self._known[wanted]

    def _read(self, wanted: Wanted) -> Resource | None:
        """Return what the first server that has it holds under a canonical."""
        canonical = Canonical.parse(wanted.canonical)
        for route, connection in self._routes:
            if not wanted.canonical.startswith(route.start):
                continue
            for resource_type in _likely_first(wanted.types, canonical.url):
                deadline.check()
                if resource_type in route.types:
                    found = _search(connection, resource_type, canonical)
                    if found is not None:
                        return found
        return None


def wanted_by(definition: Resource) -> Iterator[Wanted]:
    """Yield what a definition leads to; what it contains is here already."""
    for name, text in deadline.paced(_texts(definition, "")):
        if name in _BY_ELEMENT and not text.startswith("#"):
            yield Wanted(text, _BY_ELEMENT[name])
    if definition.get("resourceType") == "Library":
        for artifact in _objects(definition.get("relatedArtifact")):
            canonical = artifact.get("resource")
            if artifact.get("type") == "depends-on" and isinstance(canonical, str):
                yield Wanted(canonical, ("Library",))
    compose = definition.get("compose")
    if definition.get("resourceType") == "ValueSet" and isinstance(compose, dict):
        for name in ("include", "exclude"):
            for part in _objects(compose.get(name)):
                if "concept" not in part and isinstance(part.get("system"), str):
                    yield Wanted(part["system"], ("CodeSystem",))


def _search(connection: Connection, resource_type: str, canonical: Canonical) -> Resource | None:
    """Return the newest resource of a type that has a canonical, None when there is none."""
    query = {"url": canonical.url} | ({"version": canonical.version} if canonical.version else {})
    bundle = connection.get(connection.url(resource_type).copy_merge_params(query))
    if bundle is None:
        return None
    if bundle.get("resourceType") != "Bundle":
        raise connection.refused("a search was not answered with a Bundle")
    resources = [entry.get("resource") for entry in _objects(bundle.get("entry"))]
    found = [r for r in _objects(resources) if _is_meant(r, resource_type, canonical)]
    return max(found, key=lambda r: version_key(str(r.get("version", ""))), default=None)


def _is_meant(resource: Resource, resource_type: str, canonical: Canonical) -> bool:
    """Tell whether a match of a search is what was asked for: servers may pass over a filter."""
    is_named = (resource.get("resourceType"), resource.get("url")) == (resource_type, canonical.url)
    return is_named and canonical.version in ("", resource.get("version"))


def _likely_first(types: Sequence[str], url: str) -> list[str]:
    """Return types with the one first that the URL speaks of."""
    return sorted(types, key=lambda name: f"/{name}/" not in url)


def _texts(value: Any, name: str) -> Iterator[tuple[str, str]]:
    """Yield every text in an element with the name of the element it is in."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _texts(item, key)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item, name)
    elif isinstance(value, str):
        yield name, value


def _objects(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
