"""What was sent, seen as the record of one patient.

https://hl7.org/fhir/R4/bundle.html#references and https://hl7.org/fhir/R4/references.html

Bundles of every type and bare resources are read; the resources themselves are neither copied nor
changed.  Everything a caller gets from a record concerns its subject: what names another
patient stays out, and what names nobody belongs to the subject unless there is a second patient.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from carepath.errors import InvalidParameter, SubjectNotFound
from carepath.issues import Issue
from carepath.resources import Resource
from carepath.sent import Content, has_subject, literal, resources_in, subject_references


class Record:
    """The resources of one patient, immutable; indices are built when they are first wanted."""

    def __init__(self, content: Content, subject: Resource | None) -> None:
        self._content = content
        self._subject = subject
        self._own: dict[str, tuple[Resource, ...]] = {}
        self._left_out: list[str] = []
        self._by_code: dict[tuple[str, str], dict[str, list[Resource]]] = {}
        self._about = self._names_of(subject) if subject is not None else frozenset()
        self._has_others = len(content.by_type.get("Patient", ())) > 1

    @classmethod
    def of(cls, content: Any, subject: str | None = None) -> "Record":
        """Read a Bundle, a resource or several of either; `subject` chooses among patients.

        Raises SubjectNotFound when there is no such patient.  Without `subject` the only patient is
        the subject; with none or several the record has no subject until `for_subject` names one.
        """
        everything = Content(resources_in(content))
        patients = everything.by_type.get("Patient", [])
        record = cls(everything, patients[0] if len(patients) == 1 else None)
        return record if subject is None else record.for_subject(subject)

    def for_subject(self, reference: str) -> "Record":
        """Return the view of another patient of the same content."""
        found = self._content.resolve(reference, None)
        if found is None and "/" not in reference and ":" not in reference:
            found = self._content.names.get(f"Patient/{reference}")
        if found is None:
            raise SubjectNotFound(reference)
        if found["resourceType"] != "Patient":
            raise InvalidParameter("subject", reference, "a reference to a Patient")
        return self if found is self._subject else Record(self._content, found)

    @property
    def subject(self) -> Resource | None:
        """Return the Patient, or None when the content has none or several."""
        return self._subject

    @property
    def subjects(self) -> tuple[str, ...]:
        """Return references to all patients of the content, in the order sent."""
        return tuple(self.reference_to(p) for p in self._content.by_type.get("Patient", ()))

    def types(self) -> tuple[str, ...]:
        """Return the resource types that were sent."""
        return tuple(self._content.by_type)

    def resources(self, resource_type: str) -> tuple[Resource, ...]:
        """Return the subject's resources of a type, in the order sent."""
        try:
            return self._own[resource_type]
        except KeyError:
            everything = self._content.by_type.get(resource_type, ())
            if everything and self._subject is not None and self._has_others:
                own = self._content.of_patient(resource_type, self._subject)
            else:
                own = tuple(resource for resource in everything if self._is_own(resource))
            if len(own) < len(everything):
                self._left_out.append(resource_type)
            return self._own.setdefault(resource_type, own)

    def with_codes(self, resource_type: str, path: str, codes: Iterable[str]) -> set[int]:
        """Return the `id()`s of the subject's resources of a type that hold one of some codes.

        A code is `system|code`, or `code` alone; `path` is where the resource holds it.
        """
        index = self._code_index(resource_type, path)
        return {id(resource) for code in codes for resource in index.get(code, ())}

    def with_code(self, resource_type: str, path: str, code: str) -> Sequence[Resource]:
        """Return the subject's resources of a type that hold one code, in the order sent."""
        return self._code_index(resource_type, path).get(code, ())

    def resolve(self, reference: Any, within: Resource | None = None) -> Resource | None:
        """Return the resource that a Reference (or its text) means, None when it is not here.

        `within` is the resource that holds the reference: it decides what `#id` means and which
        server a relative reference belongs to.
        """
        return self._content.target(reference, within)

    def reference_to(self, resource: Resource) -> str:
        """Return how other resources refer to this one: `Type/id`, or the URL it was sent with."""
        id_ = resource.get("id")
        if isinstance(id_, str):
            return f"{resource['resourceType']}/{id_}"
        return self._content.full_url(resource)

    def issues(self) -> tuple[Issue, ...]:
        """Return an issue for each resource left out because its patient was not sent.

        Only types that were read are looked at.
        """
        return tuple(
            Issue(
                "information",
                "not-found",
                f"`{self.reference_to(resource) or resource['resourceType']}` was left out: it "
                "refers to a patient who is not in the data.",
            )
            for resource_type in self._left_out
            for resource in self._content.strays(resource_type)
        )

    def _names_of(self, patient: Resource) -> frozenset[str]:
        """Return the reference texts that mean a patient without any look-up."""
        names = {self.reference_to(patient), self._content.full_url(patient)} - {""}
        return frozenset(n for n in names if self._content.names.get(n) is patient)

    def _is_own(self, resource: Resource) -> bool:
        """Tell whether a resource belongs to the subject's view."""
        named = resource.get("subject")
        if type(named) is dict and literal(named) in self._about:
            return True
        if resource["resourceType"] == "Patient":
            return resource is self._subject
        found = False
        for reference in subject_references(resource):
            if literal(reference) in self._about:
                return True
            if self._subject is not None and self.resolve(reference, resource) is self._subject:
                return True
            found = True
        if found:
            return False
        return not self._has_others or not has_subject(resource)

    def _code_index(self, resource_type: str, path: str) -> dict[str, list[Resource]]:
        """Return the subject's resources of a type by `code` and by `system|code`."""
        index = self._by_code.get((resource_type, path))
        if index is None:
            index = {}
            for resource in self.resources(resource_type):
                names = _coding_names(resource, path)
                for name in names:
                    index.setdefault(name, []).append(resource)
            self._by_code[(resource_type, path)] = index
        return index


def _coding_names(resource: Resource, path: str) -> set[str]:
    """Return `code` and `system|code` of each coding at a path of names."""
    concept = resource.get(path)
    if type(concept) is dict and type(concept.get("coding")) is list:
        # The usual case, a CodeableConcept at the top, without the general way of walking.
        return {
            name
            for coding in concept["coding"]
            if type(coding) is dict and type(coding.get("code")) is str
            for name in (coding["code"], f"{coding.get('system')}|{coding['code']}")
        }
    names: set[str] = set()
    for value in values_at(resource, path):
        if isinstance(value, str):
            names.add(value)
            continue
        for coding in _codings_of(value):
            code, system = coding.get("code"), coding.get("system")
            if isinstance(code, str):
                names |= {code, f"{system}|{code}"}
    return names


def _codings_of(value: Any) -> list[dict[str, Any]]:
    """Return a Coding itself, or the codings of a concept."""
    if not isinstance(value, dict):
        return []
    found = [value] if "code" in value else value.get("coding")
    return [c for c in found if isinstance(c, dict)] if isinstance(found, list) else []


def values_at(resource: Resource, path: str) -> list[Any]:
    """Return the values at a dotted path, lists flattened; what is not there gives nothing."""
    values: list[Any] = [resource]
    for name in path.split("."):
        inside = [v.get(name) for v in values if isinstance(v, dict)]
        values = [x for v in inside for x in (v if isinstance(v, list) else [v]) if x is not None]
    return values
