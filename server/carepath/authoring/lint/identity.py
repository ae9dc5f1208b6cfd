"""Rules on who a definition is: names that agree, draft status, canonicals that lead somewhere."""

from collections.abc import Iterator

from carepath.authoring.lint.walk import elements
from carepath.issues import Issue
from carepath.knowledge import Knowledge
from carepath.resources import Resource

ROOT = "https://carepath.example/fhir"
"""Definitions under this root are ours; what a deployment brings has roots of its own."""
_CANONICAL_KEYS = ("definitionCanonical", "library", "targetProfile", "valueSet", "baseDefinition")


def is_named_alike(definition: Resource, knowledge: Knowledge) -> Iterator[Issue]:
    """The url ends in the id, and the name is the id in capitals: `lung-ct`, `LungCt`."""
    resource_type, name = definition["resourceType"], definition.get("id", "")
    if definition.get("url") != f"{ROOT}/{resource_type}/{name}":
        yield _error(definition, "url", f"The url should be {ROOT}/{resource_type}/{name}")
    if definition.get("name", "").lower() != name.replace("-", "").lower():
        yield _error(definition, "name", f"The name should be the id `{name}` in capitals")


def is_a_draft(definition: Resource, knowledge: Knowledge) -> Iterator[Issue]:
    """Everything is a draft, experimental and versioned until a clinician has approved it."""
    if definition.get("status") != "draft":
        yield _error(definition, "status", "The status should be draft")
    if (
        definition.get("experimental") is not True
        and definition["resourceType"] != "ImplementationGuide"
    ):
        yield _error(definition, "experimental", "The definition should be experimental")
    if not definition.get("version"):
        yield _error(definition, "version", "The version is missing")


def claims_no_review(definition: Resource, knowledge: Knowledge) -> Iterator[Issue]:
    """Reviewer, endorser and approval stay empty until somebody really did it."""
    for key in ("reviewer", "endorser", "approvalDate"):
        if key in definition:
            yield _error(definition, key, "Nobody has reviewed or approved this yet")


def leads_somewhere(definition: Resource, knowledge: Knowledge) -> Iterator[Issue]:
    """Every canonical of ours in a definition resolves, in the version it names."""
    for path, key, value in elements(definition, definition["resourceType"]):
        values = value if isinstance(value, list) else [value]
        for canonical in values if key in _CANONICAL_KEYS else ():
            known = isinstance(canonical, str) and canonical.startswith(ROOT)
            if known and knowledge.find(canonical, definition) is None:
                yield Issue("error", "not-found", f"`{canonical}` leads nowhere.", (path,))


def _error(definition: Resource, element: str, text: str) -> Issue:
    return Issue("error", "business-rule", f"{text}.", (f"{definition['resourceType']}.{element}",))
