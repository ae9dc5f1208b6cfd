"""Names that an expression reads of its subject, and that the subject's type does not have.

https://hl7.org/fhir/R4/fhirpath.html#vars

A path begins at the subject.  One that begins with a name that the subject never has gives nothing
for everybody, and `exists()` of it is a silent "no".
"""

from collections.abc import Iterator

from carepath.apply.compile.formula import Formula
from carepath.errors import EvaluationError
from carepath.fhirpath.checking.analysis import kinds_of
from carepath.fhirpath.checking.static_types import ANYTHING, Kinds
from carepath.issues import Issue
from carepath.r4.model import type_of

_ANY = frozenset({"Resource", "DomainResource"})
_PATIENT = Kinds(frozenset({"FHIR.Patient"}))
_THE_PATIENT = frozenset({"context", "patient", "resource", "rootResource", "subject"})
_TOLD_LATER = "there is no function"
"""What is an error as soon as it is evaluated."""
_DEFINITIONS = ("ActivityDefinition", "PlanDefinition")


def unknown_names(formula: Formula, subject_type: str, what: str) -> Iterator[Issue]:
    """Yield a warning for each name, or for the first mistake further in; `what` says whose it is.

    Only a definition about patients is looked at: whose names others read, their subject decides.
    """
    type_name = subject_type or "Patient"
    if type_name != "Patient":
        return
    is_told = False
    for name in formula.elements_read:
        if name != type_name and name not in _ANY and not _has(type_name, name):
            text = f"{type_name} has no element `{name}`, with which `{formula.text}` begins"
            told = f"{text} ({what}): a path begins at the subject.{_elsewhere(name)}"
            yield Issue("warning", "value", told)
            is_told = True
    if not is_told:
        yield from _mistake(formula, what)


def _mistake(formula: Formula, what: str) -> Iterator[Issue]:
    """Yield a warning for what can never be right, whoever the patient is."""
    if formula.mistake is None:
        # Each plan that a Library is part of asks again, and the answer is the same.
        formula.mistake = _found(formula)
    at, reason = formula.mistake
    if reason:
        yield Issue("warning", "value", f"`{at}` can never be right ({what}): {reason}.")


def _found(formula: Formula) -> tuple[str, str]:
    """Return what in an expression can never be right, and why; empty when nothing is found."""
    if formula.tree is not None:
        try:
            kinds_of(formula.text, formula.tree, _PATIENT, _kinds_of_variable)
        except EvaluationError as error:
            if not error.reason.startswith(_TOLD_LATER):
                return error.at, error.reason
    return "", ""


def _kinds_of_variable(name: str) -> Kinds:
    return _PATIENT if name in _THE_PATIENT else ANYTHING


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
