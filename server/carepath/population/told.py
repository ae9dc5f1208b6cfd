"""What is told of the input and of patients who get no plan: a line of `errors.ndjson` each.

https://hl7.org/fhir/R4/operationoutcome.html
"""

from collections.abc import Iterable
from dataclasses import dataclass

from carepath.errors import (
    CarepathError,
    ContentError,
    ExpressionError,
    InvalidResource,
    MalformedInput,
    SubjectNotFound,
)
from carepath.formats.json import encode
from carepath.issues import Issue, Severity, operation_outcome

_MOST = 100
"""A hostile resource has no end of faults."""
_CODES: tuple[tuple[type[CarepathError], str], ...] = (
    (MalformedInput, "structure"),
    (SubjectNotFound, "not-found"),
    (ContentError, "not-found"),
    (ExpressionError, "exception"),
)


@dataclass(frozen=True, slots=True)
class Told:
    """What is wrong with one place of the input, in a full sentence.

    `hides` tells that data of somebody may be missing because of it, and nobody knows whose.
    """

    sentence: str
    file: str = ""
    line: int = 0
    severity: Severity = "error"
    code: str = "structure"
    patient: str = ""
    hides: bool = False

    def as_line(self) -> bytes:
        """Return the line of `errors.ndjson`."""
        issue = Issue(self.severity, self.code, self.sentence)
        return error_line(self.patient, (issue,), self.file, self.line)


def error_line(patient: str, issues: Iterable[Issue], file: str = "", line: int = 0) -> bytes:
    """Return a line of `errors.ndjson`: whom and which place it is about, and the outcome."""
    told: dict[str, object] = {"patient": patient or None}
    if file:
        told["file"] = file
    if line:
        told["line"] = line
    told["outcome"] = operation_outcome(issues)
    return encode(told) + b"\n"


def issues_of(error: CarepathError) -> tuple[Issue, ...]:
    """Return an error as issues of an OperationOutcome."""
    if isinstance(error, InvalidResource):
        return tuple(error.issues)[:_MOST]
    code = next((code for kind, code in _CODES if isinstance(error, kind)), "invalid")
    return (Issue("error", code, str(error)),)


def place(file: str, line: int) -> str:
    """Return how a reader is told of a place of the input."""
    return f"`{file}`, line {line}" if line else f"`{file}`"
