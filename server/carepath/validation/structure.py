"""The structure check: does a resource have the form that FHIR R4 gives it?

https://hl7.org/fhir/R4/validation.html

The generated JSON Schema decides; a resource that fits costs one call of jsonschema-rs.  For one
that does not, each violation becomes an Issue with the FHIRPath of the element.  What a schema
cannot say (where references inside the resource lead) is checked in Python, when strict.
"""

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from carepath.issues import Issue
from carepath.validation import schema
from carepath.validation.leniency import severity_of
from carepath.validation.places import root
from carepath.validation.problems import Kind, Problem, problems_of
from carepath.validation.references import inner_references

MOST_ISSUES = 1000
"""A hostile input has no end of faults; what is past this number is not told."""

_CODES: Mapping[Kind, str] = {
    "alignment": "structure",
    "bad-value": "value",
    "code": "code-invalid",
    "concept": "code-invalid",
    "conflict": "structure",
    "empty": "structure",
    "missing": "required",
    "narrative": "invalid",
    "no-content": "invariant",
    "null": "structure",
    "range": "value",
    "reference": "value",
    "target": "value",
    "unknown-element": "structure",
    "unknown-type": "structure",
    "wrong-type": "structure",
}


def check_structure(
    resource: Any, *, expected_type: str | None = None, lenient: bool = False
) -> tuple[Issue, ...]:
    """Return every structural problem of a resource, in the order of its elements.

    Strict, all are errors.  Lenient, errors are only those that make reading unsafe.
    """
    if not isinstance(resource, dict):
        return (Issue("error", "structure", "The resource is not a JSON object."),)
    found: dict[tuple[Kind, str], Issue] = {}
    for problem in islice(_problems(resource, expected_type, lenient), MOST_ISSUES):
        key = (problem.kind, problem.place.expression)
        found.setdefault(key, _issue(problem, lenient=lenient))
    return tuple(found.values())


def _problems(resource: Any, expected_type: str | None, lenient: bool) -> Iterator[Problem]:
    if expected_type is not None and resource.get("resourceType") != expected_type:
        place = root(resource).child("resourceType")
        yield Problem("unknown-type", place, f"is not {expected_type}, which is expected here")
    if not schema.is_valid(resource):
        for error in schema.errors(resource):
            yield from problems_of(resource, error)
    if not lenient:
        yield from inner_references(resource)


def _issue(problem: Problem, *, lenient: bool) -> Issue:
    expression = problem.place.expression
    return Issue(
        severity=severity_of(problem, lenient=lenient),
        code=_CODES[problem.kind],
        diagnostics=f"`{expression}` {problem.sentence}.",
        expression=(expression,),
    )
