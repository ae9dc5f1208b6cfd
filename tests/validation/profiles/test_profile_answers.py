"""What the shipped pathways answer to the examples: valid, and as our own profiles promise it."""

from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from carepath.apply import ApplyRequest, apply_plan
from carepath.apply.request import EXPLAIN, Explain
from carepath.formats.json import decode
from carepath.knowledge import Knowledge
from carepath.record import Record
from carepath.validation import model_problems, validate

ROOT = Path(__file__).parents[3]
EXAMPLES = sorted((ROOT / "examples").glob("*.json"))
NOW = datetime.fromisoformat("2026-03-01T10:00:00+04:00")
OWN = "https://carepath.example/fhir/StructureDefinition/"


@cache
def answers(path: Path, explain: Explain = "brief") -> tuple[dict[str, Any], ...]:
    """Return the CarePlan and the Bundle for the first patient of an example."""
    knowledge = Knowledge.shipped()
    content = decode(path.read_bytes())
    parts = {part["name"]: part for part in content.get("parameter", ())}
    record = Record.of(parts["data"]["resource"] if parts else content)
    plan = knowledge.plan("mst-pathway")
    request = ApplyRequest(plan, record, NOW, subject=record.subjects[0], explain=explain)
    applied = apply_plan(request, knowledge)
    return applied.care_plan(), applied.bundle()


@pytest.mark.parametrize("explain", EXPLAIN)
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_answer_is_valid(path: Path, explain: Explain) -> None:
    for answer in answers(path, explain):
        issues = validate(answer, definitions=Knowledge.shipped(), now=NOW)
        assert [issue for issue in issues if issue.is_error] == []
        assert list(model_problems(answer)) == []


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_a_care_plan_conforms_to_its_profile(path: Path) -> None:
    care_plan = answers(path)[0]
    issues = validate(
        care_plan, definitions=Knowledge.shipped(), profiles=[OWN + "mst-careplan"], now=NOW
    )
    assert [issue for issue in issues if issue.is_error] == []


def test_the_examples_give_proposals_at_all() -> None:
    kinds = {c["resourceType"] for path in EXAMPLES for c in answers(path)[0]["contained"]}
    assert {"RequestGroup", "ServiceRequest"} <= kinds


def test_no_action_of_an_answer_has_an_extension_that_only_a_plan_may_have() -> None:
    urls = {
        extension["url"]
        for path in EXAMPLES
        for resource in answers(path, "full")[0]["contained"]
        for extension in _extensions(resource.get("action", ()))
    }
    assert OWN + "quality-of-evidence" in urls
    assert not any(url.startswith("http://hl7.org/fhir/StructureDefinition/cqf-") for url in urls)


def _extensions(actions: Any) -> list[dict[str, Any]]:
    """Return the extensions of actions and of those below them."""
    return [
        extension
        for action in actions
        for extension in (*action.get("extension", ()), *_extensions(action.get("action", ())))
    ]
