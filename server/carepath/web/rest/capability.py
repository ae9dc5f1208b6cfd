"""The CapabilityStatement, made from the tables that the service itself works by.

https://hl7.org/fhir/R4/capabilitystatement.html
"""

import hashlib
from collections.abc import Iterable
from importlib.metadata import version

from carepath.formats import json as json_codec
from carepath.r4.model import RESOURCE_TYPES
from carepath.resources import Resource
from carepath.web.definitions import DEFINITION_TYPES
from carepath.web.operations.model import Operation
from carepath.web.operations.table import operations
from carepath.web.search.index import includes, parameters
from carepath.web.service import Service

FHIR_VERSION = "4.0.1"
INTERACTIONS = ("read", "vread", "history-instance", "search-type")
_FORMATS = ("application/fhir+json", "application/fhir+xml", "json", "xml")
_CRMI = "http://hl7.org/fhir/uv/crmi/CapabilityStatement/crmi-shareable-artifact-repository"
_ABOUT = (
    "Applies clinical pathways to the data that a request brings and explains every decision. "
    "It stores no patient data."
)


def capability_statement(service: Service, base: str, security: Resource | None = None) -> Resource:
    """Return the CapabilityStatement of this instance as seen under a base URL.

    `security` is what it says of logging in, None where nobody is asked.
    """
    release = version("carepath")
    return {
        "resourceType": "CapabilityStatement",
        "id": "carepath",
        "url": f"{base}/metadata",
        "version": release,
        "name": "Carepath",
        "title": "Carepath, a clinical pathway service",
        "status": "active",
        "experimental": True,
        "date": service.started.isoformat(timespec="seconds"),
        "publisher": "Carepath",
        "description": _ABOUT,
        "kind": "instance",
        "instantiates": [_CRMI],
        "software": {"name": "Carepath", "version": release},
        "implementation": {"description": "Carepath", "url": base},
        "fhirVersion": FHIR_VERSION,
        "format": list(_FORMATS),
        "rest": [_rest(base, security)],
    }


def tag_of(statement: Resource) -> str:
    """Return a tag that changes when the statement does."""
    return hashlib.sha256(json_codec.encode(statement)).hexdigest()[:16]


def _rest(base: str, security: Resource | None) -> Resource:
    return {
        "mode": "server",
        "documentation": (
            "`Prefer: handling=strict` refuses search parameters that are otherwise ignored. "
            "A batch holds reads, searches and operations; there are no transactions."
        ),
        **({"security": security} if security else {}),
        "interaction": [{"code": "batch"}],
        "resource": [_resource(name, base) for name in sorted(RESOURCE_TYPES)],
        "operation": _operations([o for o in operations() if "system" in o.levels], base),
    }


def _resource(resource_type: str, base: str) -> Resource:
    """Return what can be done with one type: with definitions much, with others operations."""
    held = _held(resource_type) if resource_type in DEFINITION_TYPES else {}
    found = [o for o in operations() if {resource_type, "Resource"} & {*o.resources}]
    return {"type": resource_type, **held, "operation": _operations(found, base)}


def _held(resource_type: str) -> Resource:
    """Return what can be done with one type of definition, beside operations."""
    found = [
        {"name": code, "definition": p.url, "type": p.type}
        for code, p in parameters(resource_type).items()
    ]
    resource: Resource = {
        "interaction": [{"code": code} for code in INTERACTIONS],
        "versioning": "versioned",
        "readHistory": True,
        "conditionalRead": "full-support",
        "searchInclude": list(includes(resource_type)),
        "searchParam": found,
    }
    return {name: value for name, value in resource.items() if value != []}


def _operations(found: Iterable[Operation], base: str) -> list[Resource]:
    return [{"name": o.code, "definition": f"{base}/OperationDefinition/{o.id}"} for o in found]
