"""The rules on dynamicValues: each path means an element of what is made, and its value fits.

https://hl7.org/fhir/R4/plandefinition-definitions.html#PlanDefinition.action.dynamicValue
"""

from collections.abc import Iterator
from datetime import UTC, datetime

from carepath.apply.compile.path import UnknownPath, compile_path
from carepath.apply.run.coercion import CannotCoerce
from carepath.apply.run.put_value import put
from carepath.authoring.lint.walk import actions, parse
from carepath.authoring.lint.wording import meant
from carepath.errors import ExpressionError
from carepath.fhirpath import Environment
from carepath.fhirpath.nodes import Literal
from carepath.issues import Issue
from carepath.knowledge import Knowledge
from carepath.r4.model import type_of
from carepath.resources import Resource

_SURROUNDINGS = Environment(now=datetime(2000, 1, 1, tzinfo=UTC))
"""A literal is the same at any time."""


def sets_what_there_is(definition: Resource, knowledge: Knowledge) -> Iterator[Issue]:
    """The path of every dynamicValue means an element of the request or action that it sets."""
    if definition["resourceType"] == "ActivityDefinition" and definition.get("kind"):
        yield from _paths(definition, "ActivityDefinition", str(definition["kind"]))
    for path, action in actions(definition):
        canonical = action.get("definitionCanonical")
        target = knowledge.find(canonical, definition) if canonical else None
        if target is not None or not canonical:
            kind = str((target or {}).get("kind", ""))
            yield from _paths(action, path, kind)


def sets_what_fits(definition: Resource, knowledge: Knowledge) -> Iterator[Issue]:
    """A dynamicValue that is written out fits the element that it is for."""
    if definition["resourceType"] == "ActivityDefinition" and definition.get("kind"):
        yield from _literals(definition, "ActivityDefinition", str(definition["kind"]))
    for path, action in actions(definition):
        canonical = action.get("definitionCanonical")
        target = knowledge.find(canonical, definition) if canonical else None
        yield from _literals(action, path, str((target or {}).get("kind", "")))


def _literals(owner: Resource, path: str, resource_type: str) -> Iterator[Issue]:
    for index, value in enumerate(owner.get("dynamicValue") or ()):
        text = str((value.get("expression") or {}).get("expression", ""))
        try:
            expression = parse(text)
            if isinstance(expression.ast, Literal):
                place = compile_path(str(value.get("path") or ""), resource_type)
                put({}, place, expression.evaluate_nodes({}, _SURROUNDINGS))
        except (ExpressionError, UnknownPath):
            continue  # other rules tell
        except CannotCoerce as error:
            told = f"`{text}` is no value for `{value['path']}`. {error}"
            yield Issue("error", "value", told, (f"{path}.dynamicValue[{index}].expression",))


def _paths(owner: Resource, path: str, resource_type: str) -> Iterator[Issue]:
    for index, value in enumerate(owner.get("dynamicValue") or ()):
        text = str(value.get("path") or "")
        try:
            compile_path(text, resource_type)
        except UnknownPath as error:
            told = f"{error}{_near(text, resource_type)} The value would be left out."
            yield Issue("error", "invalid", told, (f"{path}.dynamicValue[{index}].path",))


def _near(text: str, resource_type: str) -> str:
    """Return what the last name of a path may have meant, at the top of its target."""
    found = type_of(resource_type or "RequestGroup.action")
    names = {*found.elements, *found.choices} if found is not None else set()
    last = text.rpartition(".")[2]
    return "" if last in names else meant(last, names)
