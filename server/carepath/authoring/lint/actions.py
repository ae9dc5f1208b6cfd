"""Rules on actions: complete for a reader, and resting on statements that exist."""

from collections.abc import Iterator

from carepath.authoring.lint.walk import actions, elements
from carepath.authoring.statements import sources_of, statements_of
from carepath.issues import Issue
from carepath.knowledge import Knowledge
from carepath.resources import Resource

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
    """Each label names a statement that we have read, or one of the sources."""
    statements = knowledge.derived(statements_of)
    known = statements.keys() | sources_of(statements)
    for path, key, value in elements(definition, definition["resourceType"]):
        if key == "label" and value not in known:
            yield Issue("error", "not-found", f"There is no statement `{value}`.", (path,))
