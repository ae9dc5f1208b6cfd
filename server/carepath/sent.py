"""What was sent, whoever it is about, and the ways to find it.

https://hl7.org/fhir/R4/bundle.html#references and https://hl7.org/fhir/R4/references.html
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from carepath.r4.model import RESOURCE_TYPES, type_of
from carepath.resources import Resource

_SUBJECT_ELEMENTS = ("subject", "patient", "for", "beneficiary", "candidate", "individual", "actor")
_URN = ("urn:uuid:", "urn:oid:")


class Content:
    """All resources that were sent, whoever they are about, with the ways to find them."""

    def __init__(self, resources: Iterable[tuple[str, Resource]]) -> None:
        found: dict[Any, tuple[str, Resource]] = {}
        for full_url, resource in resources:
            id_ = resource.get("id")
            # A resource that is sent twice counts once, as it was sent last.
            key = full_url or (f"{resource['resourceType']}/{id_}" if id_ else id(resource))
            found[key] = (full_url, resource)
        self.by_type: dict[str, list[Resource]] = {}
        for _, resource in found.values():
            self.by_type.setdefault(resource["resourceType"], []).append(resource)
        self._found = found
        self._names: dict[str, Resource] | None = None
        self._urls: dict[int, str] | None = None
        self._sorted: dict[str, _Sorted] = {}
        self._strays: dict[str, tuple[Resource, ...]] = {}

    @property
    def names(self) -> dict[str, Resource]:
        """Return the resources by full URL and by `Type/id`; the first one wins."""
        if self._names is None:
            names = {url: resource for url, resource in self._found.values() if url}
            for _, resource in self._found.values():
                if isinstance(resource.get("id"), str):
                    names.setdefault(f"{resource['resourceType']}/{resource['id']}", resource)
            self._names = names
        return self._names

    def full_url(self, resource: Resource) -> str:
        """Return the full URL that a resource was sent with, or an empty string."""
        if self._urls is None:
            self._urls = {id(item): url for url, item in self._found.values() if url}
        return self._urls.get(id(resource), "")

    def resolve(self, reference: str, within: Resource | None) -> Resource | None:
        """Return what a literal reference means, seen from the resource that holds it."""
        if reference.startswith("#"):
            return _contained(reference[1:], within)
        for name in self._candidates(reference, within):
            if name in self.names:
                return self.names[name]
        if reference.startswith(_URN):
            return self._by_id(reference.rpartition(":")[2])
        return None

    def target(self, reference: Any, within: Resource | None) -> Resource | None:
        """Return what a Reference (or its text) means, None when it is not here."""
        if isinstance(reference, str):
            return self.resolve(reference, within)
        if not isinstance(reference, dict):
            return None
        literal = reference.get("reference")
        if isinstance(literal, str):
            return self.resolve(literal, within)
        identifier = reference.get("identifier")
        return self.by_identifier(identifier) if isinstance(identifier, dict) else None

    def of_patient(self, resource_type: str, patient: Resource) -> tuple[Resource, ...]:
        """Return one of several patients' resources of a type, sorted once for all of them."""
        found = self._sorted.get(resource_type)
        if found is None:
            found = self._sorted[resource_type] = self._sort(resource_type)
        everything = self.by_type[resource_type]
        return tuple(everything[n] for n in sorted(found.own.get(id(patient), []) + found.shared))

    def strays(self, resource_type: str) -> tuple[Resource, ...]:
        """Return the resources of a type that name a subject who is nowhere in the content."""
        found = self._strays.get(resource_type)
        if found is None:
            everything = self.by_type.get(resource_type, ())
            found = self._strays[resource_type] = tuple(r for r in everything if self._is_stray(r))
        return found

    def _sort(self, resource_type: str) -> "_Sorted":
        found = _Sorted({}, [])
        for n, resource in enumerate(self.by_type[resource_type]):
            owners = self._owners(resource)
            if not owners and not any(subject_references(resource)) and not has_subject(resource):
                found.shared.append(n)
            for owner in owners:
                found.own.setdefault(owner, []).append(n)
        return found

    def _owners(self, resource: Resource) -> set[int]:
        """Return the `id()`s of what a resource names as its subject."""
        if resource["resourceType"] == "Patient":
            return {id(resource)}
        found: set[int] = set()
        for reference in subject_references(resource):
            for target in (self.names.get(literal(reference)), self.target(reference, resource)):
                if target is not None:
                    found.add(id(target))
        return found

    def _is_stray(self, resource: Resource) -> bool:
        references = list(subject_references(resource))
        return bool(references) and not any(
            literal(reference) in self.names or self.target(reference, resource)
            for reference in references
        )

    def _candidates(self, reference: str, within: Resource | None) -> Iterator[str]:
        """Yield the names under which the target may be known, the most exact first."""
        plain = reference.partition("/_history/")[0]
        before, _, id_ = plain.rpartition("/")
        resource_type = before.rpartition("/")[2]
        is_typed = resource_type in RESOURCE_TYPES
        base = self.full_url(within).rsplit("/", 2)[0] if within is not None else ""
        if base and "://" not in plain and is_typed:
            yield f"{base}/{plain}"
        yield plain
        if is_typed:
            yield f"{resource_type}/{id_}"

    def _by_id(self, id_: str) -> Resource | None:
        """Return the one resource with this id: senders put ids into URNs without full URLs."""
        found = [r for _, r in self._found.values() if r.get("id") == id_]
        return found[0] if len(found) == 1 else None

    def by_identifier(self, identifier: Mapping[str, Any]) -> Resource | None:
        """Return the first resource that carries a business identifier."""
        wanted = (identifier.get("system"), identifier.get("value"))
        if not wanted[1]:
            return None
        for _, resource in self._found.values():
            if wanted in _identifiers(resource):
                return resource
        return None


