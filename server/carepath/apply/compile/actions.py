"""Compile the actions of a plan: conditions and values parsed, what they lead to looked up.

https://hl7.org/fhir/R4/plandefinition-definitions.html#PlanDefinition.action
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from carepath.apply.compile.activity import (
    CompiledActivity,
    compile_dynamic_values,
    is_set,
    reads_activity,
    subject_type,
)
from carepath.apply.compile.compilation import Compilation
from carepath.apply.compile.compiled import CompiledAction, CompiledPlan
from carepath.apply.compile.dynamic_value import DynamicValue
from carepath.apply.compile.extensions import DIRECTION, OWN, extensions_at, texts_of
from carepath.apply.compile.formula import Formula
from carepath.apply.compile.libraries import action_names
from carepath.apply.compile.modifiers import modifiers
from carepath.apply.compile.names import OF_GAPS
from carepath.apply.compile.templates import APPLICABILITY_BEHAVIOR, brief, template
from carepath.deadline import paced
from carepath.issues import Issue
from carepath.resources import Resource, codings, concept_text

_NOT_ID = re.compile(r"[^A-Za-z0-9.-]+")
_ID_LENGTH = 64
_OPTIONS = {"any", "exactly-one", "at-most-one", "one-or-more"}

Target = CompiledActivity | CompiledPlan | Resource | None
"""What the definition of an action leads to; a Reference where it is neither of ours."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the actions of one plan are compiled with."""

    made: Compilation
    target: Callable[[Resource, list[Issue]], Target]
    """Finds what the definition of an action leads to, and adds what goes wrong to the issues."""


def compile_actions(
    actions: Iterable[Resource] | None, prefix: str, within: Surroundings, *, reads_gaps: bool
) -> tuple[CompiledAction, ...]:
    """Compile actions with all below them; one without an id is called by its number."""
    return tuple(
        _action(action, f"{prefix}-{number}", within, reads_gaps=reads_gaps)
        for number, action in enumerate(paced(actions or ()), start=1)
    )


def all_actions(actions: Iterable[CompiledAction]) -> Iterator[CompiledAction]:
    """Yield actions with all below them, in the order of the plan."""
    for action in actions:
        yield action
        yield from all_actions(action.children)


def _action(
    action: Resource, key: str, within: Surroundings, *, reads_gaps: bool
) -> CompiledAction:
    """Compile one action with all below it."""
    issues: list[Issue] = []
    key = _as_id(str(action.get("id") or key))
    conditions = tuple(map(within.made.formula, _conditions(action)))
    target = within.target(action, issues)
    activity = target if isinstance(target, CompiledActivity) else None
    reads_gaps = reads_gaps or any(OF_GAPS.intersection(c.variables) for c in conditions)
    children = compile_actions(action.get("action"), key, within, reads_gaps=reads_gaps)
    values = _values(action, activity, within, issues)
    full = template(action, activity, within.made.settings)
    return CompiledAction(
        source=action,
        key=key,
        title=_title(action, target),
        template=full,
        brief=_brief(full, children, target),
        subject_type=subject_type(action),
        conditions=conditions,
        read_names=tuple(dict.fromkeys(name for c in conditions for name in c.variables)),
        any_condition=_applicability_behavior(action) == "any",
        children=children,
        offers_options=action.get("selectionBehavior") in _OPTIONS,
        activity=activity,
        plan=target if isinstance(target, CompiledPlan) else None,
        reference=target if isinstance(target, dict) else None,
        definition=_definition_name(action, target),
        dynamic_values=tuple(v for v in values if is_set(v) and not v.path.of_action),
        decisive=_decisive(values, activity),
        action_values=tuple(v for v in values if v.path.of_action),
        related=tuple(map(_related, action.get("relatedAction") or ())),
        participants=tuple(action.get("participant") or ()),
        goal_ids=tuple(action.get("goalId") or ()),
        names=action_names(action, within.made),
        statements=tuple(_statements(action)),
        direction=_direction(action, activity),
        conflicts=tuple(texts_of(action, OWN + "conflict-note")),
        reads_gaps=reads_gaps,
        reads_activity=reads_activity(values, activity),
        joined_as=_joined_as(action),
        issues=tuple(issues),
        modifiers=modifiers(action),
    )


