"""Whose a line is, told by a look at the few elements that say so.

https://hl7.org/fhir/R4/compartmentdefinition-patient.html and
https://hl7.org/fhir/R4/references.html

The elements are those by which a record decides whom a resource is about (`record/subjects`), not
all of the compartment: who only performed or informed is no patient of the resource.
"""

import re
from functools import cache
from typing import NamedTuple

import msgspec

from carepath.r4.model import RESOURCE_TYPES, Element, type_of
from carepath.record import SUBJECT_ELEMENTS

PATIENT = "Patient/"


class Reference(msgspec.Struct):
    """What of a Reference tells whom it means."""

    reference: str = ""
    type: str = ""


class Participant(msgspec.Struct):
    """Somebody who takes part, for instance in an Appointment."""

    actor: Reference | None = None


References = Reference | list[Reference] | None


class Head(msgspec.Struct, rename={"for_": "for"}):
    """What of a resource tells what it is and whose."""

    resourceType: str = ""  # noqa: N815 - the name in FHIR
    id: str = ""
    subject: References = None
    patient: References = None
    for_: References = None
    beneficiary: References = None
    candidate: References = None
    individual: References = None
    actor: References = None
    participant: list[Participant] | Participant | None = None


class Owners(NamedTuple):
    """Whose a line is: names of patients, or the reason why it is nobody's.

    `is_shared` tells that resources of the type are about nobody in particular.  `hides` tells that
    it is somebody's, and nobody knows whose.
    """

    keys: tuple[str, ...] = ()
    reason: str = ""
    is_shared: bool = False
    hides: bool = False


_decoder = msgspec.json.Decoder(Head)
_FIELDS = tuple("for_" if name == "for" else name for name in SUBJECT_ELEMENTS)
_URN = "urn:uuid:"
_STOCK = frozenset({"Account", "Basic", "CareTeam", "Contract", "Device", "Invoice", "List"})
"""Types of which many are nobody's, and rightly so: a pump that waits in a cupboard."""
_TYPE = re.compile(rb'"resourceType"\s*:\s*"(\w+)"')
_SUBJECT = re.compile(
    rb'"(?:subject|patient|for|beneficiary)"\s*:\s*\{[^{}]*"reference"\s*:\s*"([^"\\]+)"'
)
_ID = re.compile(rb'"id"\s*:\s*"([^"\\]+)"')


def head_of(data: bytes) -> Head | None:
    """Return what a line says of itself, None when it is no JSON of the right shape."""
    try:
        return _decoder.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def owners(head: Head, base: str) -> Owners:
    """Return whose a resource is, of an export of a server with this base URL ('' unknown)."""
    kind = head.resourceType
    if kind == "Patient":
        if head.id:
            return Owners((PATIENT + head.id,))
        return Owners(
            reason="the Patient has no id, so nothing can be said to be theirs", hides=True
        )
    if kind not in RESOURCE_TYPES:
        named = f"`{kind}` is no resource type of R4" if kind else "it has no `resourceType`"
        return Owners(reason=named, hides=not kind)
    if not is_about_somebody(kind):
        return Owners(is_shared=True)
    references = _references(head)
    if not references and kind in _STOCK:
        return Owners(is_shared=True)
    return _named(references, base)


@cache
def is_about_somebody(resource_type: str) -> bool:
    """Tell whether resources of a type may be about a patient (an Organization is not)."""
    found = type_of(resource_type)
    if found is None:
        return False
    elements = found.elements
    if any(_may_be_patient(elements[name]) for name in SUBJECT_ELEMENTS if name in elements):
        return True
    people = type_of(elements["participant"].type) if "participant" in elements else None
    return people is not None and "actor" in people.elements


def _may_be_patient(element: Element) -> bool:
    """Tell whether an element is a reference to a Patient, or to anything."""
    return element.type == "Reference" and (not element.targets or "Patient" in element.targets)


def guessed(data: bytes, base: str) -> tuple[str, str]:
    """Return type and owner of a line that is no JSON, as far as its text tells; '' for neither."""
    kind = _TYPE.search(data)
    name = kind[1].decode() if kind is not None else ""
    if name == "Patient":
        found = _ID.search(data)
        return name, PATIENT + found[1].decode(errors="replace") if found is not None else ""
    subject = _SUBJECT.search(data)
    if subject is None:
        return name, ""
    return name, patient_of(subject[1].decode(errors="replace"), base)


def patient_of(reference: str, base: str) -> str:
    """Return the name `Patient/id` that a reference means, '' when it means no patient here."""
    text = reference.partition("/_history/")[0]
    if text.startswith(PATIENT) and "/" not in text[len(PATIENT) :]:
        return text
    if text[: len(_URN)].lower() == _URN:
        return PATIENT + text[len(_URN) :].lower()
    server, mark, id_ = text.rpartition("/Patient/")
    if not mark or not id_ or "?" in text:
        return ""
    return "" if base and server.rstrip("/").lower() != base.lower() else PATIENT + id_


def _references(head: Head) -> list[Reference]:
    found: list[Reference] = []
    for name in _FIELDS:
        value = getattr(head, name)
        if value is not None:
            found += value if isinstance(value, list) else [value]
    people = head.participant
    for one in people if isinstance(people, list) else [people]:
        if one is not None and one.actor is not None:
            found.append(one.actor)
    return found


def _named(references: list[Reference], base: str) -> Owners:
    """Return whom references name together; who is no patient does not count."""
    keys = [key for one in references if (key := patient_of(one.reference, base))]
    if keys:
        return Owners(tuple(dict.fromkeys(keys)))
    for one in references:
        reason = _why_nobody(one)
        if reason:
            return Owners(reason=reason, hides=True)
    if references:
        return Owners(reason="it is about no patient")
    return Owners(reason="it names nobody as its subject", hides=True)


def _why_nobody(one: Reference) -> str:
    """Return why a reference that may mean a patient leads to none of the input."""
    text = one.reference
    if not text:
        is_other = one.type not in ("", "Patient")
        return "" if is_other else "its subject has no literal reference"
    if text.startswith("#"):
        return "its subject is contained in it"
    if "Patient?" in text:
        return "its subject is named by a search"
    if "/Patient/" in text:
        return "its subject is a patient on another server"
    return ""
