"""The definitions that this service holds, as a FHIR server shows them: versions and tags.

https://hl7.org/fhir/R4/http.html#read

A definition's version id is its business version and a digest of its content, so that a tag
changes whenever the content does, and several business versions stand side by side.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from carepath.canonical import Canonical
from carepath.errors import DefinitionNotFound
from carepath.formats import json as json_codec
from carepath.knowledge.versions import version_key
from carepath.resources import Resource

DEFINITION_TYPES = (
    "ActivityDefinition",
    "CodeSystem",
    "ConceptMap",
    "ImplementationGuide",
    "Library",
    "MessageDefinition",
    "OperationDefinition",
    "PlanDefinition",
    "Questionnaire",
    "StructureDefinition",
    "ValueSet",
)
_DIGEST_LENGTH = 8


@dataclass(frozen=True)
class Held:
    """One version of one definition."""

    source: Resource
    loaded: datetime
    index: dict[str, tuple[Any, ...]] = field(default_factory=dict, compare=False, repr=False)
    """Values by search parameter, filled as searches ask for them."""

    @property
    def type(self) -> str:
        """Return the resource type."""
        return str(self.source["resourceType"])

    @property
    def id(self) -> str:
        """Return the logical id."""
        return str(self.source["id"])

    @property
    def url(self) -> str:
        """Return the canonical without version, '' when there is none."""
        return str(self.source.get("url", ""))

    @property
    def version(self) -> str:
        """Return the business version, '' when there is none."""
        return str(self.source.get("version", ""))

    @cached_property
    def version_id(self) -> str:
        """Return the id under which this very content can be read again."""
        digest = hashlib.sha256(json_codec.encode(self.source)).hexdigest()[:_DIGEST_LENGTH]
        version = "".join(c for c in self.version if c.isascii() and (c.isalnum() or c in "-."))
        return f"{version[:40]}-{digest}" if version else digest

    @cached_property
    def last_modified(self) -> datetime:
        """Return when the content last changed: as it says itself, else when it was loaded."""
        for text in (self.source.get("meta", {}).get("lastUpdated"), self.source.get("date")):
            try:
                moment = datetime.fromisoformat(str(text))
            except ValueError:
                continue
            return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
        return self.loaded

    @cached_property
    def resource(self) -> Resource:
        """Return the definition as it is served, with `meta.versionId` and `lastUpdated`."""
        stamp = self.last_modified.strftime("%Y-%m-%dT%H:%M:%SZ")
        meta = {**self.source.get("meta", {}), "versionId": self.version_id, "lastUpdated": stamp}
        head = {"resourceType": self.type, "id": self.id, "meta": meta}
        return head | {name: value for name, value in self.source.items() if name not in head}


@dataclass(frozen=True)
class Definitions:
    """All definitions by type and id; the newest business version of an id comes first."""

    by_type: Mapping[str, Sequence[Held]]
    _by_id: Mapping[tuple[str, str], Sequence[Held]] = field(repr=False)

    @classmethod
    def of(cls, resources: Iterable[Resource], loaded: datetime) -> "Definitions":
        """Take the resources of the served types; those without an id cannot be read."""
        by_id: dict[tuple[str, str], list[Held]] = {}
        for resource in resources:
            if resource.get("resourceType") in DEFINITION_TYPES and resource.get("id"):
                held = Held(resource, loaded)
                by_id.setdefault((held.type, held.id), []).append(held)
        for versions in by_id.values():
            versions.sort(key=lambda held: version_key(held.version), reverse=True)
        by_type: dict[str, list[Held]] = {name: [] for name in DEFINITION_TYPES}
        for (resource_type, _), versions in sorted(by_id.items()):
            by_type[resource_type].extend(versions)
        return cls(by_type, by_id)

    def versions(self, resource_type: str, id: str) -> Sequence[Held]:
        """Return all versions under an id, newest first; raise DefinitionNotFound."""
        found = self._by_id.get((resource_type, id))
        if not found:
            raise DefinitionNotFound(resource_type, id)
        return found

    def read(self, resource_type: str, id: str) -> Held:
        """Return the newest version under an id."""
        return self.versions(resource_type, id)[0]

    def vread(self, resource_type: str, id: str, version_id: str) -> Held:
        """Return one version under an id, by version id or business version."""
        for held in self.versions(resource_type, id):
            if version_id in (held.version_id, held.version):
                return held
        raise DefinitionNotFound(resource_type, f"{id}/_history/{version_id}")

    def by_reference(self, reference: str) -> Held | None:
        """Return what a canonical or `Type/id` leads to, the newest when no version is given."""
        resource_type, _, id = reference.rpartition("/")
        if (resource_type, id) in self._by_id:
            return self._by_id[resource_type, id][0]
        wanted = Canonical.parse(reference)
        found = [h for h in self._by_url.get(wanted.url, ()) if wanted.version in ("", h.version)]
        return found[0] if found else None

    @cached_property
    def _by_url(self) -> dict[str, list[Held]]:
        urls: dict[str, list[Held]] = {}
        for held in (held for several in self._by_id.values() for held in several):
            if held.url:
                urls.setdefault(held.url, []).append(held)
        for several in urls.values():
            several.sort(key=lambda held: version_key(held.version), reverse=True)
        return urls
