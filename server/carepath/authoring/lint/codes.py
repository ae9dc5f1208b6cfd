"""The rule on codes: right check digits, known systems, verified labels, nothing twice."""

from collections.abc import Iterator

from carepath.authoring.lint.terminology import Verified, definition_issues, verified_in
from carepath.issues import Issue
from carepath.knowledge import Knowledge
from carepath.resources import Resource


def are_verified(definition: Resource, knowledge: Knowledge) -> Iterator[Issue]:
    """Every code has a right form and check digit, and is one that a value set or system lists."""
    yield from definition_issues(definition, knowledge.derived(_verified))


def _verified(knowledge: Knowledge) -> Verified:
    """Return what all definitions tell of codes."""
    return verified_in(d for name in knowledge.types() for d in knowledge.all(name))
