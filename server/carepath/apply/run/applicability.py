"""Whether an action applies: met, not met, or undetermined with what is missing.

https://hl7.org/fhir/R4/plandefinition-definitions.html#PlanDefinition.action.condition

Several conditions are combined as FHIRPath combines truth values that may be unknown: one that is
false decides `all`, one that is true decides `any`, whatever the others are.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from carepath.apply.compile.compiled import CompiledAction
from carepath.apply.compile.formula import Formula
from carepath.apply.issues import issue_of
from carepath.apply.run.missing import missing_facts
from carepath.apply.run.scope import FAILURES, Scope
from carepath.apply.run.step import MET, NOT_MET, UNDETERMINED, Outcome
from carepath.errors import UnsupportedFeature
from carepath.fhirpath import Known
from carepath.issues import Issue


class Verdict(NamedTuple):
    """An outcome, the names of the facts that are missing, and why an evaluation failed."""

    outcome: Outcome
    missing: tuple[str, ...] = ()
    problems: tuple[Issue, ...] = ()


_MET = Verdict(MET)
_NOT_MET = Verdict(NOT_MET)


def decide(action: CompiledAction, scope: Scope) -> Verdict:
    """Decide whether an action applies; without conditions it does."""
    if action.modifiers:
        return Verdict(UNDETERMINED, (), tuple(map(_not_understood, action.modifiers)))
    undecided: list[Verdict] = []
    if action.any_condition:
        if not action.conditions:
            return _MET
        decisive, otherwise = MET, _NOT_MET
    else:
        decisive, otherwise = NOT_MET, _MET
    for condition in action.conditions:
        verdict = _decide_once(condition, scope)
        if verdict.outcome == decisive:
            return verdict
        if verdict.outcome == UNDETERMINED:
            undecided.append(verdict)
    if not undecided:
        return otherwise
    return Verdict(
        UNDETERMINED,
        tuple(dict.fromkeys(name for verdict in undecided for name in verdict.missing)),
        tuple(problem for verdict in undecided for problem in verdict.problems),
    )


def _not_understood(modifier: str) -> Issue:
    """Return the issue of what may turn the meaning of an action."""
    return issue_of(UnsupportedFeature("", modifier))


def _decide_once(condition: Formula, scope: Scope) -> Verdict:
    """Return the verdict on a condition; one that means the same elsewhere is decided once."""
    names = scope.names
    verdicts = scope.session.verdicts
    key = (condition.text, names.meaning)
    found: Verdict | None = verdicts.get(key)
    if found is None:
        if not condition.variables_are_in(names.entries):
            return _decide_one(condition, scope)
        found = _decide_variable(condition, scope) if condition.variable else None
        found = verdicts[key] = found or _decide_one(condition, scope)
    return found


def _decide_variable(condition: Formula, scope: Scope) -> Verdict | None:
    """Decide a condition that is nothing but a fact; None when it is more, or not that simple."""
    try:
        known = scope[condition.variable]
    except FAILURES:
        return None
    if type(known) is Known and len(known.items) == 1:
        value = known.items[0][0]
        return _MET if value is True else _NOT_MET if value is False else None
    return None


def _decide_one(condition: Formula, scope: Scope) -> Verdict:
    """Evaluate one condition; only a single true or false decides."""
    if condition.error is not None:
        return Verdict(UNDETERMINED, (), (issue_of(condition.error),))
    absent = next(filter(scope.session.people.is_absent, condition.people_read), None)
    if absent is not None:
        text = f"`{condition.text}` reads `%{absent}`, which the request names and nobody sent."
        return Verdict(UNDETERMINED, (), (Issue("warning", "incomplete", text),))
    try:
        if condition.decide is not None:
            truth = condition.decide(scope.focus, scope.environment)
            values: Sequence[Any] = () if truth is None else (truth,)
        else:
            values = condition.evaluate(scope.focus, scope.environment)
            truth = values[0] if len(values) == 1 else None
    except FAILURES as error:
        return Verdict(UNDETERMINED, missing_facts(condition, scope), (issue_of(error),))
    if truth is True:
        return _MET
    if truth is False:
        return _NOT_MET
    if not values:
        return Verdict(UNDETERMINED, missing_facts(condition, scope))
    found = f"{len(values)} values" if len(values) > 1 else "a value that is no boolean"
    text = f"The condition `{condition.text}` gives {found}; expected true or false."
    return Verdict(UNDETERMINED, (), (Issue("error", "value", text),))
