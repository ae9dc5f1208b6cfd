"""The structure check: does a resource have the form that FHIR R4 gives it?

https://hl7.org/fhir/R4/validation.html

The generated JSON Schema decides; a resource that fits costs one call of jsonschema-rs.  For one
that does not, each violation becomes an Issue with the FHIRPath of the element.  What a schema
cannot say (where references inside the resource lead) is checked in Python, when strict.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from carepath.issues import Issue
from carepath.validation import schema
from carepath.validation.leniency import severity_of
from carepath.validation.pieces import pieces
from carepath.validation.places import place_of, root
from carepath.validation.problems import Kind, Problem, problems_of
from carepath.validation.references import inner_references

MOST_ISSUES = 1000
"""A hostile input has no end of faults: no more errors, and no more warnings, are told."""

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
    "too-large": "too-costly",
    "unknown-element": "structure",
    "unknown-type": "structure",
    "wrong-type": "structure",
}


def check_structure(
    resource: Any, *, expected_type: str | None = None, lenient: bool = False
) -> tuple[Issue, ...]:
    """Return every structural problem of a resource, errors first.

    Strict, all are errors.  Lenient, errors are only those that make reading unsafe.
    """
    if not isinstance(resource, dict):
        return (Issue("error", "structure", "The resource is not a JSON object."),)
    try:
        return _checked(resource, expected_type, lenient)
    except ValueError:  # Nothing that was decoded from bytes gets here.
        sentence = "The resource holds text or keys that JSON cannot carry."
        return (Issue("error", "structure", sentence),)


def _checked(
    resource: dict[str, Any], expected_type: str | None, lenient: bool
) -> tuple[Issue, ...]:
    errors: dict[tuple[Kind, str], Issue] = {}
    others: dict[tuple[Kind, str], Issue] = {}
    for problem in _problems(resource, expected_type, lenient):
        issue = _issue(problem, lenient=lenient)
        found = errors if issue.is_error else others
        if len(found) < MOST_ISSUES:
            found.setdefault((problem.kind, problem.place.expression), issue)
        elif issue.is_error:
            break
    return (*errors.values(), *others.values())


def _problems(resource: Any, expected_type: str | None, lenient: bool) -> Iterator[Problem]:
    if expected_type is not None and resource.get("resourceType") != expected_type:
        place = root(resource).child("resourceType")
        yield Problem("unknown-type", place, f"is not {expected_type}, which is expected here")
    if not schema.is_valid(resource):
        yield from _violations(resource)
    if not lenient:
        yield from inner_references(resource)


def _violations(resource: dict[str, Any]) -> Iterator[Problem]:
    for piece in pieces(resource):
        for error in schema.errors(piece.value):
            yield from problems_of(resource, error, piece.in_whole(error.instance_path))
        if not piece.is_whole:
            place = place_of(resource, piece.place)
            yield Problem("too-large", place, "is invalid and too large to list every fault")


def _issue(problem: Problem, *, lenient: bool) -> Issue:
    expression = problem.place.expression
    return Issue(
        severity=severity_of(problem, lenient=lenient),
        code=_CODES[problem.kind],
        diagnostics=f"`{expression}` {problem.sentence}.",
        expression=(expression,),
    )
