"""What was decided about each action, and why.

https://hl7.org/fhir/R4/plandefinition.html#12.18.3

`met` applies, `not-met` does not, `undetermined` means that nobody can tell: a datum is missing or
the condition could not be evaluated.  Undetermined is never read as no.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from carepath.apply.compile.compiled import CompiledAction
from carepath.apply.run.scope import FactValue, Scope, evidence_of_fact, named_facts
from carepath.fhirpath import Node
from carepath.issues import Issue

Outcome = Literal["met", "not-met", "undetermined"]
MET: Outcome = "met"
NOT_MET: Outcome = "not-met"
UNDETERMINED: Outcome = "undetermined"


@dataclass(slots=True, eq=False)
class Step:
    """One action as the walk met it; a Decision is made of it when somebody asks."""

    action: CompiledAction
    path: str
    plan: str
    scope: Scope
    outcome: Outcome
    missing: tuple[str, ...]
    problems: tuple[Issue, ...]
    reason: "Step | None"
    """The nearest action above with conditions of its own, which a child without any rests on."""
    depth: int
    request: str | None = None
    is_blocked: bool = False
    """Whether a group above is undetermined."""
    told: dict[str, FactValue] | None = None
    """The facts that this step's reason tells, once it has been written."""
    result: dict[str, Any] | None = None


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


def facts_read(step: Step) -> list[FactValue]:
    """Return the facts that the conditions of an action read, each once, in the order written."""
    return step.scope.read_facts(step.action.read_names)


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


def evidence_of(step: Step) -> tuple[str, ...]:
    """Return what a decision rests on: its own evidence, else that of the group it is in."""
    conditions = step.action.conditions
    if len(conditions) == 1:
        found = step.scope.evidence(conditions[0])
    else:
        found = tuple(dict.fromkeys(e for c in conditions for e in step.scope.evidence(c)))
    if not found and step.reason is not None:
        return evidence_of(step.reason)
    return found


def fact_as_json(value: FactValue) -> dict[str, Any]:
    """Return name, value and evidence of a fact."""
    values = [json_value(v) for v in value.values]
    single = values[0] if len(values) == 1 else (values or None)
    return {
        "name": value.fact.name,
        "value": single,
        "evidence": list(evidence_of_fact(value)),
    }


def json_value(value: Any) -> Any:
    """Return a FHIRPath value as JSON; a resource is shown by its name, never by its content."""
    value = value.value if isinstance(value, Node) else value
    if isinstance(value, dict):
        name = value.get("resourceType")
        if name is None:
            return value
        return f"{name}/{value['id']}" if "id" in value else name
    if value is None or isinstance(value, bool | int | str):
        return value
    return value if type(value).__name__ == "Decimal" else str(value)
