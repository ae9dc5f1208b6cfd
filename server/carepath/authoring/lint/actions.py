"""Rules on actions: complete for a reader, and resting on statements that exist."""

from collections.abc import Iterator

from carepath.authoring.lint.roots import root_has
from carepath.authoring.lint.walk import actions, elements
from carepath.authoring.lint.wording import meant
from carepath.authoring.statements import is_statement_system, sources_of, statements_of
from carepath.issues import Issue, Severity
from carepath.knowledge import Knowledge
from carepath.resources import Resource

_NEEDED = {
    "id": "decisions and cases name the action by it",
    "title": "it is what the plan calls the step",
    "textEquivalent": "it is what the clinician reads",
    "code": "it says what kind of step it is; text alone will do",
    "documentation": "it names the source that the step rests on",
}


def is_complete(definition: Resource, knowledge: Knowledge) -> Iterator[Issue]:
    """Each action has id, title, textEquivalent, code and documentation."""
    for path, action in actions(definition):
        for key, why in _NEEDED.items():
            if not action.get(key):
                severity: Severity = "error" if key in ("id", "title") else "warning"
                text = f"The action has no {key}: {why}."
                yield Issue(severity, "required", text, (f"{path}.{key}",))


def says_when_in_words(definition: Resource, knowledge: Knowledge) -> Iterator[Issue]:
    """Each condition has a description: pages and pictures show it instead of the expression."""
    for path, action in actions(definition):
        for index, condition in enumerate(action.get("condition") or ()):
            expression = condition.get("expression") or {}
            if not str(expression.get("description") or "").strip():
                text = "The condition has no description: it is what a reader sees."
                place = f"{path}.condition[{index}].expression.description"
                yield Issue("warning", "required", text, (place,))


def cites_known_statements(definition: Resource, knowledge: Knowledge) -> Iterator[Issue]:
    """Each label names a statement that we have read, or a source, where the root lists them."""
    if not root_has(definition, knowledge, is_statement_system):
        return
    statements = knowledge.derived(statements_of)
    known = statements.keys() | sources_of(statements)
    for path, key, value in elements(definition, definition["resourceType"]):
        if key == "label" and value not in known:
            text = f"There is no statement `{value}`.{meant(str(value), known)}"
            yield Issue("error", "not-found", text, (path,))
