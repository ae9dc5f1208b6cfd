"""Names that an expression reads of its subject, and that the subject's type does not have.

https://hl7.org/fhir/R4/fhirpath.html#vars

A path begins at the subject.  One that begins with a name that the subject never has gives nothing
for everybody, and `exists()` of it is a silent "no".
"""

from collections.abc import Iterator

from carepath.apply.compile.formula import Formula
from carepath.issues import Issue
from carepath.r4.model import type_of

_ANY = frozenset({"Resource", "DomainResource"})
_DEFINITIONS = ("ActivityDefinition", "PlanDefinition")


def unknown_names(formula: Formula, subject_type: str, what: str) -> Iterator[Issue]:
    """Yield a warning for each name; `what` says whose expression it is.

    Only a definition about patients is looked at: whose names others read, their subject decides.
    """
    type_name = subject_type or "Patient"
    if type_name != "Patient":
        return
    for name in formula.elements_read:
        if name != type_name and name not in _ANY and not _has(type_name, name):
            text = f"{type_name} has no element `{name}`, with which `{formula.text}` begins"
            told = f"{text} ({what}): a path begins at the subject.{_elsewhere(name)}"
            yield Issue("warning", "value", told)


def _elsewhere(name: str) -> str:
    """Say where an author may have meant to read."""
    for definition in _DEFINITIONS:
        if _has(definition, name):
            variable = f"%{definition[0].lower()}{definition[1:]}"
            return f" The definition's own is `{variable}.{name}`."
    return ""


def _has(type_name: str, name: str) -> bool:
    found = type_of(type_name)
    return found is None or name in found.elements or name in found.choices
