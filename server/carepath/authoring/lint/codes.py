"""The rule on codes: right check digits, known systems, verified labels, nothing twice."""

from collections.abc import Iterator

from carepath.authoring.lint.terminology import Labels, definition_issues, verified_labels
from carepath.issues import Issue
from carepath.knowledge import Knowledge
from carepath.resources import Resource


def are_verified(definition: Resource, knowledge: Knowledge) -> Iterator[Issue]:
    """Every code is one that was verified, and carries a label that was seen for it."""
    yield from definition_issues(definition, knowledge.derived(_labels))


def _labels(knowledge: Knowledge) -> Labels:
    """Return the labels that were seen for the codes of all definitions."""
    return verified_labels(d for name in knowledge.types() for d in knowledge.all(name))
