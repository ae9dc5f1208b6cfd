"""What was decided about each action, and why.

https://hl7.org/fhir/R4/plandefinition.html#12.18.3
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from carepath import deadline
from carepath.apply.explain.because import because
from carepath.apply.run.evidence import evidence_of_fact, named_facts
from carepath.apply.run.scope import FactValue
from carepath.apply.run.step import Outcome, Step, facts_read, json_value


@dataclass(frozen=True, slots=True)
class Decision:
    """One action of a plan and what was decided about it.

    `facts` are those that the conditions and the groups around them read, with value and evidence;
    `missing` the facts that would be needed; `request` the type of the request that was made;
    `plan` the id of the action's plan.
    """

    path: str
    id: str
    title: str
    outcome: Outcome
    expression: str | None
    facts: tuple[Mapping[str, Any], ...]
    missing: tuple[str, ...]
    statements: tuple[str, ...]
    definition: str | None
    request: str | None
    direction: str
    because: str
    plan: str = field(default="")

    def as_json(self) -> dict[str, Any]:
        """Return the decision as the API and the command line show it."""
        return {
            "path": self.path,
            "id": self.id,
            "title": self.title,
            "outcome": self.outcome,
            "expression": self.expression,
            "facts": [dict(fact) for fact in self.facts],
            "missing": list(self.missing),
            "statements": list(self.statements),
            "definition": self.definition,
            "request": self.request,
            "direction": self.direction,
            "because": self.because,
        }


def decision_of(step: Step) -> Decision:
    """Return the decision that a step stands for."""
    deadline.check()
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


def facts_behind(step: Step) -> list[FactValue]:
    """Return the facts that a decision rests on: its own, then those of the groups it is in.

    Beside an auxiliary fact stand the facts with a public name that it rests on.
    """
    found: dict[str, FactValue] = {}
    level: Step | None = step
    while level is not None:
        for value in facts_read(level):
            found.setdefault(value.fact.name, value)
            for named in named_facts(value):
                found.setdefault(named.fact.name, named)
        level = level.reason
    return list(found.values())


def fact_as_json(value: FactValue) -> dict[str, Any]:
    """Return name, value and evidence of a fact."""
    values = [json_value(v) for v in value.values]
    single = values[0] if len(values) == 1 else (values or None)
    told = {
        "name": value.fact.name,
        "value": single,
        "evidence": list(evidence_of_fact(value)),
    }
    return {**told, "assumed": True} if value.is_assumed else told
