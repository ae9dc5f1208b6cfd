"""How resources are found: by full URL, by `Type/id` on a server, by identifier, by search.

https://hl7.org/fhir/R4/bundle.html#references and https://hl7.org/fhir/R4/references.html#literal
"""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple

from carepath import deadline
from carepath.record.urls import Search, is_http, is_urn, normal, server_of, type_and_id
from carepath.resources import Resource

Named = tuple[str, Resource]
Identifier = tuple[str, str]
"""System (empty when there is none) and value."""


class Found(NamedTuple):
    """What a reference means; `is_guess` when an address was read without its server."""

    resource: Resource | None
    is_guess: bool = False


NOTHING = Found(None)
_OF_THE_ANSWER = frozenset({"_count", "_elements", "_format", "_pretty", "_summary"})
"""Parameters of a search that say how its answer looks, not what it finds."""


class Names:
    """The names of some resources of a content; `urls` are their full URLs, perhaps empty."""

    def __init__(self, urls: Sequence[str], resources: Sequence[Resource]) -> None:
        self._urls = urls
        self._resources = resources

    @cached_property
    def _as_written(self) -> dict[str, Resource]:
        return dict(zip(reversed(self._urls), reversed(self._resources), strict=True))

    @cached_property
    def _by_url(self) -> dict[str, Resource]:
        return {normal(url): resource for url, resource in self._as_written.items() if url}

    @cached_property
    def _by_id(self) -> dict[tuple[str, str], list[Named]]:
        found: dict[tuple[str, str], list[Named]] = {}
        for url, resource in zip(self._urls, self._resources, strict=True):
            id_ = resource.get("id")
            if isinstance(id_, str):
                found.setdefault((resource["resourceType"], id_), []).append((url, resource))
        return found

    @cached_property
    def _by_plain_id(self) -> dict[str, list[Resource]]:
        found: dict[str, list[Resource]] = {}
        for (_, name), named in self._by_id.items():
            found.setdefault(name.lower(), []).extend(resource for _, resource in named)
        return found

    @cached_property
    def _by_identifier(self) -> dict[tuple[str, Identifier], list[Resource]]:
        found: dict[tuple[str, Identifier], list[Resource]] = {}
        for resource in self._resources:
            given = identifiers(resource)
            for key in {*given, *(("", value) for _, value in given)}:
                for kind in (resource["resourceType"], ""):
                    found.setdefault((kind, key), []).append(resource)
        return found

    def at(self, url: str) -> Resource | None:
        """Return the resource with a full URL, given in its normal spelling."""
        found = self._as_written.get(url) if url else None
        return self._by_url.get(url) if found is None else found

    def relative(self, key: tuple[str, str], server: str) -> Resource | None:
        """Return the resource with type and id, seen from a server.

        One that is known to be on another server is another resource; of several, none is meant.
        """
        here = self.at(f"{server}/{key[0]}/{key[1]}") if server else None
        if here is not None:
            return here
        named = self._by_id.get(key, [])
        elsewhere = {server_of(url) for url, _ in named} - {""}
        candidates = [r for url, r in named if not server_of(url)]
        if not candidates and not server and len(elsewhere) == 1:
            candidates = [r for _, r in named]
        return only(candidates) or only([r for url, r in named if not url])

    def count(self, key: tuple[str, str]) -> int:
        """Return how many resources have this type and id."""
        return len(self._by_id.get(key, ()))

    def with_id(self, id_: str) -> Resource | None:
        """Return the only resource with an id of whatever type, case aside."""
        return only(self._by_plain_id.get(id_.lower(), []))

    def holders(self, wanted: Identifier, resource_type: str = "") -> list[Resource]:
        """Return the resources that carry a business identifier; without a system any will do."""
        return self._by_identifier.get((resource_type, wanted), [])

    def search(self, search: Search) -> list[Resource]:
        """Return what a search by identifiers and ids finds; nothing for any other search."""
        criteria = [(name, value) for name, value in search.criteria if name not in _OF_THE_ANSWER]
        if not criteria or not all(name in ("_id", "identifier") for name, _ in criteria):
            return []
        first, *others = (self._meeting(search.type, *criterion) for criterion in criteria)
        return [found for found in first if all(any(found is r for r in o) for o in others)]

    def _meeting(self, resource_type: str, name: str, values: str) -> list[Resource]:
        """Return the resources that meet one criterion: one of its values, parted by commas."""
        found: list[Resource] = []
        for value in filter(None, map(str.strip, values.split(","))):
            deadline.check()
            if name == "_id":
                named = self.relative((resource_type, value), "")
                new = [] if named is None else [named]
            else:
                new = self._identified(resource_type, value)
            found += [r for r in new if not any(r is known for known in found)]
        return found

    def _identified(self, resource_type: str, token: str) -> list[Resource]:
        """Return the resources with the identifier of a search: `value`, `system|value`, `|value`.

        https://hl7.org/fhir/R4/search.html#token
        """
        system, bar, plain = (part.strip() for part in token.rpartition("|"))
        holders = self.holders((system, plain), resource_type) if plain else []
        if bar and not system:
            return [holder for holder in holders if ("", plain) in identifiers(holder)]
        return holders


def find(text: str, server: str, names: Names, *, knows_servers: bool) -> Found:
    """Return what a literal reference means that stands on a server (empty: nobody knows).

    An address counts only as the full URL of a resource; where no resource tells its server
    (`knows_servers` false), its end is taken for `Type/id`, and that is a guess.
    """
    name = normal(text)
    exact = names.at(name)
    if exact is not None:
        return Found(exact)
    if is_urn(name):
        return Found(names.with_id(name.rpartition(":")[2]))
    key = type_and_id(name)
    if not key[0]:
        return NOTHING
    if is_http(name):
        return NOTHING if knows_servers else Found(names.relative(key, ""), is_guess=True)
    return Found(names.relative(key, server)) if name.count("/") == 1 else NOTHING


def only(found: list[Resource]) -> Resource | None:
    """Return the only resource of a list, None when there is none or a choice."""
    return found[0] if len(found) == 1 else None


def identifiers(resource: Mapping[str, Any]) -> list[Identifier]:
    """Return the business identifiers of a resource that have a value."""
    given = resource.get("identifier")
    found = (identifier(i) for i in (given if isinstance(given, list) else [given]))
    return [i for i in found if i is not None]


def identifier(element: Any) -> Identifier | None:
    """Return system and value of an Identifier, None when it has no value."""
    value = element.get("value") if isinstance(element, dict) else None
    if not isinstance(value, str) or not value.strip():
        return None
    system = element.get("system")
    return (system.strip() if isinstance(system, str) else ""), value.strip()
