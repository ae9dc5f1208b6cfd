"""What the product decides about a patient, and how two answers differ."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Any

from carepath.apply import Decision, apply_plan, warm
from carepath.apply.compile.names import FACT
from carepath.authoring.fact_cases import values_of
from carepath.command.reading import apply_request
from carepath.errors import CarepathError
from carepath.knowledge import Knowledge
from carepath.resources import Resource

from .patients import KNOWLEDGE, Patient

LIBRARY = "https://carepath.example/fhir/Library/mst-facts"
_FACT = "fact-"


@dataclass(frozen=True)
class Answer:
    """Outcomes and missing facts by path of the action, values of facts by name; or a refusal."""

    decisions: Mapping[str, str]
    facts: Mapping[str, tuple[str, ...]]
    refusal: str = ""


@cache
def public_facts() -> tuple[str, ...]:
    """Return the names of the facts that are not auxiliary."""
    library = KNOWLEDGE.definition("Library", LIBRARY)
    expressions = [e["valueExpression"] for e in library["extension"] if e["url"] == FACT]
    return tuple(e["name"] for e in expressions if not _is_auxiliary(e))


@cache
def answer_to(patient: Patient) -> Answer:
    """Return the answer for a patient as sent; worked out once."""
    return answer(patient, patient.bundle)


def answer(patient: Patient, sent: Resource) -> Answer:
    """Return the answer for what is sent in a patient's place, under the same circumstances."""
    parameters = {name: values_of(value) for name, value in patient.parameters.items()}
    try:
        request = apply_request(
            sent,
            _knowledge(),
            pathway=f"facts-and-{patient.pathway}",
            subject=None,
            now=patient.now,
            parameters=parameters,
        )
        decisions = apply_plan(request, _knowledge()).decisions
    except CarepathError as error:
        return Answer({}, {}, str(error) or type(error).__name__)
    return Answer(
        {_path(d): _outcome(d) for d in decisions if not d.id.startswith(_FACT)},
        {d.id.removeprefix(_FACT): _value(d) for d in decisions if d.id.startswith(_FACT)},
    )


def differences(before: Answer, after: Answer) -> list[str]:
    """Return what has changed from one answer to another, a line each."""
    if before.refusal or after.refusal:
        told = [f"refused: {one.refusal}" if one.refusal else "answered" for one in (before, after)]
        return [] if before.refusal == after.refusal else [f"{told[0]} -> {told[1]}"]
    facts = ((f"%{name}", name, before.facts, after.facts) for name in before.facts)
    paths = {**before.decisions, **after.decisions}
    decisions = ((path, path, before.decisions, after.decisions) for path in paths)
    return [*_changes(facts), *_changes(decisions)]


def _changes(rows: Iterator[tuple[str, str, Mapping[str, Any], Mapping[str, Any]]]) -> list[str]:
    return [
        f"{label}: {_said(old.get(name))} -> {_said(new.get(name))}"
        for label, name, old, new in rows
        if old.get(name) != new.get(name)
    ]


def _said(value: Any) -> str:
    """Return an outcome or the values of a fact as a reader sees them."""
    if isinstance(value, tuple):
        return ", ".join(value) or "unknown"
    return value or "absent"


def _path(decision: Decision) -> str:
    """Return the path of an action within its pathway."""
    return decision.path.partition("/pathway")[2].lstrip("/") or decision.path


def _outcome(decision: Decision) -> str:
    missing = f" ({', '.join(sorted(decision.missing))})" if decision.missing else ""
    return f"{decision.outcome}{missing}"


def _value(decision: Decision) -> tuple[str, ...]:
    """Return the values of the fact that an action asks for, in an order of their own."""
    name = decision.id.removeprefix(_FACT)
    read = next(fact for fact in decision.facts if fact["name"] == name)
    return tuple(sorted(_text(value) for value in values_of(read["value"])))


def _text(value: Any) -> str:
    """Return a value as text; equal numbers give equal texts."""
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        return f"{Decimal(str(value)).normalize():f}"
    return json.dumps(value, default=str, sort_keys=True)


def _is_auxiliary(expression: Mapping[str, Any]) -> bool:
    extensions = expression.get("extension", ())
    return any(e["url"].endswith("/auxiliary-fact") and e["valueBoolean"] for e in extensions)


def _plan_with_facts(pathway: Resource) -> Resource:
    """Return a plan of a pathway with one more action for each public fact."""
    actions: list[Resource] = [
        {"id": "pathway", "title": "The pathway", "definitionCanonical": pathway["url"]}
    ]
    for name in public_facts():
        expression = {"language": "text/fhirpath", "expression": f"%{name}.exists()"}
        condition = [{"kind": "applicability", "expression": expression}]
        actions.append({"id": f"{_FACT}{name}", "title": name, "condition": condition})
    return {
        "resourceType": "PlanDefinition",
        "id": f"facts-and-{pathway['id']}",
        "url": f"https://carepath.example/fhir/PlanDefinition/facts-and-{pathway['id']}",
        "status": "draft",
        "library": [LIBRARY],
        "action": actions,
    }


@cache
def _knowledge() -> Knowledge:
    """Return the shipped content with such a plan for each pathway: what it holds compiles once."""
    plans = KNOWLEDGE.all("PlanDefinition")
    knowledge = KNOWLEDGE.with_definitions(_plan_with_facts(plan) for plan in plans)
    warm(knowledge)
    return knowledge