class _Sorted(NamedTuple):
    """Where the resources of a type stand: by the `id()` of their patient, and those of nobody."""

    own: dict[int, list[int]]
    shared: list[int]


def resources_in(content: Any) -> Iterator[tuple[str, Resource]]:
    """Yield every resource with its full URL, Bundles inside lists and Bundles included."""
    if isinstance(content, dict):
        if content.get("resourceType") != "Bundle":
            if isinstance(content.get("resourceType"), str):
                yield "", content
            return
        entries = content.get("entry")
        for entry in entries if isinstance(entries, list) else ():
            resource = entry.get("resource") if isinstance(entry, dict) else None
            if not isinstance(resource, dict):
                continue
            if resource.get("resourceType") == "Bundle":
                yield from resources_in(resource)
            elif isinstance(resource.get("resourceType"), str):
                full_url = entry.get("fullUrl")
                yield (full_url if isinstance(full_url, str) else ""), resource
    elif isinstance(content, Iterable) and not isinstance(content, str | bytes):
        for item in content:
            yield from resources_in(item)


def subject_references(resource: Resource) -> Iterator[Mapping[str, Any]]:
    """Yield the references that say whom a resource is about, those to patients only."""
    for name in _SUBJECT_ELEMENTS:
        value = resource.get(name)
        for reference in value if isinstance(value, list) else (value,):
            if isinstance(reference, dict) and _may_be_patient(reference):
                yield reference
    if "participant" in resource and isinstance(resource["participant"], list):
        for participant in resource["participant"]:
            actor = participant.get("actor") if isinstance(participant, dict) else None
            if isinstance(actor, dict) and _is_patient(actor):
                yield actor


def literal(reference: Mapping[str, Any]) -> str:
    """Return the text of a reference, empty when there is none or it is no text."""
    text = reference.get("reference")
    return text if isinstance(text, str) else ""


def _may_be_patient(reference: Mapping[str, Any]) -> bool:
    """Tell whether a reference names something; one with a display alone names nobody."""
    return bool(reference.get("reference") or reference.get("identifier"))


def _is_patient(reference: Mapping[str, Any]) -> bool:
    """Tell whether a participant is a patient rather than a practitioner or a room."""
    text = reference.get("reference")
    return reference.get("type") == "Patient" or (isinstance(text, str) and "Patient/" in text)


def has_subject(resource: Resource) -> bool:
    """Tell whether a resource of this type is about somebody (an Organization is not)."""
    found = type_of(resource["resourceType"])
    return found is not None and any(
        "Patient" in found.elements[name].targets
        for name in _SUBJECT_ELEMENTS
        if name in found.elements
    )


def _contained(id_: str, within: Resource | None) -> Resource | None:
    """Return a contained resource; a bare `#` means the container."""
    if within is None or not id_:
        return within
    contained = within.get("contained")
    for resource in contained if isinstance(contained, list) else ():
        if isinstance(resource, dict) and resource.get("id") == id_:
            return resource
    return None


def _identifiers(resource: Resource) -> list[tuple[Any, Any]]:
    """Return system and value of each business identifier."""
    given = resource.get("identifier")
    given = given if isinstance(given, list) else [given]
    return [(i.get("system"), i.get("value")) for i in given if isinstance(i, dict)]
