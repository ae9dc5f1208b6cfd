"""The structure check: does a resource have the form that FHIR R4 gives it?

https://hl7.org/fhir/R4/validation.html

The generated JSON Schema decides; a resource that fits costs one call of jsonschema-rs.  For one
that does not, each violation becomes an Issue with the FHIRPath of the element.  What a schema
cannot say (where references inside the resource lead) is checked in Python, when strict.
"""

from collections.abc import Iterator
from typing import Any

from carepath.issues import Issue
from carepath.validation.structure import schema
from carepath.validation.structure.locations import root
from carepath.validation.structure.problems import Problem
from carepath.validation.structure.reading import MOST_ISSUES, readable
from carepath.validation.structure.references import inner_references
from carepath.validation.structure.violations import issue_of, violations


def check_structure(
    resource: Any, *, expected_type: str | None = None, lenient: bool = False
) -> tuple[Issue, ...]:
    """Return every structural problem of a resource, errors first.

    Strict, all are errors.  Lenient, errors are only those for which all of it must be refused: a
    resource in a Bundle, or in the `data` of Parameters, that cannot be read safely is a warning,
    for `readable` gives the data without it.
    """
    if not isinstance(resource, dict):
        return (Issue("error", "structure", "The resource is not a JSON object."),)
    if lenient:
        other = (issue_of(p, "error") for p in _other_type(resource, expected_type))
        return (*other, *readable(resource).issues)
    try:
        return _checked(resource, expected_type)
    except ValueError:  # Nothing that was decoded from bytes gets here.
        sentence = "The resource holds text or keys that JSON cannot carry."
        return (Issue("error", "structure", sentence),)


def _checked(resource: dict[str, Any], expected_type: str | None) -> tuple[Issue, ...]:
    errors: dict[tuple[str, str], Issue] = {}
    for problem in _problems(resource, expected_type):
        if len(errors) >= MOST_ISSUES:
            break
        errors.setdefault((problem.kind, problem.place.expression), issue_of(problem, "error"))
    return tuple(errors.values())


def _other_type(resource: dict[str, Any], expected: str | None) -> Iterator[Problem]:
    if expected is not None and resource.get("resourceType") != expected:
        place = root(resource).child("resourceType")
        yield Problem("unknown-type", place, f"is not {expected}, which is expected here")


def _problems(resource: dict[str, Any], expected_type: str | None) -> Iterator[Problem]:
    yield from _other_type(resource, expected_type)
    if not schema.is_valid(resource):
        yield from violations(resource)
    yield from inner_references(resource)
