"""Whose a resource is: by its subject, and by whatever else in it may name another person.

https://hl7.org/fhir/R4/references.html and https://hl7.org/fhir/R4/observation.html#focus
"""

from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Any, NamedTuple

from carepath.r4.model import type_of
from carepath.record.content import Content, contradicts
from carepath.record.family_names import FamilyNames
from carepath.record.names import Identifier, identifier, only
from carepath.record.patients import SUBJECT_ELEMENTS, Patients, as_list
from carepath.record.remarks import Remark
from carepath.record.urls import normal, search_in, type_and_id
from carepath.resources import Resource

_AROUND = ("encounter", "context", "specimen", "partOf", "basedOn", "derivedFrom")
_BESIDE = frozenset({*_AROUND, "focus"})
_PLAIN = frozenset({"display", "reference"})
"""Elements of a Reference that is read the same wherever it stands on a server."""

_PERSONS = frozenset(
    {
        "FamilyMemberHistory",
        "Group",
        "Patient",
        "Person",
        "Practitioner",
        "PractitionerRole",
        "RelatedPerson",
    }
)
_ELSEWHERE = "it refers to a patient who is not in the data"


class Whose(NamedTuple):
    """Whose a resource is: `patients` by their `id()`, and why it is nobody's.

    Without patients and without a reason it names nobody.  `is_stray` tells that only the patient
    is missing; every other reason is a doubt about whom the resource is about.
    """

    patients: frozenset[int] = frozenset()
    reason: str = ""
    is_stray: bool = False
    is_shared: bool = False
    """Resources of this type are about nobody in particular (an Organization)."""


NOBODY = Whose()
_ANYBODY = 0


class Subjects:
    """Works out whose each resource of a content is, when first asked."""

    def __init__(self, content: Content) -> None:
        self._content = content
        self._known: dict[int, Whose] = {}
        self._answers: dict[tuple[str, str], Whose] = {}
        self._sorted: dict[str, dict[int, list[int]]] = {}
        self._guesses: dict[int, dict[str, Remark]] = {}

    @cached_property
    def patients(self) -> Patients:
        """Return the persons of the content."""
        return Patients(self._content)

    def whose(self, resource: Resource) -> Whose:
        """Return whose a resource (as it was sent) is."""
        known = self._known.get(id(resource))
        if known is None:
            known = self._known[id(resource)] = self._work_out(resource)
        return known

    def candidates(self, resource_type: str, patient: Resource) -> frozenset[int] | None:
        """Return where the resources of a type stand that are not another patient's.

        None while there is one patient only: then it costs less to ask for each resource.  With
        several, every resource is looked at once for all of them.
        """
        if len(self.patients.surviving) <= 1:
            return None
        found = self._sorted.get(resource_type)
        if found is None:
            found = self._sorted[resource_type] = {}
            for n, resource in enumerate(self._content.by_type.get(resource_type, ())):
                for owner in self.whose(resource).patients or (_ANYBODY,):
                    found.setdefault(owner, []).append(n)
        return frozenset((*found.get(id(patient), ()), *found.get(_ANYBODY, ())))

    def _work_out(self, resource: Resource) -> Whose:
        if resource["resourceType"] == "Patient":
            person = self.patients.person(resource)
            return NOBODY if person is None else Whose(frozenset({id(person)}))
        named = self._named(resource)
        if not _BESIDE.isdisjoint(resource):
            named = self._with_what_is_beside(resource, named)
        if named == NOBODY and not has_subject(resource):
            return Whose(is_shared=True)
        return named

    def _with_what_is_beside(self, resource: Resource, named: Whose) -> Whose:
        """Return whose a resource is by what it was made in, and by a focus that is a person."""
        for name, target in self._around(resource):
            other = self._named(target)
            if other.patients and (named == NOBODY or named.is_shared):
                named = other
            elif _is_other(other, named):
                return Whose(reason=f"its `{name}` is another patient's")
        focus = self._other_focus(resource, named)
        if focus:
            return Whose(reason=f"its focus is another person, {focus}")
        return named

    def _named(self, resource: Resource) -> Whose:
        """Return whom the subject of a resource names, in whatever element it stands."""
        found: list[Whose] = []
        for references in _subjects(resource):
            answers = [self._answer_once(reference, resource) for reference in references]
            answers = [answer for answer in answers if answer != NOBODY]
            if answers:
                found.append(_any_of(answers))
        if not found:
            return NOBODY
        first = found[0]
        for other in found[1:]:
            if first.patients != other.patients:
                return Whose(reason="it names more than one person as its subject")
        return first

    def _answer_once(self, reference: Any, within: Resource) -> Whose:
        """Return the same as `_answer`; most resources name their subject in the same words.

        Where there is no text the display tells, and what `#` means depends on the resource.
        """
        text = reference.get("reference") if isinstance(reference, dict) else None
        if not isinstance(text, str) or text[:1] in "#" or not _PLAIN.issuperset(reference):
            return self._answer(reference, within)
        key = (text, self._content.server_of(within))
        known = self._answers.get(key)
        if known is None:
            known = self._answers[key] = self._answer(reference, within)
        return known

    def _answer(self, reference: Any, within: Resource) -> Whose:
        """Return whom one reference names."""
        if isinstance(reference, str):
            reference = {"reference": reference}
        if not isinstance(reference, dict):
            return NOBODY
        if not (reference.get("reference") or reference.get("identifier")):
            return self._by_display(reference)
        found = self._content.target(reference, within)
        if found.resource is None:
            return self._not_found(reference, within)
        if found.resource.get("resourceType") != "Patient":
            return Whose(reason=_no_patient(found.resource.get("resourceType")))
        person = self.patients.person(found.resource)
        if person is None:
            return Whose(reason="it is about another patient, who is contained in it")
        if found.is_guess:
            self._note_guess(person, reference["reference"])
        return Whose(frozenset({id(person)}))

    def _not_found(self, reference: Resource, within: Resource) -> Whose:
        """Return what a reference tells that leads to no resource of the content."""
        text, wanted = reference.get("reference"), identifier(reference.get("identifier"))
        literal = text if isinstance(text, str) else ""
        named = self._content.find(literal, within).resource if literal else None
        if named is not None and wanted is not None and contradicts(named, wanted):
            return Whose(reason="the identifier of its subject is another patient's")
        replaced = self.patients.replaced(reference, within)
        if replaced is None:
            replaced = self._of_several_records(literal, wanted)
        if replaced is not None:
            return Whose(frozenset({id(replaced)}))
        kind = reference_type(reference)
        if kind and kind != "Patient":
            return Whose(reason=_no_patient(kind))
        return Whose(reason=_ELSEWHERE, is_stray=True)

    def _of_several_records(self, literal: str, wanted: Identifier | None) -> Resource | None:
        """Return the person when all records that have an identifier are of one person."""
        names, search = self._content.names_of("Patient"), search_in(literal)
        if search is not None and search.type == "Patient":
            found = names.search(search)
        else:
            found = [] if wanted is None else names.holders(wanted)
        persons = {id(p): p for p in map(self.patients.person, found) if p is not None}
        return only(list(persons.values()))

    def _by_display(self, reference: Resource) -> Whose:
        """Return whom a display names: the only patient whose family name is in it."""
        display, kind = reference.get("display"), reference.get("type")
        if isinstance(kind, str) and kind not in ("", "Patient"):
            return Whose(reason=_no_patient(kind))
        if not isinstance(display, str) or not display.strip():
            return NOBODY
        found = self._family_names.in_display(display)
        if len(found) == 1:
            return Whose(found)
        return Whose(reason="its subject has a display only, which may be another patient's name")

    @cached_property
    def _family_names(self) -> FamilyNames:
        return FamilyNames(self.patients)

    def _around(self, resource: Resource) -> Iterator[tuple[str, Resource]]:
        """Yield what a resource was made in or from, and is about the same person as it."""
        for name in (*_AROUND, "focus"):
            if name in resource:
                for reference in as_list(resource[name]):
                    target = self._content.target(reference, resource).resource
                    if target is not None and target.get("resourceType") not in _PERSONS:
                        yield name, target

    def _other_focus(self, resource: Resource, named: Whose) -> str:
        """Return the name of a focus that is a person other than the patient, else nothing."""
        for reference in as_list(resource.get("focus")):
            if not isinstance(reference, dict):
                continue
            target = self._content.target(reference, resource).resource
            kind = reference_type(reference) if target is None else target.get("resourceType")
            if kind not in _PERSONS:
                continue
            person = None if target is None or kind != "Patient" else self.patients.person(target)
            if person is None:
                person = self.patients.replaced(reference, resource)
            if person is None or (named.patients and id(person) not in named.patients):
                text = reference.get("reference")
                return f"`{text}`" if isinstance(text, str) else f"a {kind}"
        return ""

    def guesses(self, patient: Resource) -> Iterable[Remark]:
        """Return the addresses that were taken for a patient without their server, so far."""
        return self._guesses.get(id(patient), {}).values()

    def _note_guess(self, person: Resource, text: str) -> None:
        """Remember an address that was read without its server."""
        name = "/".join(type_and_id(normal(text)))
        sentence = f"`{text}` was read as `{name}`, although no resource was sent with the address "
        sentence += "of a server: it may be another patient with the same id."
        made = self._guesses.setdefault(id(person), {})
        made[text] = Remark("references", "warning", "not-found", name, sentence)


