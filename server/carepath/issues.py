"""Issues: what is wrong or worth knowing, where, in the shape of OperationOutcome.issue.

https://hl7.org/fhir/R4/operationoutcome.html
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

Severity = Literal["fatal", "error", "warning", "information"]

# What a FHIR string must not hold and XML cannot: a sentence may quote what somebody sent.
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


@dataclass(frozen=True, slots=True)
class Issue:
    """One OperationOutcome.issue.

    `code` is from http://hl7.org/fhir/issue-type, `expression` holds FHIRPaths of the elements
    concerned, `diagnostics` is a full sentence without patient data other than an element's path.
    """

    severity: Severity
    code: str
    diagnostics: str
    expression: tuple[str, ...] = ()

    @property
    def is_error(self) -> bool:
        """Tell whether the issue makes the resource or request unusable."""
        return self.severity in ("fatal", "error")

    def as_element(self) -> dict[str, Any]:
        """Return the issue as a dict for OperationOutcome.issue."""
        element: dict[str, Any] = {
            "severity": self.severity,
            "code": self.code,
            "diagnostics": _printable(self.diagnostics),
        }
        if self.expression:
            element["expression"] = [_printable(path) for path in self.expression]
        return element


def _printable(text: str) -> str:
    return _UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", text)


def operation_outcome(issues: Iterable[Issue]) -> dict[str, Any]:
    """Return an OperationOutcome with these issues, or one that says all is well."""
    elements = [issue.as_element() for issue in issues]
    if not elements:
        fine = Issue("information", "informational", "No problem was found.")
        elements = [fine.as_element()]
    return {"resourceType": "OperationOutcome", "issue": elements}
