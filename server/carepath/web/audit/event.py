"""One request as an AuditEvent.

https://hl7.org/fhir/R4/auditevent.html and, for the request id,
https://profiles.ihe.net/ITI/BALP/content.html

It holds no data of a patient: neither what was sent nor what was answered.
"""

import hmac
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from carepath.resources import Resource

_DCM = "http://terminology.hl7.org/CodeSystem/audit-event-type"
_ENTITY = "http://terminology.hl7.org/CodeSystem/audit-entity-type"
_ROLE = "http://terminology.hl7.org/CodeSystem/object-role"
_BALP = "https://profiles.ihe.net/ITI/BALP/CodeSystem/BasicAuditEntityType"
PSEUDONYM = "https://carepath.example/fhir/audit-pseudonym"
"""The system of what stands for a patient where there is a key."""

_REFUSED_FROM, _FAILED_FROM = 400, 500
_IP_ADDRESS = "2"


@dataclass(frozen=True, slots=True)
class Asked:
    """What there is to say of a request and its answer."""

    method: str
    route: str
    """The pattern of its URL, which names no patient."""
    operation: str
    """The name of the operation, '' for none."""
    status: int
    recorded: datetime
    request_id: str
    client: str
    """Who asked, as the registry calls them; '' for somebody who is not known."""
    address: str
    patients: tuple[str, ...]
    plans: tuple[str, ...]


def event_of(asked: Asked, key: bytes = b"") -> Resource:
    """Return the AuditEvent of a request; with a key patients are told apart by a keyed hash."""
    what = f"${asked.operation}" if asked.operation else f"{asked.method} {asked.route}"
    return {
        "resourceType": "AuditEvent",
        "type": {"system": _DCM, "code": "rest", "display": "RESTful Operation"},
        "subtype": [_interaction(asked)],
        "action": "E",
        "recorded": asked.recorded.isoformat(),
        "outcome": _outcome(asked.status),
        "outcomeDesc": f"{what}: status {asked.status}",
        "agent": [_agent(asked)],
        "source": {"observer": {"display": "Carepath"}},
        "entity": list(_entities(asked, key)),
    }


def _interaction(asked: Asked) -> Resource:
    # Calls of CDS Hooks and forms ask for a plan as an operation does.
    code = "batch" if asked.route == "/fhir" else "operation"
    return {"system": "http://hl7.org/fhir/restful-interaction", "code": code}


def _outcome(status: int) -> str:
    """Return how it ended: 0 well, 4 refused, 8 failed.

    https://hl7.org/fhir/R4/valueset-audit-event-outcome.html
    """
    return "0" if status < _REFUSED_FROM else "4" if status < _FAILED_FROM else "8"


def _agent(asked: Asked) -> Resource:
    who: Resource = {"who": {"display": asked.client}} if asked.client else {"name": "not known"}
    network = {"address": asked.address, "type": _IP_ADDRESS}
    who["requestor"] = True  # codespell:ignore requestor
    return {**who, **({"network": network} if asked.address else {})}


def _entities(asked: Asked, key: bytes) -> Iterator[Resource]:
    person = {"system": _ENTITY, "code": "1", "display": "Person"}
    patient = {"system": _ROLE, "code": "1", "display": "Patient"}
    for reference in dict.fromkeys(filter(None, asked.patients)):
        yield {"what": _named(reference, key), "type": person, "role": patient}
    for canonical in dict.fromkeys(asked.plans):
        plan = {"identifier": {"system": "urn:ietf:rfc:3986", "value": canonical}}
        yield {"what": plan, "type": {"system": _ENTITY, "code": "2", "display": "System Object"}}
    request: dict[str, Any] = {"identifier": {"value": asked.request_id}}
    yield {"what": request, "type": {"system": _BALP, "code": "XrequestId"}}


def _named(reference: str, key: bytes) -> Resource:
    """Return what stands for a patient: the reference, or with a key its keyed hash."""
    if not key:
        return {"reference": reference}
    value = hmac.new(key, reference.encode(), "sha256").hexdigest()
    return {"identifier": {"system": PSEUDONYM, "value": value}}