def has_subject(resource: Resource) -> bool:
    """Tell whether a resource of this type is about somebody (an Organization is not)."""
    found = type_of(resource["resourceType"])
    return found is not None and any(
        "Patient" in found.elements[name].targets
        for name in SUBJECT_ELEMENTS
        if name in found.elements
    )


def reference_type(reference: Resource) -> str:
    """Return the type of resource that a Reference says it leads to, empty when it says none."""
    text, kind = reference.get("reference"), reference.get("type")
    if isinstance(text, str):
        search = search_in(text)
        named = search.type if search is not None else type_and_id(normal(text))[0]
        if named:
            return named
    return kind.rpartition("/")[2] if isinstance(kind, str) else ""


def _subjects(resource: Resource) -> Iterator[list[Any]]:
    """Yield the references of each element that says whom a resource is about."""
    for name in SUBJECT_ELEMENTS:
        if name in resource:
            yield as_list(resource[name])
    if "participant" not in resource:
        return
    participants = as_list(resource["participant"])
    actors = [p["actor"] for p in participants if isinstance(p, dict) and "actor" in p]
    # Practitioners and rooms take part, too.
    yield [a for a in actors if isinstance(a, dict) and reference_type(a) == "Patient"]


def _no_patient(kind: Any) -> str:
    return f"its subject is no Patient but a resource of type {kind}"


def _any_of(answers: list[Whose]) -> Whose:
    """Return whom the references of one element name together."""
    if len(answers) == 1:
        return answers[0]
    patients = frozenset(patient for answer in answers for patient in answer.patients)
    return Whose(patients) if patients else answers[0]


def _is_other(other: Whose, named: Whose) -> bool:
    """Tell whether what is around a resource is about somebody whom the resource does not name."""
    if other.patients:
        return bool(named.patients) and not other.patients & named.patients
    return other.is_stray
