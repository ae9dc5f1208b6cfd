"""What was sent, seen as the record of one patient: what is theirs, and may be used.

https://hl7.org/fhir/R4/bundle.html#references and https://hl7.org/fhir/R4/references.html

Bundles of every type and bare resources are read; nothing that was passed in is changed.  What
names another patient stays out, and what names nobody belongs to the subject unless there is a
second patient.  Resources come out as their canonical copies, the same object each time; one that
may not be used is left out, and a remark tells why.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cached_property
from typing import Any

from carepath import deadline
from carepath.errors import InputError, InvalidParameter, InvalidResource, SubjectNotFound
from carepath.issues import Issue
from carepath.record import closed as life
from carepath.record.coded import Coded, Wanted, Words
from carepath.record.codes import with_canonical_codes
from carepath.record.content import Content
from carepath.record.other_subjects import SubjectsOf, refuse_no_subject, remarks_about
from carepath.record.reader import Reader
from carepath.record.remarks import Remark, foremost
from carepath.record.subjects import Subjects, Whose
from carepath.record.understood import not_understood
from carepath.record.unread import possible
from carepath.resources import Resource


class Record:
    """The resources of one patient, immutable; what is asked for is worked out once."""

    def __init__(self, reader: Reader, subject: Resource | None) -> None:
        self._reader = reader
        self._content = reader.content
        self._subjects = reader.subjects
        self._subject = subject
        self._used: dict[int, Resource | None] = {}
        self._resolved: dict[int, Resource | None] = {}
        self._own_places: dict[str, frozenset[int] | None] = {}
        self._own: dict[str, tuple[Resource, ...]] = {}
        self._remarks: list[tuple[int, Remark]] = []
        self._unread: list[Resource] = []

    @classmethod
    def of(
        cls, content: Any, subject: str | None = None, *, left_out: Iterable[Resource] = ()
    ) -> "Record":
        """Read a Bundle, a resource or several of either; `subject` chooses among patients.

        `left_out` are resources of the content that are only what could be read of them: what they
        say is unknown, and whoever left them out has told it.

        Without `subject` the only patient is the subject; with none or several the record has no
        subject until `for_subject` names one.  Records that another one replaces do not count.

        Raises SubjectNotFound when there is no such patient, and InvalidResource for a Bundle
        under implicit rules and for two different Patients under one name.
        """
        everything = Content(content, left_out)
        subjects = Subjects(everything)
        patients = subjects.patients.surviving
        only = patients[0] if len(patients) == 1 else None
        record = cls(Reader(everything, subjects), only)
        return record if subject is None else record.for_subject(subject)

    def for_subject(self, reference: str) -> "Record":
        """Return the view of another patient, or other subject, of the same content.

        Raises SubjectNotFound when there is no such subject, InvalidParameter when the reference
        leads to something that is none.
        """
        found = self._content.find(reference, None).resource
        if found is None and "/" not in reference and ":" not in reference:
            found = self._content.find(f"Patient/{reference}", None).resource
        if found is None:
            raise self._no_subject(reference)
        if found is self._subject:
            return self
        if found["resourceType"] == "Patient":
            return Record(self._reader, found)
        refuse_no_subject(found, reference)
        return Record(Reader(self._content, SubjectsOf(self._content, found)), found)

    def _no_subject(self, reference: str) -> InputError:
        """Return why a reference names no patient of the content."""
        replaced = self._subjects.patients.replaced({"reference": reference}, {})
        if replaced is not None:
            expected = f"`{self._name(replaced)}`, whose record replaces that one"
            return InvalidParameter("subject", reference, expected)
        named = [p for p in self.subjects if p.endswith(f"/{reference.lstrip('/')}")]
        if len(named) > 1:
            expected = "a full URL, one of " + ", ".join(f"`{name}`" for name in named)
            return InvalidParameter("subject", reference, expected)
        return SubjectNotFound(reference)

    def as_of(self, now: datetime) -> "Record":
        """Return the view at a moment: what lies after it has not happened.

        Raises InvalidResource when what the subject says cannot be understood.
        """
        reason = None if self._subject is None else not_understood(self._subject)
        if reason is not None:
            name = self._name(self._subject or {})
            text = f"`{name}` cannot be used: it {reason}."
            place = str((self._subject or {})["resourceType"])
            raise InvalidResource([Issue("error", "extension", text, (place,))])
        return Record(self._reader.at(now), self._subject)

    @cached_property
    def subject(self) -> Resource | None:
        """Return the Patient (or other subject), None when the content has none or several."""
        if self._subject is None:
            return None
        return self._content.copy_of(self._subject, with_canonical_codes(self._subject))

    @cached_property
    def subjects(self) -> tuple[str, ...]:
        """Return references to all patients, in the order sent, without replaced records."""
        return tuple(map(self.reference_to, self._subjects.patients.surviving))

    @cached_property
    def closed(self) -> Issue | None:
        """Return why nothing is to be planned for the subject, None when there is no reason."""
        if self._subject is None or not self._is_patient:
            return None
        patients = self._subjects.patients
        survivor = patients.survivor(self._subject)
        records = patients.records_of(survivor)
        others = tuple(record for record in records if record is not self._subject)
        name = "" if survivor is self._subject else f"`{self._name(survivor)}`"
        return life.closed(self._subject, others, self._name(self._subject), self._reader.now, name)

    def types(self) -> tuple[str, ...]:
        """Return the resource types that were sent."""
        return tuple(self._content.by_type)

    def sent(self) -> tuple[Resource, ...]:
        """Return what was sent that is or may be the subject's, as it was sent, in its order."""
        whose, everything = self._subjects.whose, self._content.resources
        return tuple(r for r in everything if self._is_concerned(r, whose(r)))

    def resources(self, resource_type: str) -> tuple[Resource, ...]:
        """Return the subject's resources of a type, in the order sent."""
        own = self._own.get(resource_type)
        if own is None:
            if resource_type == "Patient":
                own = (self.subject,) if self.subject and self._is_patient else ()
            else:
                everything = self._content.by_type.get(resource_type, ())
                places = self._candidates(resource_type)
                wanted = everything if places is None else [everything[n] for n in sorted(places)]
                own = self._usable(wanted)
            self._own[resource_type] = own
        return own

    def with_codes(
        self,
        resource_type: str,
        path: str,
        codes: Iterable[str],
        words: Words | None = None,
        *,
        unreadable: bool = False,
    ) -> tuple[Resource, ...]:
        """Return the subject's resources of a type that hold one of some codes, in the order sent.

        A code is `system|code`, the system written in whatever way, or `code` alone; `path` is
        where the resource holds it.  `words` is a test for what is said in words (text or display,
        in small letters): what passes it comes, too.  With `unreadable` those come, too, whose
        concept at the path has no coding of a known system: what they are about is not known.
        """
        wanted = Wanted(frozenset(codes), words, unreadable)
        index = self._content.coded(resource_type, path)
        everything = self._content.by_type.get(resource_type, ())
        places = sorted(wanted.places(index, self._candidates(resource_type)))
        used = ((everything[n], self._use(everything[n])) for n in places)
        # What was read may have taken the code away: a diagnosis that is excluded.
        return tuple(
            made
            for sent, made in used
            if made is not None and (made is sent or wanted.places(Coded((made,), path)))
        )

    def with_code(self, resource_type: str, path: str, code: str) -> Sequence[Resource]:
        """Return the subject's resources of a type that hold one code, in the order sent."""
        return self.with_codes(resource_type, path, (code,))

    def unread(self, resource_type: str = "") -> tuple[Resource, ...]:
        """Return what is or may be the subject's and of which nobody here knows what it says.

        That is what was asked for and says what is not understood, and all that could not be read.
        What these resources (of all types, or of one) tell is unknown, in the order sent; one of
        unknown type is given as one of each type.
        """
        self._usable(self._content.unread)  # Nobody asks by code for what has none.
        found = [r for unread in self._unread for r in possible(unread)]
        wanted = {id(r): r for r in found if resource_type in ("", r["resourceType"])}
        return tuple(sorted(wanted.values(), key=self._content.place))

    def resolve(self, reference: Any, within: Resource | None = None) -> Resource | None:
        """Return the resource that a Reference (or its text) means, None when it is not here.

        `within` is the resource that holds the reference: it decides what `#id` means and which
        server a relative reference belongs to.  What may not be used is not here either.
        """
        found = self._content.target(reference, within).resource
        if found is None or not self._content.is_sent(found):
            return found
        found = self._content.sent(found)
        if found["resourceType"] == "Patient":
            return self._content.copy_of(found, with_canonical_codes(found))
        if self._subject is not None:
            return self._use(found)
        if id(found) not in self._resolved:
            self._resolved[id(found)] = self._noted(found, Whose(is_shared=True))
        return self._resolved[id(found)]

    def holder(self, reference: Resource) -> Resource | None:
        """Return the resource that this very Reference to something contained stands in."""
        return self._content.holder_of(reference)

    def cited(self, reference: str) -> Resource | None:
        """Return the resource that `reference_to` gave a name to; a quick `resolve` of evidence."""
        found = self._content.of_name(reference)
        return self.resolve(reference) if found is None else self._use(found)

    def reference_to(self, resource: Resource) -> str:
        """Return how other resources refer to this one: `Type/id`, or the URL it was sent with."""
        return self._content.reference_to(resource)

    def remarks(self) -> tuple[Remark, ...]:
        """Return what was noticed: about the content, the patient, then what was asked for.

        Of very many remarks only the gravest are returned, and how many there are more.
        """
        found = list(self._content.remarks)
        if self._subject is not None and not self._is_patient:
            found += remarks_about(self._subject, self._name(self._subject))
        elif self._subject is not None:
            name = self._name(self._subject)
            is_closed = self.closed is not None
            found += life.remarks(self._subject, name, self._reader.now, is_closed=is_closed)
            found += () if is_closed else self._reader.linked.remarks(self._subject, name)
            found += self._subjects.guesses(self._subject)
        found += [remark for _, remark in sorted(self._remarks, key=lambda pair: pair[0])]
        return foremost(list(dict.fromkeys(found)))

    def issues(self) -> tuple[Issue, ...]:
        """Return the remarks as issues of the answer."""
        return tuple(remark.as_issue() for remark in self.remarks())

    def _candidates(self, resource_type: str) -> frozenset[int] | None:
        """Return where the resources stand that may be the subject's, None when all may be."""
        if self._subject is None:
            return None
        if resource_type not in self._own_places:
            found = self._subjects.candidates(resource_type, self._subject)
            self._own_places[resource_type] = found
        return self._own_places[resource_type]

    def _usable(self, resources: Iterable[Resource]) -> tuple[Resource, ...]:
        return tuple(made for r in resources if (made := self._use(r)) is not None)

    def _use(self, resource: Resource) -> Resource | None:
        """Return what is used for a resource as it was sent, None when it is left out."""
        try:
            return self._used[id(resource)]
        except KeyError:
            deadline.check()
            whose = self._subjects.whose(resource)
            made = self._noted(resource, whose) if self._is_concerned(resource, whose) else None
            return self._used.setdefault(id(resource), made)

    def _is_concerned(self, resource: Resource, whose: Whose) -> bool:
        """Tell whether a resource is the subject's or might be: not another patient's."""
        if resource["resourceType"] == "Patient":
            return resource is self._subject
        return not whose.patients or id(self._subject) in whose.patients

    def _noted(self, resource: Resource, whose: Whose) -> Resource | None:
        """Return what is made of a resource, and remember what is to be told."""
        deadline.check()
        reader = self._reader
        read = (reader.by_rules if self._subject is None else reader.read)(resource, whose)
        if read.remarks:
            place = self._content.place(resource)
            self._remarks += [(place, remark) for remark in read.remarks]
        if read.unread is not None:
            self._unread.append(read.unread)
        return read.made

    @property
    def _is_patient(self) -> bool:
        return self._subject is not None and self._subject["resourceType"] == "Patient"

    def _name(self, resource: Resource) -> str:
        return self._reader.name(resource)
