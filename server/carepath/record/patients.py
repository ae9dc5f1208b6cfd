"""Which persons the Patients of a content are: copies of one person, and merged records.

https://hl7.org/fhir/R4/patient.html#links and https://hl7.org/fhir/R4/references.html#contained
"""

import json
from collections.abc import Iterator
from functools import cached_property
from typing import Any

from carepath.record.content import Content
from carepath.record.names import identifier, identifiers, only
from carepath.record.understood import not_understood
from carepath.record.urls import normal, server_of
from carepath.resources import Resource

SUBJECT_ELEMENTS = ("subject", "patient", "for", "beneficiary", "candidate", "individual", "actor")


class Patients:
    """The persons of a content; each is known by one Patient, that of the surviving record."""

    def __init__(self, content: Content) -> None:
        self._content = content
        self._survivors: dict[int, Resource] = {}
        self._old_names: dict[str, Resource] = {}
        self._old_identifiers: dict[tuple[str, str], Resource] = {}
        # Each that was sent as a Patient is a person of its own, until links say otherwise.
        self._contained = {} if "Patient" in content.by_type else _merged(content)
        persons = {id(person): person for person in self._contained.values()}
        self.all = tuple(content.by_type.get("Patient") or persons.values())
        self._ids = {id(patient) for patient in self.all}
        for patient in self.all:
            if "link" in patient and not_understood(patient) is None:
                self._read_links(patient)

    @cached_property
    def surviving(self) -> tuple[Resource, ...]:
        """Return the Patients that no other one replaces."""
        return tuple(p for p in self.all if self.survivor(p) is p)

    @cached_property
    def _records(self) -> dict[int, list[Resource]]:
        found: dict[int, list[Resource]] = {}
        for patient in self.all:
            found.setdefault(id(self.survivor(patient)), []).append(patient)
        return found

    def survivor(self, patient: Resource) -> Resource:
        """Return the record that now stands for a Patient: itself, or the one it was merged into.

        Records that replace each other in a circle replace nobody.
        """
        current, seen = patient, {id(patient)}
        while id(current) in self._survivors:
            current = self._survivors[id(current)]
            if id(current) in seen:
                return patient
            seen.add(id(current))
        return current

    def records_of(self, patient: Resource) -> tuple[Resource, ...]:
        """Return the sent records of one person, by that which survives."""
        return tuple(self._records.get(id(patient), ()))

    def person(self, patient: Resource) -> Resource | None:
        """Return the Patient of the content that a sent or contained Patient is, None if nobody."""
        if id(patient) in self._ids:
            return self.survivor(patient)
        same = (p for key in _keys(patient) for p in self._by_key.get(key, ()))
        return only(list({id(p): p for p in map(self.survivor, same)}.values()))

    def replaced(self, reference: dict[str, Any], within: Resource) -> Resource | None:
        """Return the surviving Patient when a reference means a replaced one that was not sent."""
        text = reference.get("reference")
        found = None
        if isinstance(text, str):
            found = self._old_names.get(self._absolute(text, within))
        wanted = identifier(reference.get("identifier"))
        if found is None and wanted is not None:
            found = self._old_identifiers.get(wanted)
        return None if found is None else self.survivor(found)

    @cached_property
    def _by_key(self) -> dict[object, list[Resource]]:
        """Return the Patients by what makes a contained one the same person."""
        found = {key: [person] for key, person in self._contained.items()}
        for patient in () if found else self.all:
            for key in _keys(patient):
                found.setdefault(key, []).append(patient)
        return found

    def _absolute(self, text: str, within: Resource) -> str:
        """Return the name of what is not here: with its server where that is known."""
        name = normal(text)
        server = server_of(self._content.full_url(within))
        return f"{server}/{name}" if server and name.count("/") == 1 else name

    def _read_links(self, patient: Resource) -> None:
        for kind, other in links_of(patient):
            target = self._content.target(other, patient).resource
            is_patient = id(target) in self._ids
            if kind == "replaced-by" and is_patient and target is not None:
                self._survivors[id(patient)] = target
            elif kind == "replaces" and is_patient:
                self._survivors.setdefault(id(target), patient)
            elif kind == "replaces":
                self._note_old(patient, other)

    def _note_old(self, patient: Resource, other: dict[str, Any]) -> None:
        """Remember the names of a replaced record that was not sent."""
        text, wanted = other.get("reference"), identifier(other.get("identifier"))
        if isinstance(text, str) and text:
            self._old_names[normal(text)] = self._old_names[self._absolute(text, patient)] = patient
        if wanted is not None:
            self._old_identifiers[wanted] = patient


def links_of(patient: Resource) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield type and Reference of each link of a Patient."""
    links = patient.get("link")
    for link in links if isinstance(links, list) else ():
        other = link.get("other") if isinstance(link, dict) else None
        if isinstance(other, dict):
            yield str(link.get("type")), other


def as_list(value: Any) -> list[Any]:
    """Return a list as it is, nothing as an empty list, anything else as its only item."""
    if isinstance(value, list):
        return value
    return [] if value is None else [value]


def _contained_subjects(content: Content) -> Iterator[Resource]:
    """Yield the contained Patients that resources are about."""
    for resources in content.by_type.values():
        for resource in resources:
            if "contained" not in resource or content.is_left_out(resource):
                continue
            for name in SUBJECT_ELEMENTS:
                for reference in as_list(resource.get(name)):
                    text = reference.get("reference") if isinstance(reference, dict) else None
                    if isinstance(text, str) and text.startswith("#"):
                        found = content.find(text, resource).resource
                        if found is not None and found.get("resourceType") == "Patient":
                            yield found


def _merged(content: Content) -> dict[object, Resource]:
    """Return the contained Patients that are subjects, one for each person, by their keys."""
    found: dict[object, Resource] = {}
    for patient in _contained_subjects(content):
        keys = _keys(patient)
        person = next((found[key] for key in keys if key in found), patient)
        for key in keys:
            found.setdefault(key, person)
    return found


def _keys(patient: Resource) -> list[object]:
    """Return what makes two Patients one person: an identifier with its system, or everything.

    A Patient of whom nothing is said is like no other.
    """
    keys: list[object] = [i for i in identifiers(patient) if i[0]]
    said = {k: v for k, v in patient.items() if k not in ("resourceType", "id", "meta", "text")}
    return [*keys, json.dumps(said, sort_keys=True, default=str) if said else id(patient)]
