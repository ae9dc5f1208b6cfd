"""What a sender may add to resources without saying more about the patient, and other zones.

https://hl7.org/fhir/R4/extensibility.html, https://hl7.org/fhir/R4/narrative.html and
https://hl7.org/fhir/R4/datatypes.html#dateTime
"""

import re
from copy import deepcopy
from datetime import UTC, datetime, timedelta, timezone
from random import Random
from typing import Any

from carepath.resources import Resource

from .bundles import Json, objects, resources

_ZONED = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
_EXTENSIONS = (
    {"url": "https://hospital.example/StructureDefinition/ward", "valueString": "7 West"},
    {
        "url": "https://hospital.example/StructureDefinition/account",
        "valueCoding": {"system": "https://hospital.example/accounts", "code": "B-2"},
    },
)
_EXTENDED = ("code", "subject", "bodySite", "valueQuantity", "valueCodeableConcept", "component")
_DIV = '<div xmlns="http://www.w3.org/1999/xhtml"><p>{}, as our system shows it</p></div>'


def sender_meta(bundle: Resource, _: Random) -> Resource:
    """Give each resource the `meta` of its sender: source, tag, time of the last update."""
    for resource in resources(bundle):
        meta = resource.get("meta", {})
        tags = meta.get("tag", [])
        tag = {"system": "https://hospital.example/tags", "code": "exported"}
        added = {"lastUpdated": "2026-01-02T03:04:05Z", "source": "https://hospital.example/his"}
        resource["meta"] = {**added, **meta, "tag": [*tags, tag]}
    return bundle


def narratives(bundle: Resource, _: Random) -> Resource:
    """Give each resource a generated narrative."""
    for resource in resources(bundle):
        div = _DIV.format(resource["resourceType"])
        resource.setdefault("text", {"status": "generated", "div": div})
    return bundle


def unknown_extensions(bundle: Resource, _: Random) -> Resource:
    """Put extensions that nobody knows on each resource, its elements and its status."""
    for resource in resources(bundle):
        elements = [resource.get(name) for name in _EXTENDED]
        for element in _flat([resource, *elements]):
            element["extension"] = [*element.get("extension", []), *deepcopy(_EXTENSIONS)]
        if isinstance(resource.get("status"), str):
            resource.setdefault("_status", {"extension": [dict(_EXTENSIONS[0])]})
    return bundle


def _flat(values: list[Any]) -> list[Json]:
    """Return the objects among values and lists of values."""
    items = [item for v in values for item in (v if isinstance(v, list) else [v])]
    return [item for item in items if isinstance(item, dict)]


def another_zone(bundle: Resource, random: Random) -> Resource:
    """Give each instant as the clocks of another time zone show it."""
    zone = timezone(
        timedelta(hours=random.choice((-10, -5, 0, 4, 12)), minutes=random.choice((0, 30)))
    )
    for resource in resources(bundle):
        for item in objects(resource):
            for name, value in item.items():
                if isinstance(value, str) and _ZONED.fullmatch(value):
                    item[name] = datetime.fromisoformat(value).astimezone(zone).isoformat()
    return bundle


def in_utc(bundle: Resource, _: Random) -> Resource:
    """Give each instant in UTC, with the letter Z."""
    for resource in resources(bundle):
        for item in objects(resource):
            for name, value in item.items():
                if isinstance(value, str) and _ZONED.fullmatch(value):
                    at = datetime.fromisoformat(value).astimezone(UTC)
                    item[name] = at.isoformat().replace("+00:00", "Z")
    return bundle
