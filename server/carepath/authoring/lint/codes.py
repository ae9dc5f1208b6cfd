"""The rule on codes: right check digits, known systems, verified labels, nothing twice."""

from collections.abc import Iterator

from carepath.authoring.lint.terminology import Labels, definition_issues, verified_labels
from carepath.issues import Issue
from carepath.knowledge import Knowledge
from carepath.resources import Resource


def are_verified(definition: Resource, knowledge: Knowledge) -> Iterator[Issue]:
    """Every code is one that was verified, and carries a label that was seen for it."""

    def labels() -> Labels:
        return verified_labels(d for name in knowledge.types() for d in knowledge.all(name))

    yield from definition_issues(definition, knowledge.memo("verified labels", labels))
