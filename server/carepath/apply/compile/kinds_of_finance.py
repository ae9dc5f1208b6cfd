"""Kinds of request: contracts, claims and enrolment.

https://hl7.org/fhir/R4/financial-module.html
"""

from collections.abc import Mapping

from carepath.apply.compile.activity_elements import ABSENT, Source
from carepath.apply.compile.kind import Kind, coded
from carepath.resources import Resource


def contract(source: Source) -> Resource:
    """Return what a Contract takes."""
    made: Resource = {}
    source.put(made, "type", "code")
    source.put(made, "topicReference", "productReference")
    source.put(made, "topicCodeableConcept", "productCodeableConcept")
    source.put(made, "applies", "timingPeriod")
    if source.activity.get("title"):
        made["title"] = source.activity["title"]
    return made


CONTRACT = Kind(
    contract,
    encounter="",
    requester="author",
    status="offered",
    intent=False,
    priority=False,
    instantiates="",
    supporting="supportingInfo",
)


def claim(source: Source) -> Resource:
    """Return what a Claim takes: a predetermination, since nothing has been done yet."""
    made: Resource = {"type": source.take("code") or ABSENT, "use": "predetermination"}
    product = source.take("productCodeableConcept")
    if product is not None:
        item: Resource = {"sequence": 1, "productOrService": product}
        source.put(item, "quantity", "quantity")
        made["item"] = [item]
    urgent = source.activity.get("priority") in ("stat", "asap", "urgent")
    made["priority"] = coded("processpriority", "stat" if urgent else "normal", "")
    made["provider"] = ABSENT
    made["insurance"] = [{"sequence": 1, "focal": True, "coverage": ABSENT}]
    return made


CLAIM = Kind(
    claim,
    subject="patient",
    encounter="",
    requester="provider",
    intent=False,
    priority=False,
    instantiates="",
    dates=("created",),
)


def enrollment_request(_: Source) -> Resource:
    """Return what an EnrollmentRequest takes: nothing but the patient."""
    return {}


ENROLLMENT_REQUEST = Kind(
    enrollment_request,
    subject="candidate",
    encounter="",
    requester="provider",
    intent=False,
    priority=False,
    instantiates="",
    dates=("created",),
)

FINANCE: Mapping[str, Kind] = {
    "Contract": CONTRACT,
    "Claim": CLAIM,
    "EnrollmentRequest": ENROLLMENT_REQUEST,
}
