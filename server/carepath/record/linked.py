"""Other records of a person that a link names and nobody merged: their data are told, not read.

https://hl7.org/fhir/R4/patient-definitions.html#Patient.link.type and
https://hl7.org/fhir/R4/person.html
"""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any, NamedTuple

from carepath.record.content import Content
from carepath.record.patients import Patients, as_list, links_of
from carepath.record.remarks import Remark
from carepath.record.subjects import reference_type
from carepath.record.understood import not_understood
from carepath.resources import Resource

_STAYING = frozenset({"refer", "seealso"})
"""Links to records that go on beside this one; the other two tell which one replaced which."""


class _Member(NamedTuple):
    """One of the records that a link joins: the Patient when it was sent, and its name."""

    patient: Resource | None
    name: str


class _Group(NamedTuple):
    """Records of one person, and the element that says so."""

    element: str
    members: tuple[_Member, ...]


class Linked:
    """The groups of records that the Patients and Persons of a content join."""

    def __init__(self, content: Content, patients: Patients) -> None:
        self._content = content
        self._patients = patients
        self._groups: dict[int, list[_Group]] = defaultdict(list)
        for group in (*self._of_patients(), *self._of_persons()):
            for member in group.members:
                if member.patient is not None:
                    self._groups[id(member.patient)].append(group)

    def remarks(self, patient: Resource, name: str) -> Iterator[Remark]:
        """Yield one remark for each other record of a Patient, who is told of by this name."""
        for group in self._groups.get(id(patient), ()):
            for other in group.members:
                if other.patient is not patient:
                    yield _remark(name, other, group.element)

    def _of_patients(self) -> Iterator[_Group]:
        for patient in self._patients.all:
            if "link" not in patient or not_understood(patient) is not None:
                continue
            own = self._sent(patient)
            for kind, reference in links_of(patient):
                other = self._member(reference, patient)
                if kind in _STAYING and own is not None and other is not None:
                    yield _Group("Patient.link", (own, other))

    def _of_persons(self) -> Iterator[_Group]:
        for person in self._content.by_type.get("Person", ()):
            if person.get("active") is False or not_understood(person) is not None:
                continue
            links = (link for link in as_list(person.get("link")) if isinstance(link, dict))
            found = (self._member(link.get("target"), person) for link in links)
            yield _Group("Person.link", tuple(member for member in found if member is not None))

    def _member(self, reference: Any, within: Resource) -> _Member | None:
        """Return the record that a reference means, None when it means no Patient."""
        if not isinstance(reference, dict):
            return None
        found = self._content.target(reference, within).resource
        found = found or self._patients.replaced(reference, within)
        if found is not None:
            return self._sent(found) if found.get("resourceType") == "Patient" else None
        if reference_type(reference) not in ("", "Patient"):
            return None
        text = reference.get("reference")
        return _Member(None, f"`{text}`" if isinstance(text, str) and text else "without a name")

    def _sent(self, patient: Resource) -> _Member | None:
        """Return the surviving record that a Patient of the content is."""
        person = self._patients.person(patient)
        if person is None:
            return None
        return _Member(person, f"`{self._content.reference_to(person) or 'Patient'}`")


def _remark(name: str, other: _Member, element: str) -> Remark:
    """Return what is told of another record: a warning only where its data are at hand."""
    text = f"`{name}` has another record, {other.name} (`{element}`)"
    if other.patient is None:
        text += ", which was not sent: what is recorded there is not known."
        return Remark("links", "information", "informational", name, text)
    text += ": what was sent of that record was not read."
    return Remark("links", "warning", "business-rule", name, text)
