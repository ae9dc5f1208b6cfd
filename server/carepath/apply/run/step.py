"""One action as the walk met it: its outcome, and what that rests on.

https://hl7.org/fhir/R4/plandefinition.html#12.18.3

`met` applies, `not-met` does not, `undetermined` means that nobody can tell: a datum is missing or
the condition could not be evaluated.  Undetermined is never read as no.
"""

from dataclasses import dataclass
from typing import Any, Literal

from carepath.apply.compile.compiled import CompiledAction
from carepath.apply.run.evidence import evidence_behind
from carepath.apply.run.scope import FactValue, Scope
from carepath.fhirpath import Node
from carepath.issues import Issue

Outcome = Literal["met", "not-met", "undetermined"]
MET: Outcome = "met"
NOT_MET: Outcome = "not-met"
UNDETERMINED: Outcome = "undetermined"


@dataclass(slots=True, eq=False)
class Step:
    """One action as the walk met it; explained only when somebody asks."""

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
    made: dict[str, Any] | None = None
    """The request that was made of it, which others may share."""
    own: dict[str, Any] | None = None
    """What it alone would have made."""


def facts_read(step: Step) -> list[FactValue]:
    """Return the facts that the conditions of an action read, each once, in the order written."""
    return step.scope.read_facts(step.action.read_names)


def evidence_of(step: Step) -> tuple[str, ...]:
    """Return what a decision rests on: its own evidence, else that of the group it is in."""
    conditions = step.action.conditions
    if len(conditions) == 1:
        found = evidence_behind(conditions[0], step.scope)
    else:
        found = tuple(dict.fromkeys(e for c in conditions for e in evidence_behind(c, step.scope)))
    if not found and step.reason is not None:
        return evidence_of(step.reason)
    return found


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
