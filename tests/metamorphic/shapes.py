"""The same resources in another order or envelope, sent twice, or with an older version beside.

https://hl7.org/fhir/R4/bundle.html
"""

from collections.abc import Callable, Mapping
from copy import deepcopy
from random import Random
from typing import Any

from carepath.resources import Resource

from .bundles import Json, key, location

_ROLES = ("request", "response", "search")


def shuffled(bundle: Resource, random: Random) -> Resource:
    """Send the entries in another order."""
    first, rest = _header(bundle)
    random.shuffle(rest)
    return {**bundle, "entry": first + rest}


def reversed_order(bundle: Resource, _: Random) -> Resource:
    """Send the entries the other way round."""
    first, rest = _header(bundle)
    return {**bundle, "entry": first + rest[::-1]}


def _header(bundle: Resource) -> tuple[list[Json], list[Json]]:
    """Return the MessageHeader, which stays first in a message, and the other entries."""
    count = 1 if bundle["type"] == "message" else 0
    return bundle["entry"][:count], bundle["entry"][count:]


def duplicates(bundle: Resource, random: Random) -> Resource:
    """Send each resource that has a name a second time, somewhere."""
    entries = list(bundle["entry"])
    for entry in _named(bundle):
        entries.insert(random.randint(1, len(entries)), deepcopy(entry))
    return {**bundle, "entry": entries}


def older_versions(bundle: Resource, random: Random) -> Resource:
    """Send an older version with other content beside each resource that has a name."""
    entries = list(bundle["entry"])
    for entry in _named(bundle):
        change = _EARLIER.get(entry["resource"]["resourceType"])
        if change is None:
            continue
        older = {**entry, "resource": change(deepcopy(entry["resource"]))}
        _stamp(older["resource"], "1", "2020-02-29T08:00:00Z")
        _stamp(entry["resource"], "2", "2025-12-31T23:59:59.5+04:00")
        entries.insert(random.randint(1, len(entries)), older)
    return {**bundle, "entry": entries}


def _named(bundle: Resource) -> list[Json]:
    """Return the entries that can be told to be the same resource, a MessageHeader left out."""
    entries = [entry for entry in bundle["entry"] if key(entry)]
    return [e for e in entries if e["resource"]["resourceType"] != "MessageHeader"]


def _stamp(resource: Resource, version: str, updated: str) -> None:
    meta = resource.get("meta", {})
    resource["meta"] = {**meta, "versionId": version, "lastUpdated": updated}


def _another_value(observation: Resource) -> Resource:
    """Return the Observation with another result."""
    for name in [name for name in observation if name.startswith("value")]:
        old = observation.pop(name)
        observation |= _OTHER.get(name, lambda _: {})(old)
    observation.pop("component", None)
    return observation


_OTHER: Mapping[str, Callable[[Any], Resource]] = {
    "valueBoolean": lambda old: {"valueBoolean": not old},
    "valueInteger": lambda old: {"valueInteger": old + 1},
    "valueQuantity": lambda old: {"valueQuantity": {**old, "value": 17}},
    "valueCodeableConcept": lambda _: {"valueCodeableConcept": {"text": "not yet known"}},
}
# What a resource said before it became what it is.
_EARLIER: Mapping[str, Callable[[Resource], Resource]] = {
    "Patient": lambda r: {**r, "gender": "other", "birthDate": "1902-02-02"},
    "Condition": lambda r: {
        **{name: r[name] for name in r if name not in ("bodySite", "stage", "extension")},
        "code": {"text": "Lipoma"},
    },
    "Observation": _another_value,
    "Procedure": lambda r: {**r, "status": "preparation"},
    "DiagnosticReport": lambda r: {**r, "status": "registered"},
    "ImagingStudy": lambda r: {**r, "status": "registered"},
    "ServiceRequest": lambda r: {**r, "status": "draft"},
    "MedicationRequest": lambda r: {**r, "status": "draft"},
    "MedicationStatement": lambda r: {**r, "status": "intended"},
}


def as_collection(bundle: Resource, _: Random) -> Resource:
    """Send the resources as a collection."""
    return _retyped(bundle, "collection", lambda _: {})


def as_searchset(bundle: Resource, _: Random) -> Resource:
    """Send the resources as the whole answer to a search."""
    found = _retyped(bundle, "searchset", lambda _: {"search": {"mode": "match"}})
    self_link = [{"relation": "self", "url": "https://hospital.example/fhir?_type=Condition"}]
    return {**found, "link": self_link, "total": len(found["entry"])}


def as_transaction(bundle: Resource, _: Random) -> Resource:
    """Send the resources as a transaction of PUT (without id: POST) entries."""
    return _retyped(bundle, "transaction", _update) if _is_each_once(bundle) else bundle


def as_batch(bundle: Resource, _: Random) -> Resource:
    """Send the resources as a batch of PUT (without id: POST) entries."""
    return _retyped(bundle, "batch", _update) if _is_each_once(bundle) else bundle


def _is_each_once(bundle: Resource) -> bool:
    """Tell whether no resource stands there twice: a server may not be told twice what it is."""
    keys = [key(entry) for entry in bundle["entry"] if key(entry)]
    return len(keys) == len(set(keys))


def _update(entry: Json) -> Json:
    resource = entry["resource"]
    if "id" not in resource:
        return {"request": {"method": "POST", "url": resource["resourceType"]}}
    url = f"{resource['resourceType']}/{resource['id']}"
    return {"request": {"method": "PUT", "url": url}}


def _retyped(bundle: Resource, kind: str, role: Callable[[Json], Json]) -> Resource:
    """Return the Bundle as another type; entries that have an id get a full URL."""
    entries = []
    for entry in bundle["entry"]:
        plain = {name: value for name, value in entry.items() if name not in _ROLES}
        if "fullUrl" not in plain and "id" in plain["resource"]:
            plain["fullUrl"] = location(bundle, plain)
        entries.append({**plain, **role(plain)})
    kept = {name: value for name, value in bundle.items() if name not in ("link", "total")}
    return {**kept, "type": kind, "entry": entries}


def in_parameters(bundle: Resource, _: Random) -> Resource:
    """Send the Bundle as the data of Parameters."""
    return {
        "resourceType": "Parameters",
        "parameter": [{"name": "data", "resource": bundle}],
    }


def in_two_parts(bundle: Resource, random: Random) -> Resource:
    """Send the Bundle in two halves, each a Bundle in a collection."""
    if bundle["resourceType"] == "Parameters":
        return bundle
    whole = as_collection(bundle, random)
    cut = random.randint(1, max(1, len(whole["entry"]) - 1))
    halves = (whole["entry"][:cut], whole["entry"][cut:])
    parts = [{"resource": {**whole, "entry": half}} for half in halves if half]
    return {"resourceType": "Bundle", "type": "collection", "entry": parts}
