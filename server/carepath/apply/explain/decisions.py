"""Decisions made of the steps of a walk.

https://hl7.org/fhir/R4/plandefinition.html#12.18.3
"""

from carepath.apply.explain.because import because
from carepath.apply.explain.decision import Decision, Step, fact_as_json, facts_behind


def decision_of(step: Step) -> Decision:
    """Return the decision that a step stands for."""
    action = step.action
    return Decision(
        path=step.path,
        id=action.key,
        title=action.title,
        outcome=step.outcome,
        expression=action.expression,
        facts=tuple(fact_as_json(value) for value in facts_behind(step)),
        missing=step.missing,
        statements=action.statements,
        definition=action.definition,
        request=step.request,
        direction=action.direction,
        because=because(step),
        plan=step.plan,
    )
