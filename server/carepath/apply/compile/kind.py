"""A kind of request: how it is made of its definition, and where it holds what every one has.

https://hl7.org/fhir/R4/activitydefinition-definitions.html#ActivityDefinition.kind
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from carepath.apply.compile.activity_elements import Source
from carepath.resources import Resource

Build = Callable[[Source], Resource]


@dataclass(frozen=True, slots=True)
class Kind:
    """Where a request of this kind holds what every request has; an empty name is nowhere."""

    build: Build
    subject: str = "subject"
    encounter: str = "encounter"
    requester: str = "requester"
    status: str = "draft"
    intent: bool = True
    priority: bool = True
    instantiates: Literal["list", "one", "extension", "own-extension", ""] = "list"
    forbids: Literal["element", "extension", ""] = ""
    """How the request says that something must not be done."""
    reason_reference: str = ""
    supporting: str = ""
    dates: tuple[str, ...] = ()
    """Elements that must say when the request was made."""
    values_only: tuple[str, str] | None = None
    """A list and the code that each of its items must have, which only a dynamicValue can give."""


def performer_type(source: Source) -> Resource:
    """Return the kind of performer, when one is named."""
    role = source.role()
    return {} if role is None else {"performerType": role}


def coded(system: str, code: str, display: str) -> dict[str, Any]:
    """Return a CodeableConcept of HL7 terminology."""
    coding = {"system": f"http://terminology.hl7.org/CodeSystem/{system}", "code": code}
    return {"coding": [{**coding, "display": display} if display else coding]}