def _as_id(text: str) -> str:
    """Return a text as an id; what an id may not hold becomes a hyphen."""
    return _NOT_ID.sub("-", text)[:_ID_LENGTH]


def _related(related: Resource) -> Resource:
    """Return a relation to an action by the id that it gets."""
    id_ = str(related.get("actionId"))
    return related if _as_id(id_) == id_ else {**related, "actionId": _as_id(id_)}


def _values(
    action: Resource,
    activity: CompiledActivity | None,
    within: Surroundings,
    issues: list[Issue],
) -> tuple[DynamicValue, ...]:
    """Compile the dynamicValues of an action, for the request that its activity makes."""
    if "transform" in action:
        told = f"`transform` ({action['transform']}) was left out: no StructureMap is applied here."
        issues.append(Issue("warning", "not-supported", told))
    kind = activity.kind if activity is not None else None
    resource_type = activity.resource_type if activity is not None and kind else ""
    return compile_dynamic_values(action, kind, resource_type, within.made.formula, issues)


def _decisive(
    values: tuple[DynamicValue, ...], activity: CompiledActivity | None
) -> tuple[DynamicValue, ...]:
    """Return the values that decide what the request means: the activity's, then the action's."""
    own = tuple(value for value in values if value.decides)
    return own if activity is None else (*activity.decisive, *own)


def _brief(full: Resource, children: tuple[CompiledAction, ...], target: Target) -> Resource:
    """Return the template without what its request, its definition or those below say as well."""
    has_request = isinstance(target, CompiledActivity) and target.kind is not None
    holds_actions = bool(children) or isinstance(target, CompiledPlan)
    return brief(full, holds_actions=holds_actions, has_request=has_request)


def _conditions(action: Resource) -> Iterator[Resource]:
    """Yield the applicability conditions; start and stop are carried, never evaluated."""
    for condition in action.get("condition") or ():
        if condition.get("kind") == "applicability":
            yield condition.get("expression") or {}


def _applicability_behavior(action: Resource) -> str:
    for extension in extensions_at(action, APPLICABILITY_BEHAVIOR):
        return str(extension.get("valueCode", "all"))
    return "all"


def _joined_as(action: Resource) -> str:
    """Return the name under which requests of several actions are made as one, empty for none."""
    codes = (e.get("valueCode") for e in extensions_at(action, OWN + "joined-as"))
    return str(next(filter(None, codes), ""))


def _title(action: Resource, target: Target) -> str:
    """Return what people call an action."""
    for name in ("title", "textEquivalent", "description"):
        if action.get(name):
            return str(action[name])
    if isinstance(target, CompiledPlan):
        return target.title
    if isinstance(target, CompiledActivity):
        definition = target.definition
        return str(definition.get("title") or definition.get("name") or definition.get("id", ""))
    for code in action.get("code") or ():
        if concept_text(code):
            return concept_text(code)
    return str(action.get("id") or "")


def _definition_name(action: Resource, target: Target) -> str | None:
    """Return the definition as `canonical|version`, as written when it leads nowhere."""
    if isinstance(target, CompiledActivity | CompiledPlan):
        return target.canonical
    return action.get("definitionCanonical") or action.get("definitionUri")


def _statements(action: Resource) -> Iterator[str]:
    """Yield the ids of the source statements behind an action."""
    for artifact in action.get("documentation") or ():
        if artifact.get("type") == "documentation" and artifact.get("label"):
            yield str(artifact["label"])


def _direction(action: Resource, activity: CompiledActivity | None) -> str:
    """Return `for` or `against`: as the action says, else as its definition forbids."""
    for extension in extensions_at(action, DIRECTION):
        for coding in codings(extension.get("valueCodeableConcept")):
            return str(coding.get("code"))
        return str(extension.get("valueCode", "for"))
    return "against" if activity is not None and activity.is_against else "for"


def formulas_of(action: CompiledAction) -> Iterator[Formula]:
    """Yield every expression of an action and of its ActivityDefinition."""
    yield from action.conditions
    values = (*action.dynamic_values, *action.action_values)
    if action.activity is not None:
        values = (*values, *action.activity.dynamic_values)
    yield from (value.formula for value in values)
