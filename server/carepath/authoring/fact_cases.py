"""Case files for facts: resources of one patient, and the values the facts of a Library must have.

A file names its `library` and holds `cases`: `given` resources, perhaps `parameters` and `now`,
the `facts` expected (an empty list is an unknown fact) and the `evidence` that must be behind
some of them.  docs/authoring.md explains case files.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from carepath.apply import ApplyRequest, apply_plan
from carepath.errors import EvaluationError
from carepath.formats.json import decode
from carepath.knowledge import Knowledge
from carepath.record import Record
from carepath.resources import Resource

NOON = datetime(2026, 6, 15, 12, tzinfo=UTC)
"""When a case takes place that does not say so."""

Fact = Mapping[str, Any]
"""What was worked out: name, value, evidence, missing."""


@dataclass(frozen=True)
class FactCase:
    """One case of a file."""

    name: str
    library: str
    given: tuple[Resource, ...]
    facts: Mapping[str, Any]
    evidence: Mapping[str, Any] = field(default_factory=dict)
    parameters: Mapping[str, Any] = field(default_factory=dict)
    now: datetime = NOON


def read_fact_cases(folder: Path) -> tuple[FactCase, ...]:
    """Read every case of every file in a folder, in the order of their names."""
    return tuple(
        _case(path.stem, content["library"], case)
        for path in sorted(folder.glob("*.json"))
        for content in [decode(path.read_bytes())]
        for case in content["cases"]
    )


def _case(group: str, library: str, case: Mapping[str, Any]) -> FactCase:
    return FactCase(
        name=f"{group}: {case['case']}",
        library=library,
        given=tuple(case["given"]),
        facts=case["facts"],
        evidence=case.get("evidence", {}),
        parameters=case.get("parameters", {}),
        now=datetime.fromisoformat(case["now"]) if "now" in case else NOON,
    )


def work_out(
    names: Iterable[str],
    given: Iterable[Resource],
    knowledge: Knowledge,
    library: str,
    parameters: Mapping[str, Any] | None = None,
    now: datetime = NOON,
) -> dict[str, Fact]:
    """Return value, evidence and missing facts of each named fact for one patient.

    Raises EvaluationError for a fact that fails.
    """
    wanted = tuple(names)
    request = ApplyRequest(
        definition=_probe(wanted, library),
        record=Record.of(list(given)),
        now=now,
        parameters={name: [value] for name, value in (parameters or {}).items()},
    )
    found: dict[str, Fact] = {}
    for decision in apply_plan(request, knowledge).decisions:
        read = next((fact for fact in decision.facts if fact["name"] == decision.id), None)
        if read is None:
            raise EvaluationError(str(decision.expression), f"%{decision.id}", decision.because)
        found[decision.id] = {**read, "missing": list(decision.missing)}
    return found


def fact_differences(case: FactCase, knowledge: Knowledge) -> list[str]:
    """Return what is not as the case expects, a sentence each; nothing when it holds."""
    found = work_out(case.facts, case.given, knowledge, case.library, case.parameters, case.now)
    wrong = [
        f"`{name}` is {values_of(found[name]['value'])}, expected {values_of(expected)}."
        for name, expected in case.facts.items()
        if values_of(found[name]["value"]) != values_of(expected)
    ]
    for name, expected in case.evidence.items():
        lacking = sorted(set(expected) - set(found[name]["evidence"]))
        if lacking:
            wrong.append(f"`{name}` does not rest on {', '.join(lacking)}.")
    return wrong


def values_of(value: Any) -> list[Any]:
    """Return the values that a case or an answer writes as one value, a list or null."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _probe(names: tuple[str, ...], library: str) -> Resource:
    """Return a plan whose actions ask for one fact each; a condition is empty when its fact is."""
    return {
        "resourceType": "PlanDefinition",
        "id": "probe",
        "status": "draft",
        "library": [library],
        "action": [
            {
                "id": name,
                "title": name,
                "condition": [
                    {
                        "kind": "applicability",
                        "expression": {
                            "language": "text/fhirpath",
                            "expression": f"%{name}.first() = %{name}.first()",
                        },
                    }
                ],
            }
            for name in names
        ],
    }
