"""Subjects of a plan that are no Patient: what is about them, and whether they are in use.

https://hl7.org/fhir/R4/plandefinition-operation-apply.html and
https://hl7.org/fhir/R4/valueset-subject-type.html

What names such a subject is theirs.  What is about the members of a Group counts for them and not
for the Group, and what names nobody is nobody's: there may be any number of persons around.
"""

from collections.abc import Iterator
from typing import Any

from carepath.errors import InvalidParameter
from carepath.record.content import Content
from carepath.record.remarks import Remark
from carepath.record.subjects import NOBODY, Subjects, Whose
from carepath.resources import Resource

OTHER_SUBJECTS = ("Practitioner", "PractitionerRole", "Organization", "Location", "Device", "Group")
"""The types that a subject may have beside Patient."""
_NOT_IN_USE = ("inactive", "suspended")


class SubjectsOf(Subjects):
    """Whose each resource of a content is, where the plan is for something that is no Patient."""

    def __init__(self, content: Content, subject: Resource) -> None:
        super().__init__(content)
        self._subject = subject

    def _work_out(self, resource: Resource) -> Whose:
        found = super()._work_out(resource)
        if found == NOBODY and resource["resourceType"] != "Patient":
            return Whose(reason="it does not say whom or what it is about")
        return found

    def _answer(self, reference: Any, within: Resource) -> Whose:
        target = self._content.target(reference, within).resource
        if target is self._subject:
            return Whose(frozenset({id(target)}))
        kind = None if target is None else target.get("resourceType")
        if kind in OTHER_SUBJECTS:
            return Whose(reason=f"it is about another resource of type {kind}")
        return super()._answer(reference, within)


def refuse_no_subject(found: Resource, reference: str) -> None:
    """Raise InvalidParameter unless a plan can be applied to what a reference leads to."""
    if found["resourceType"] not in OTHER_SUBJECTS:
        expected = f"a reference to a Patient, {', '.join(OTHER_SUBJECTS[:-1])} or Group"
        raise InvalidParameter("subject", reference, expected)
    if found.get("status") == "entered-in-error":
        raise InvalidParameter("subject", reference, "one that was not entered in error")


def remarks_about(subject: Resource, name: str) -> Iterator[Remark]:
    """Yield what a reader must know about the state of a subject that is no Patient."""
    status = subject.get("status")
    if subject.get("active") is False or status in _NOT_IN_USE:
        text = f"`{name}` is marked as not in use."
        yield Remark("active", "warning", "business-rule", name, text)
