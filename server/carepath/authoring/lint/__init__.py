"""Rules for content: each is a function over one definition, listed in a table.

`carepath lint` runs all of them over everything that is shipped and over a deployment's own
folders, whatever the root of their urls.  The first line of each docstring is the row of the rule
in docs/authoring.md.
"""

from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from dataclasses import dataclass

from carepath.authoring.lint import (
    actions,
    circles,
    codes,
    expressions,
    identity,
    links,
    safety,
    sentences,
    strength,
    structure,
    unknowns,
    values,
    words,
)
from carepath.issues import Issue
from carepath.knowledge import Knowledge
from carepath.resources import Resource, canonical_of

Rule = Callable[[Resource, Knowledge], Iterator[Issue]]

RULES: tuple[Rule, ...] = (
    structure.is_valid,
    structure.is_valid_for_a_second_library,
    identity.has_a_url_and_version,
    identity.has_an_id_of_its_own,
    identity.is_named_alike,
    identity.is_a_draft,
    identity.claims_no_review,
    links.leads_somewhere,
    links.cites_what_there_is,
    links.asks_for_value_sets_there_are,
    links.relates_to_its_own_parts,
    links.names_nothing_twice,
    circles.rests_on_no_circle,
    expressions.is_in_a_known_language,
    expressions.compiles,
    expressions.reads_what_exists,
    expressions.calls_what_exists,
    expressions.fits_its_types,
    expressions.is_yes_or_no,
    expressions.compares_no_collection_of_codes,
    unknowns.keeps_unknown_apart_from_no,
    words.compares_with_values_there_are,
    values.sets_what_there_is,
    values.sets_what_fits,
    actions.is_complete,
    actions.says_when_in_words,
    actions.cites_known_statements,
    strength.binds_as_strongly_as_it_rests,
    codes.are_verified,
    sentences.rest_on_statements,
    sentences.are_in_use,
    safety.has_no_dose,
    safety.proposes_only,
    safety.is_understood,
)
"""Every definition must keep every rule, shipped or not."""

QUICK: tuple[Rule, ...] = tuple(
    rule for rule in RULES if rule is not structure.is_valid_for_a_second_library
)
"""Those for a check while somebody writes: the second library takes as long to load as all others
take to run, and finds what our own check finds."""


@dataclass(frozen=True)
class Finding:
    """What a rule found in a definition; `source` is its file, or its canonical without one."""

    source: str
    rule: str
    issue: Issue

    def __str__(self) -> str:
        issue = self.issue
        place = f" {issue.expression[0]}" if issue.expression else ""
        return f"{issue.severity}: {self.source}{place}: {issue.diagnostics} [{self.rule}]"


def lint(
    knowledge: Knowledge,
    files: Mapping[str, str] | None = None,
    only: Container[str] | None = None,
    rules: Iterable[Rule] = RULES,
) -> list[Finding]:
    """Run rules over every definition, in the order of their types and ids.

    `files` are the names of files by what `key_of` gives for their definitions; with `only`,
    definitions with other keys are looked at by nobody.
    """
    applied = tuple(rules)
    return [
        Finding((files or {}).get(key) or canonical_of(definition), rule.__name__, issue)
        for resource_type in sorted(knowledge.types())
        for definition in knowledge.all(resource_type)
        for key in [key_of(definition)]
        if only is None or key in only
        for rule, issue in _told_once(definition, knowledge, applied)
    ]


def _told_once(
    definition: Resource, knowledge: Knowledge, rules: tuple[Rule, ...]
) -> Iterator[tuple[Rule, Issue]]:
    """Yield what rules find; validity is silent where a rule of our own says more of an element."""
    found = [(rule, issue) for rule in rules for issue in rule(definition, knowledge)]
    own = [issue for rule, issue in found if rule is not structure.is_valid and issue.is_error]
    said = tuple(_element(place) for issue in own for place in issue.expression)
    for rule, issue in found:
        if rule is structure.is_valid and _is_at_one_of(issue, said):
            continue
        yield rule, issue


def _is_at_one_of(issue: Issue, elements: tuple[str, ...]) -> bool:
    """Tell whether an issue is about one of some elements, or about something in it."""
    inside = tuple(f"{element}." for element in elements)
    places = [_element(place) for place in issue.expression]
    return any(place in elements or place.startswith(inside) for place in places)


def _element(place: str) -> str:
    """Return a place without the id that rules of our own put behind the type."""
    resource_type, slash, rest = place.partition("/")
    return f"{resource_type}.{rest.partition('.')[2]}" if slash else place


def key_of(definition: Resource) -> str:
    """Return what tells a definition from all others: type, canonical and version."""
    named = canonical_of(definition) if {"url", "id"} & definition.keys() else str(id(definition))
    return f"{definition['resourceType']} {named}"


def rules_as_table() -> str:
    """Return the rules as a Markdown table, the first line of each docstring a row."""
    rows = (f"| `{rule.__name__}` | {_first_line(rule)} |" for rule in RULES)
    return "\n".join(("| rule | what it wants |", "|---|---|", *rows))


def _first_line(rule: Rule) -> str:
    return (rule.__doc__ or "").splitlines()[0]
