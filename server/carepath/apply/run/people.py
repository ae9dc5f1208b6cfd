"""Whom an application names: the subject, and the practitioner, organization and encounter given.

https://hl7.org/fhir/R4/plandefinition-operation-apply.html
"""

from collections.abc import Mapping
from typing import Any

from carepath.apply.compile.activity_elements import DATA_ABSENT
from carepath.apply.request import ApplyRequest
from carepath.apply.run.evidence_elements import targets_of
from carepath.fhirpath import Node
from carepath.record import Record
from carepath.resources import Resource, concept_text

_PARTICIPANT_TEXT = {
    "patient": "Patient",
    "practitioner": "Practitioner",
    "related-person": "Related person",
    "device": "Device",
}


class People:
    """References to those who take part, ready to be put into the answer."""

    def __init__(self, request: ApplyRequest, record: Record) -> None:
        self._record = record
        self.subject = _subject_reference(record)
        self.subject_type = str((record.subject or {}).get("resourceType", "Patient"))
        """What the plan is applied to: mostly a Patient."""
        self.encounter = _reference(request.encounter)
        self.practitioner = _reference(request.practitioner)
        self.organization = _reference(request.organization)
        self._by_type: Mapping[str, Resource | None] = {
            "Practitioner": self.practitioner,
            "PractitionerRole": self.practitioner,
            "Organization": self.organization,
            "Encounter": self.encounter,
            "": self.subject,
            self.subject_type: self.subject,
        }

    def resource(self, reference: str | None) -> Any:
        """Return the resource that a parameter names, a Reference when it is not in the data."""
        if reference is None:
            return []
        found = self._record.resolve(reference)
        return Node({"reference": reference}, "Reference") if found is None else found

    def is_absent(self, name: str) -> bool:
        """Tell whether the request names an encounter, practitioner or organization not sent."""
        reference: Resource | None = getattr(self, name)
        return reference is not None and self._record.resolve(reference["reference"]) is None

    def of_type(self, resource_type: str) -> Resource | None:
        """Return whom a subject of a type means, None when the request names nobody of it."""
        return self._by_type.get(resource_type)

    def subject_in(self, resource_type: str) -> Resource:
        """Return the subject as the element `subject` of a type says it.

        R4 lets a CarePlan refer to a Patient or a Group only: anything else is named in words, and
        that the element cannot refer to it is said.
        """
        targets = targets_of(resource_type, "subject")
        if self.subject_type in targets:
            return self.subject
        absent = {"url": DATA_ABSENT, "valueCode": "unsupported"}
        name = self.subject.get("reference") or f"The {self.subject_type} of this request"
        return {"extension": [absent], "display": name}

    def author(self, *types: str) -> Resource | None:
        """Return the practitioner, else the organization, if its type is among those allowed."""
        for reference in (self.practitioner, self.organization):
            if reference is not None and (not types or self._type(reference) in types):
                return reference
        return None

    def participant(self, participant: Resource) -> Resource:
        """Return the Reference for a participant; one that is not known is displayed only."""
        kind = str(participant.get("type"))
        known = {"patient": self.of_type("Patient"), "practitioner": self.practitioner}.get(kind)
        if known is not None:
            return known
        text = concept_text(participant.get("role")) or _PARTICIPANT_TEXT.get(kind, kind)
        return {"display": text}

    def type_of(self, reference: Resource) -> str:
        """Return the resource type that a Reference points to, empty when it is not known."""
        return self._type(reference)

    def _type(self, reference: Resource) -> str:
        text = str(reference.get("reference", ""))
        head, separator, _ = text.rpartition("/")
        if separator and not text.startswith("urn:"):
            return head.rpartition("/")[2]
        resource = self._record.resolve(text)
        return str((resource or {}).get("resourceType", ""))


def _reference(text: str | None) -> Resource | None:
    return None if not text else {"reference": text}


def _subject_reference(record: Record) -> Resource:
    """Return the Reference to the subject; one that was sent without any name is only described."""
    subject = record.subject or {"resourceType": "Patient"}
    text = record.reference_to(subject)
    if text:
        return {"reference": text}
    identifiers = subject.get("identifier")
    if isinstance(identifiers, list) and identifiers and isinstance(identifiers[0], dict):
        return {"type": subject["resourceType"], "identifier": identifiers[0]}
    return {
        "type": subject["resourceType"],
        "display": f"The {subject['resourceType'].lower()} of this request",
    }
