"""The whole CarePlan of each scenario, byte for byte; `make golden` writes them anew."""

import json
from pathlib import Path

import pytest

from carepath.authoring.cases import read_case, run_case
from carepath.formats.json import encode
from carepath.issues import Issue
from carepath.knowledge import Knowledge
from carepath.validation import check_structure, model_problems

ROOT = Path(__file__).parent
GOLDEN = sorted((ROOT / "golden" / "cases").rglob("*.json"))
KNOWLEDGE = Knowledge.shipped()


def _case_of(golden: Path) -> Path:
    return ROOT / "cases" / golden.relative_to(ROOT / "golden" / "cases")


@pytest.mark.parametrize("golden", GOLDEN, ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_golden_answer(golden: Path) -> None:
    care_plan = run_case(read_case(_case_of(golden)), KNOWLEDGE).care_plan()
    assert encode(care_plan, pretty=True) == golden.read_bytes(), "run `make golden`"
    errors: list[Issue] = [issue for issue in check_structure(care_plan) if issue.is_error]
    assert errors == []
    assert [*model_problems(care_plan)] == []


def test_every_scenario_has_a_golden_answer() -> None:
    cases = {
        path
        for path in (ROOT / "cases").rglob("*.json")
        if "scenario" in json.loads(path.read_text("utf-8"))
    }
    assert {_case_of(golden) for golden in GOLDEN} == cases
    assert len({json.loads(path.read_text("utf-8"))["scenario"] for path in cases}) == 55
