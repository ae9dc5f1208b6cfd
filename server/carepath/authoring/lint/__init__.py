"""Rules for content: each is a function over one definition, listed in a table.

`carepath lint` runs them over everything that is shipped and over a deployment's own folders.
docs/authoring.md explains each rule to authors.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from carepath.authoring.lint import (
    actions,
    codes,
    expressions,
    identity,
    safety,
    sentences,
    strength,
    structure,
)
from carepath.issues import Issue
from carepath.knowledge import Knowledge
from carepath.resources import Resource, canonical_of

Rule = Callable[[Resource, Knowledge], Iterator[Issue]]

FOR_ALL: tuple[Rule, ...] = (
    structure.is_valid,
    structure.is_valid_for_a_second_library,
    identity.leads_somewhere,
    expressions.compiles,
    expressions.reads_what_exists,
    expressions.compares_no_collection_of_codes,
    safety.has_no_dose,
)
"""Rules that every deployment's content must keep."""

FOR_SHIPPED: tuple[Rule, ...] = (
    identity.is_named_alike,
    identity.is_a_draft,
    identity.claims_no_review,
    actions.is_complete,
    actions.cites_known_statements,
    strength.binds_as_strongly_as_it_rests,
    codes.are_verified,
    sentences.rest_on_statements,
    sentences.are_in_use,
    safety.proposes_only,
)
"""Rules that only the shipped content, known by its canonical root, must keep."""


@dataclass(frozen=True)
class Finding:
    """What a rule found in a definition."""

    definition: str
    rule: str
    issue: Issue

    def __str__(self) -> str:
        issue = self.issue
        place = f" {issue.expression[0]}" if issue.expression else ""
        return f"{issue.severity}: {self.definition}{place}: {issue.diagnostics} [{self.rule}]"


def rules_for(definition: Resource) -> tuple[Rule, ...]:
    """Return the rules that a definition must keep."""
    is_shipped = str(definition.get("url", "")).startswith(identity.ROOT)
    return (*FOR_ALL, *FOR_SHIPPED) if is_shipped else FOR_ALL


def lint(knowledge: Knowledge) -> list[Finding]:
    """Run every rule over every definition, in the order of their types and ids."""
    return [
        Finding(canonical_of(definition), rule.__name__, issue)
        for resource_type in sorted(knowledge.types())
        for definition in knowledge.all(resource_type)
        for rule in rules_for(definition)
        for issue in rule(definition, knowledge)
    ]
