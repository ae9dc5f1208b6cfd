"""Put a compiled plan together: what its actions read, and what it says of itself.

https://hl7.org/fhir/R4/plandefinition.html
"""

from collections.abc import Iterable, Iterator

from carepath.apply.compile.actions import all_actions, formulas_of
from carepath.apply.compile.activity import subject_type
from carepath.apply.compile.compiled import CompiledAction, CompiledPlan, Phase
from carepath.apply.compile.extensions import OWN, extensions_at, parts_of, texts_of
from carepath.apply.compile.names import STANDARD_NAMES, CompileExpression, Fact, Names, Parameter
from carepath.apply.compile.unknown_names import unknown_names
from carepath.issues import Issue
from carepath.resources import Resource, canonical_of


def compiled_plan(
    plan: Resource,
    names: Names,
    actions: tuple[CompiledAction, ...],
    issues: list[Issue],
    compile_: CompileExpression,
) -> CompiledPlan:
    """Return a plan in the form that is walked, from its names and its compiled actions."""
    every = list(all_actions(actions))
    return CompiledPlan(
        source=plan,
        canonical=canonical_of(plan),
        key=str(plan.get("id") or plan.get("name") or "plan"),
        title=str(plan.get("title") or plan.get("name") or plan.get("id") or ""),
        names=names,
        actions=actions,
        goals=tuple(plan.get("goal") or ()),
        subject_type=subject_type(plan),
        disclaimers=tuple(texts_of(plan, OWN + "disclaimer")),
        expiries=tuple(_expiries(plan)),
        reads_action=any("action" in f.variables for a in every for f in formulas_of(a)),
        is_acyclic=all(action.plan.is_acyclic for action in every if action.plan is not None),
        size=sum(1 + (a.plan.size if a.plan is not None else 0) for a in every),
        depth=_depth(actions),
        reads_death=_reads_death(names, every),
        parameters=frozenset(_parameters(names, every)),
        issues=(*issues, *_unknown_names(plan, every), *_unknown_goals(plan, every)),
        all_goal_ids=frozenset(goal for action in every for goal in action.goal_ids),
        phases=tuple(_phases(plan, compile_)),
        unreviewed=frozenset(_unreviewed(plan)),
    )


def _unknown_names(plan: Resource, actions: Iterable[CompiledAction]) -> Iterator[Issue]:
    """Yield a warning for each name that an action reads of a subject who never has it."""
    for action in actions:
        type_name = action.subject_type or subject_type(plan)
        for formula in action.conditions:
            what = f"a condition of `{action.key}`"
            yield from unknown_names(formula, type_name, what)
        for value in (*action.dynamic_values, *action.action_values):
            what = f"the value for `{value.path.text}` of `{action.key}`"
            yield from unknown_names(value.formula, type_name, what)


def _unknown_goals(plan: Resource, actions: Iterable[CompiledAction]) -> Iterator[Issue]:
    """Yield a warning for each goal of an action that the plan does not have."""
    known = {goal.get("id") for goal in plan.get("goal") or ()}
    for action in actions:
        for goal in action.goal_ids:
            if goal not in known:
                text = f"`{action.key}` pursues the goal `{goal}`, which the plan does not have."
                yield Issue("warning", "not-found", text)


def _depth(actions: Iterable[CompiledAction]) -> int:
    """Return how many levels of actions stand inside each other, 0 where there are none."""
    levels = (
        1 + max(_depth(action.children), action.plan.depth if action.plan is not None else 0)
        for action in actions
    )
    return max(levels, default=0)


def _reads_death(names: Names, actions: Iterable[CompiledAction]) -> bool:
    """Tell whether some expression of a plan reads `Patient.deceased`."""
    facts = (entry.formula for entry in names.entries.values() if isinstance(entry, Fact))
    read = (f for action in actions for f in formulas_of(action))
    nested = (action.plan.reads_death for action in actions if action.plan is not None)
    return any("deceased" in formula.text for formula in (*facts, *read)) or any(nested)


def _parameters(names: Names, actions: Iterable[CompiledAction]) -> Iterator[str]:
    """Yield the parameters that Libraries declare, and names that expressions read undefined."""
    read: set[str] = set()
    for action in actions:
        own = action.names.entries if action.names is not None else {}
        read.update(n for f in formulas_of(action) for n in f.variables if n not in own)
        for entry in own.values():
            read.update(entry.formula.variables if isinstance(entry, Fact) else ())
        if action.plan is not None:
            yield from action.plan.parameters
        for library in action.activity.names if action.activity is not None else ():
            yield from _parameters(library, ())
    for name, entry in names.entries.items():
        if isinstance(entry, Parameter):
            yield name
        elif isinstance(entry, Fact):
            read.update(n for n in entry.formula.variables if n not in entry.home.entries)
    yield from read - names.entries.keys() - STANDARD_NAMES


def _expiries(plan: Resource) -> Iterator[tuple[str, str]]:
    """Yield the days after which content is out of date, and whose content it is."""
    end = (plan.get("effectivePeriod") or {}).get("end")
    if end:
        yield str(end), "the effective period of the plan"
    for extension in extensions_at(plan, OWN + "content-expiry"):
        day = extension.get("valueDate") or extension.get("valueDateTime")
        if day:
            yield str(day), "the review date of its source"


def _phases(plan: Resource, compile_: CompileExpression) -> Iterator[Phase]:
    """Yield the phases of care that a plan names, in their order."""
    for extension in extensions_at(plan, OWN + "care-phase"):
        parts = parts_of(extension)
        past = parts.get("past", {}).get("valueExpression")
        title = str(parts.get("title", {}).get("valueString", ""))
        yield Phase(title, compile_(past) if past else None)


def _unreviewed(plan: Resource) -> Iterator[str]:
    """Yield the labels of the sources that nobody has reviewed."""
    for artifact in plan.get("relatedArtifact") or ():
        marks = extensions_at(artifact, OWN + "unreviewed")
        if artifact.get("label") and any(mark.get("valueBoolean") for mark in marks):
            yield str(artifact["label"])
