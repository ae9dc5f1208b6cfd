"""What the schema has against a resource, as problems and as issues.

https://hl7.org/fhir/R4/valueset-issue-type.html
"""

from collections.abc import Iterator, Mapping
from typing import Any

from carepath import deadline
from carepath.issues import Issue, Severity
from carepath.validation.structure import schema
from carepath.validation.structure.chunks import pieces
from carepath.validation.structure.locations import place_of
from carepath.validation.structure.problems import Kind, Problem, problems_of

CODES: Mapping[Kind, str] = {
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


def violations(resource: dict[str, Any]) -> Iterator[Problem]:
    """Yield every problem of the form of a resource that is known not to fit the schema."""
    for piece in pieces(resource):
        for error in deadline.paced(schema.errors(piece.value)):
            yield from problems_of(resource, error, piece.in_whole(error.instance_path))
        if not piece.is_whole:
            place = place_of(resource, piece.place)
            yield Problem("too-large", place, "is invalid and too large to list every fault")


def issue_of(problem: Problem, severity: Severity) -> Issue:
    """Return a problem as an issue of its own."""
    expression = problem.place.expression
    sentence = f"`{expression}` {problem.sentence}."
    return Issue(severity, CODES[problem.kind], sentence, (expression,))
