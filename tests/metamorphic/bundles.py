"""Walking through a Bundle: its resources, codes, concepts, dates and the names of entries.

https://hl7.org/fhir/R4/bundle.html#references
"""

import re
from collections.abc import Iterator
from typing import Any

from carepath.resources import Resource

Json = dict[str, Any]
SERVER = "https://hospital.example/fhir"
_DATE = re.compile(r"\d{4}(-\d\d(-\d\d(T\d\d:\d\d.*)?)?)?")
_DATED = ("date", "datetime", "instant", "issued", "started", "start", "end", "authoredon")
_NO_DATA = ("meta", "text")


def resources(bundle: Resource) -> list[Resource]:
    """Return the resources of the entries."""
    return [entry["resource"] for entry in bundle["entry"]]


def objects(value: Any) -> Iterator[Json]:
    """Yield every object inside a value and the value itself, `meta` and narratives left out."""
    if isinstance(value, list):
        for item in value:
            yield from objects(item)
    elif isinstance(value, dict):
        yield value
        for name, inner in value.items():
            if name not in _NO_DATA:
                yield from objects(inner)


def coded(resource: Resource) -> list[Json]:
    """Return what has a system and a code: codings and quantities."""
    return [
        item
        for item in objects(resource)
        if isinstance(item.get("system"), str) and isinstance(item.get("code"), str)
    ]


def concepts(resource: Resource) -> list[Json]:
    """Return the CodeableConcepts that hold a coding."""
    return [item for item in objects(resource) if item.get("coding")]


def dates(resource: Resource) -> Iterator[str]:
    """Yield the dates of a resource other than the date of birth."""
    for item in objects(resource):
        for name, value in item.items():
            is_date = name.lower().endswith(_DATED) and name != "birthDate"
            if is_date and isinstance(value, str) and _DATE.fullmatch(value):
                yield value


def key(entry: Json) -> str:
    """Return what two versions or copies of one resource have in common, empty without a name."""
    resource = entry["resource"]
    local = f"{resource['resourceType']}/{resource['id']}" if "id" in resource else ""
    return str(entry.get("fullUrl") or local)


def references(bundle: Resource) -> list[tuple[Json, str]]:
    """Return each Reference that leads to an entry, with the entry's key."""
    names = _names(bundle)
    found = []
    for entry in bundle["entry"]:
        base = entry.get("fullUrl", "").rsplit("/", 2)[0]
        for item in objects(entry["resource"]):
            text = item.get("reference")
            if isinstance(text, str):
                plain = text.partition("/_history/")[0]
                target = names.get(f"{base}/{plain}") or names.get(plain)
                found += [(item, target)] if target else []
    return found


def _names(bundle: Resource) -> dict[str, str]:
    """Return the keys of entries by all their names; a full URL comes before an id."""
    names: dict[str, str] = {}
    for entry in bundle["entry"]:
        resource, url = entry["resource"], entry.get("fullUrl", "")
        if "id" in resource:
            names.setdefault(f"{resource['resourceType']}/{resource['id']}", key(entry))
            names.setdefault(f"urn:uuid:{resource['id']}", key(entry))
        if url:
            names[url] = url
    return names


def patient_reference(bundle: Resource) -> str:
    """Return how a resource can name the one Patient of a Bundle."""
    entry = next(e for e in bundle["entry"] if e["resource"]["resourceType"] == "Patient")
    if "id" in entry["resource"] and not entry.get("fullUrl", "").startswith("urn:"):
        return f"Patient/{entry['resource']['id']}"
    return str(entry["fullUrl"])


def location(bundle: Resource, entry: Json) -> str:
    """Return the http full URL of an entry: its own, or one made of its type and id."""
    url = entry.get("fullUrl", "")
    resource = entry["resource"]
    if url.startswith("http"):
        return str(url)
    return f"{SERVER}/{resource['resourceType']}/{resource['id']}"
