"""Rules on actions: complete for a reader, and resting on statements that exist."""

import re
from collections.abc import Iterator

from carepath.issues import Issue
from carepath.knowledge import Knowledge
from carepath.lint.walk import actions, elements
from carepath.resources import Resource

STATEMENTS = "https://carepath.example/fhir/CodeSystem/mst-statements"
_STATEMENT_ID = re.compile(r"S\d-")
_NEEDED = ("id", "title", "textEquivalent", "code", "documentation")


def is_complete(definition: Resource, knowledge: Knowledge) -> Iterator[Issue]:
    """Each action has id, title, textEquivalent, code and documentation; ids are unique."""
    seen: set[str] = set()
    for path, action in actions(definition):
        for key in _NEEDED:
            if not action.get(key):
                yield Issue("error", "required", f"The action has no {key}.", (f"{path}.{key}",))
        name = action.get("id", "")
        if name in seen:
            yield Issue("error", "duplicate", f"The id `{name}` stands twice.", (f"{path}.id",))
        seen.add(name)


def cites_known_statements(definition: Resource, knowledge: Knowledge) -> Iterator[Issue]:
    """Each label that looks like a statement's id is one of the statements we have read."""
    system = knowledge.find(STATEMENTS, resource_type="CodeSystem")
    known = {concept["code"] for concept in (system or {}).get("concept", ())}
    for path, key, value in elements(definition, definition["resourceType"]):
        looks_like_one = isinstance(value, str) and _STATEMENT_ID.match(value)
        if key == "label" and looks_like_one and value not in known:
            yield Issue("error", "not-found", f"There is no statement `{value}`.", (path,))
