"""Rules on form: valid R4 by our own checks, and by fhir.resources as a second opinion."""

from collections.abc import Iterator

from carepath.issues import Issue
from carepath.knowledge import Knowledge
from carepath.resources import Resource
from carepath.validation import model_problems, validate


def is_valid(definition: Resource, knowledge: Knowledge) -> Iterator[Issue]:
    """The definition is valid: structure, codes, invariants and profiles."""
    issues = validate(
        definition,
        definitions=lambda url: knowledge.find(url, resource_type="StructureDefinition"),
        terminology=knowledge.terminology,
    )
    yield from (issue for issue in issues if issue.is_error)


def is_valid_for_a_second_library(definition: Resource, knowledge: Knowledge) -> Iterator[Issue]:
    """fhir.resources reads the definition too."""
    yield from model_problems(definition)
