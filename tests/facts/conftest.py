"""Working out facts of the Library as a plan would: a probe plan with one action for each fact."""

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from carepath.apply import ApplyRequest, apply_plan
from carepath.knowledge import Knowledge
from carepath.record import Record

SHARED = Path(__file__).parents[2] / "pathways" / "shared"
LIBRARY = "https://carepath.example/fhir/Library/mst-facts"
NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)

Fact = Mapping[str, Any]
WorkOut = Callable[..., dict[str, Fact]]


@cache
def knowledge() -> Knowledge:
    """Return what is under pathways/shared, and nothing else."""
    return Knowledge.from_folder(SHARED)


@pytest.fixture(scope="session")
def library() -> dict[str, Any]:
    """Return the Library of facts."""
    text = (SHARED / "libraries" / "mst-facts.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


@pytest.fixture(scope="session")
def main_facts(library: dict[str, Any]) -> set[str]:
    """Return the names of the facts that are not auxiliary."""
    expressions = [extension["valueExpression"] for extension in library["extension"]]
    return {expression["name"] for expression in expressions if "extension" not in expression}


@pytest.fixture(scope="session")
def work_out() -> WorkOut:
    """Return the function that works out facts for one patient."""
    return _work_out


def _work_out(
    names: Iterable[str],
    resources: Iterable[dict[str, Any]],
    parameters: Mapping[str, Any] | None = None,
    now: datetime = NOW,
) -> dict[str, Fact]:
    """Return value, evidence and missing facts of each named fact for one patient."""
    plan = _probe(tuple(names))
    request = ApplyRequest(
        definition=plan,
        record=Record.of(list(resources)),
        now=now,
        parameters={name: [value] for name, value in (parameters or {}).items()},
    )
    applied = apply_plan(request, knowledge())
    wrong = [issue.diagnostics for issue in applied.issues if issue.severity == "error"]
    assert not wrong, wrong
    found: dict[str, Fact] = {}
    for decision in applied.decisions:
        read = next((f for f in decision.facts if f["name"] == decision.id), None)
        assert read is not None, decision
        found[decision.id] = {**read, "missing": list(decision.missing)}
    return found


@cache
def _probe(names: tuple[str, ...]) -> dict[str, Any]:
    """Return a plan whose actions ask for one fact each."""
    return {
        "resourceType": "PlanDefinition",
        "id": "probe",
        "status": "draft",
        "library": [LIBRARY],
        "action": [
            {
                "id": name,
                "title": name,
                "condition": [
                    {
                        "kind": "applicability",
                        "expression": {"language": "text/fhirpath", "expression": _asked(name)},
                    }
                ],
            }
            for name in names
        ],
    }


def _asked(name: str) -> str:
    """Return a condition that is empty when the fact is."""
    return f"%{name}.first() = %{name}.first()"
