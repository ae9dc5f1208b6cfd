"""The reason of a decision in one plain sentence.

Read by clinicians beside the proposal: which facts decided, with their values and the resources of
the record that they come from.
"""

from collections.abc import Collection, Sequence
from decimal import Decimal

from carepath.apply.compile.compiled import CompiledAction
from carepath.apply.compile.extensions import STRENGTH, concept_codes
from carepath.apply.compile.names import Fact, Parameter
from carepath.apply.explain.deciding import deciding_names, truth_of
from carepath.apply.run.evidence import evidence_of_fact
from carepath.apply.run.scope import FactValue
from carepath.apply.run.step import MET, UNDETERMINED, Step, json_value

_MOST_EVIDENCE = 3


def because(step: Step) -> str:
    """Return why an action was decided as it was."""
    if step.outcome == MET:
        return _why_met(step)
    if step.outcome == UNDETERMINED:
        return _why_undetermined(step)
    known = _known(step)
    if known:
        return f"Does not apply because {known}."
    if step.action.conditions:
        return f"Does not apply because its condition is false: {step.action.expression}."
    return "Does not apply because an action before it was taken."


def _why_met(step: Step) -> str:
    """Return why an action applies; one without a condition rests on the group it is in."""
    verb = verb_of(step)
    known = _known(step)
    if known:
        return f"{verb} because {known}."
    if step.reason is not None:
        return f"{verb} as part of “{step.reason.action.title}”."
    if step.action.conditions:
        return f"{verb} because its condition is true: {step.action.expression}."
    return f"{verb} without a condition."


def verb_of(step: Step) -> str:
    """Return how the content puts a step forward: proposed, applying, or advised against."""
    if step.action.direction == "against":
        return "Not routinely advised" if _is_weak(step.action) else "Advised against"
    return "Proposed" if step.request or not _is_group(step.action) else "Applies"


def _is_weak(action: CompiledAction) -> bool:
    """Tell whether the content calls a recommendation weak, as `not routinely` is."""
    return "weak" in concept_codes(action.source, STRENGTH)


def _is_group(action: CompiledAction) -> bool:
    return bool(action.children) or action.plan is not None


def _why_undetermined(step: Step) -> str:
    """Return what keeps an action from being decided."""
    if step.missing:
        names = [called(step, name) for name in step.missing]
        verb = "is" if len(names) == 1 else "are"
        return f"Cannot be decided because {_listed(names)} {verb} not known."
    if step.problems:
        return f"Cannot be decided: {step.problems[0].diagnostics}"
    if step.is_blocked:
        return "Cannot be decided because the group that it is in cannot be decided."
    return f"Cannot be decided because its condition has no value: {step.action.expression}."


def _known(step: Step) -> str:
    """Return the facts that decided, with values and evidence.

    An auxiliary fact says nothing to a clinician; the facts that it rests on stand in for it.
    """
    told = facts_told(step)
    if not told:
        return ""
    above = told_above(step)
    return _listed(
        [value.phrase or phrase_of(value) for name, value in told.items() if name not in above]
    )


def facts_told(step: Step) -> dict[str, FactValue]:
    """Return the facts to tell for a step; made once."""
    if step.told is None:
        told: dict[str, FactValue] = {}
        helping: dict[str, FactValue] = {}
        for value in _deciding(step):
            if value.known.items:
                _tell(value, told, helping)
        # Where only auxiliary facts decided, they are better than nothing.
        step.told = told or helping
    return step.told


def facts_behind_request(step: Step) -> tuple[FactValue, ...]:
    """Return the facts that a step tells, or those of the nearest group that tells any."""
    level: Step | None = step
    while level is not None:
        told, above = facts_told(level), told_above(level)
        own = tuple(value for name, value in told.items() if name not in above)
        if own:
            return own
        level = level.reason
    return ()


def _deciding(step: Step) -> list[FactValue]:
    """Return the facts that decided the conditions of a step.

    Where some condition is decisive alone (a no among many), the others decided nothing.
    """
    conditions = step.action.conditions
    if len(conditions) > 1 and step.outcome != MET and not step.action.any_condition:
        decisive = [c for c in conditions if truth_of(c, step.scope) is False]
        conditions = tuple(decisive) or conditions
    names = dict.fromkeys(n for c in conditions for n in deciding_names(c, step.scope))
    return step.scope.read_facts(names)


def told_above(step: Step) -> Collection[str]:
    """Return the facts that the groups around an action have told already."""
    reason = step.reason
    if reason is None:
        return ()
    if reason.reason is None:
        return facts_told(reason)
    return {*facts_told(reason), *told_above(reason)}


def _tell(value: FactValue, told: dict[str, FactValue], helping: dict[str, FactValue]) -> None:
    """Add a fact that is known, or for an auxiliary one those of its facts that are."""
    fact = value.fact
    if not fact.is_auxiliary:
        told[fact.name] = value
    elif fact.name not in helping:
        told.update(_told_of(value))
        if not _is_switch(value):
            helping[fact.name] = value


def _told_of(value: FactValue) -> dict[str, FactValue]:
    """Return the facts with a public name that an auxiliary one rests on; made once."""
    if value.told is None:
        told: dict[str, FactValue] = {}
        value.told = told
        if not _is_switch(value):
            names = deciding_names(value.fact.formula, value.scope)
            for inner in value.scope.read_facts(names):
                if inner.known.items and not _is_attribution(inner):
                    # What only helps the one that helps would name resources that decide nothing.
                    _tell(inner, told, {})
    return value.told


def _is_attribution(value: FactValue) -> bool:
    """Tell whether a fact only picks from the record what another one is read from.

    Facts behind it decided which resources are about the patient's disease, and nothing else.
    """
    return value.fact.is_auxiliary and isinstance(value.known.items[0][0], dict)


def _is_switch(value: FactValue) -> bool:
    """Tell whether a fact only repeats how the deployment is set up."""
    names = value.fact.formula.variables
    entries = value.fact.home.entries
    return bool(names) and all(isinstance(entries.get(name), Parameter) for name in names)


def phrase_of(value: FactValue) -> str:
    """Return one fact as words: `grade is high (Observation/grade-1)`; made once."""
    if value.phrase is None:
        text = f"{value.fact.words} is {shown(value)}"
        evidence = evidence_of_fact(value)
        if evidence:
            more = len(evidence) - _MOST_EVIDENCE
            names = ", ".join(evidence[:_MOST_EVIDENCE]) + (f" and {more} more" if more > 0 else "")
            text += f" ({names})"
        if value.is_assumed:
            text += " (assumed)"
        value.phrase = text
    return value.phrase


def called(step: Step, name: str) -> str:
    """Return what to call a missing fact."""
    found = step.scope.definition(name)
    return found.words if isinstance(found, Fact) else name


def shown(fact_value: FactValue) -> str:
    """Return the value of a fact as words."""
    items, texts = fact_value.known.items, []
    for value in [item[0] for item in items[:_MOST_EVIDENCE]]:
        if isinstance(value, bool):
            texts.append("yes" if value else "no")
        elif isinstance(value, dict):
            texts.append(str(json_value(value)) if "resourceType" in value else "recorded")
        else:
            plain = f"{value:f}" if isinstance(value, Decimal) else str(value)
            texts.append(fact_value.fact.text_of(plain))
    more = len(items) - _MOST_EVIDENCE
    return _listed(texts) + (f" and {more} more" if more > 0 else "")


def _listed(parts: Sequence[str]) -> str:
    """Return `a, b and c`."""
    if len(parts) <= 1:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} and {parts[-1]}"
