"""What the rules make of the resources of a content at one moment, and what is to be told.

https://hl7.org/fhir/R4/lifecycle.html

What is nobody's in particular is the same for every patient, and is read once for all of them.
"""

from datetime import datetime
from functools import cached_property
from typing import NamedTuple

from carepath.record.codes import with_canonical_codes
from carepath.record.content import Content
from carepath.record.linked import Linked
from carepath.record.remarks import Remark
from carepath.record.rules import RULES, Asked, Reading, Rule
from carepath.record.subjects import Subjects, Whose
from carepath.record.traits import traits_of
from carepath.record.when import at
from carepath.resources import Resource


class Read(NamedTuple):
    """What came of a resource: the one to use, if any, and what is told of it."""

    made: Resource | None
    unread: Resource | None = None
    """The resource when nobody here knows what it says."""
    remarks: tuple[Remark, ...] = ()


class Reader:
    """Reads the resources of one content, whosever they are; shared by all views of a moment."""

    def __init__(self, content: Content, subjects: Subjects, now: datetime | None = None) -> None:
        self.content = content
        self.subjects = subjects
        self.now = now
        self._moment = None if now is None else at(now)
        self._of_nobody: dict[int, Read] = {}
        self._moments: dict[datetime | None, Reader] = {now: self}

    def at(self, now: datetime) -> "Reader":
        """Return the reader of the same content at another moment, one for each."""
        found = self._moments.get(now)
        if found is None:
            found = self._moments[now] = Reader(self.content, self.subjects, now)
            found._moments = self._moments
        return found

    @cached_property
    def linked(self) -> Linked:
        """Return the records that links join without merging them."""
        return Linked(self.content, self.subjects.patients)

    def name(self, resource: Resource) -> str:
        """Return how a reader is told of a resource: its reference, or at least its type."""
        return self.content.reference_to(resource) or str(resource["resourceType"])

    def read(self, resource: Resource, whose: Whose) -> Read:
        """Return what the rules make of a resource (as it was sent), by whose it is."""
        if whose.patients:
            return self.by_rules(resource, whose)
        known = self._of_nobody.get(id(resource))
        if known is None:
            known = self._of_nobody[id(resource)] = self.by_rules(resource, whose)
        return known

    def by_rules(self, resource: Resource, whose: Whose) -> Read:
        """Return what each rule in turn makes of what the one before made, until one says no."""
        content = self.content
        is_told = content.is_left_out(resource)
        other_person = whose.reason or self._choice(resource, whose)
        doubt = content.doubt(resource)
        traits = traits_of(resource)
        asked = Asked(traits, self._moment, other_person, is_stray=whose.is_stray, doubt=doubt)
        made, remarks = resource, []
        for rule in RULES:
            reading = rule.test(made, asked)
            if reading is None:
                continue
            if reading.told and not is_told:
                remarks.append(self._remark(rule, resource, reading))
            if reading.resource is None:
                return Read(None, self._unread(resource, reading), tuple(remarks))
            made = reading.resource
        return Read(content.copy_of(resource, made), None, tuple(remarks))

    def _unread(self, resource: Resource, reading: Reading) -> Resource | None:
        """Return what stands for an unread resource: itself, with its codes written one way."""
        if not reading.is_unread:
            return None
        return self.content.copy_of(resource, with_canonical_codes(resource))

    def _choice(self, resource: Resource, whose: Whose) -> str:
        """Return why what names nobody is nobody's; what could not be read may name anybody."""
        is_open = whose.is_shared or self.content.is_left_out(resource)
        if whose.patients or is_open or len(self.subjects.patients.surviving) <= 1:
            return ""
        return "it names no patient, and several were sent"

    def _remark(self, rule: Rule, resource: Resource, reading: Reading) -> Remark:
        name = self.name(resource)
        sentence = f"`{name}`: {reading.told}"
        if reading.resource is None:
            sentence = f"`{name}` was not used: {reading.told}."
        return Remark(rule.name, reading.severity, reading.code, name, sentence)
