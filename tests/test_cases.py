"""Every file in tests/cases/<pathway>/ is one patient and what should follow."""

import json
from pathlib import Path

import jsonschema
import pytest

from carepath.authoring.cases import differences, read_case, read_cases, run_case
from carepath.errors import InvalidContent
from carepath.knowledge import Knowledge

ROOT = Path(__file__).parent
CASES = ROOT / "cases"
SCHEMA = json.loads((ROOT.parent / "fhir_profiles/schemas/case.schema.json").read_text("utf-8"))
KNOWLEDGE = Knowledge.shipped()
FILES = sorted(CASES.rglob("*.json"))


@pytest.mark.parametrize("path", FILES, ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_case(path: Path) -> None:
    case = read_case(path)
    assert differences(case, run_case(case, KNOWLEDGE)) == []


@pytest.mark.parametrize("path", FILES, ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_case_file_is_well_formed(path: Path) -> None:
    jsonschema.validate(json.loads(path.read_text("utf-8")), SCHEMA)


def test_there_are_cases() -> None:
    assert len(read_cases(CASES)) >= 55


def test_a_case_without_a_part_is_named(tmp_path: Path) -> None:
    broken = tmp_path / "broken.json"
    broken.write_text('{"about": "x", "now": "2026-01-01T00:00:00+04:00", "given": []}', "utf-8")
    with pytest.raises(InvalidContent) as caught:
        read_case(broken)
    assert (caught.value.source, caught.value.element) == ("broken.json", "expect")


def test_a_wrong_expectation_is_told(tmp_path: Path) -> None:
    """The runner must be able to fail: every part of a real case, turned wrong, is reported."""
    case = read_case(FILES[0])
    applied = run_case(case, KNOWLEDGE)
    wrong = {
        "proposed": ["no-such-activity"],
        "undetermined": {"no/such-action": ["type"]},
        "decisions": {"no-such-action": "met"},
        "facts": {"no-such-fact": 1},
        "issues": ["no such words"],
        "requests": [{"resourceType": "NoSuchType"}],
    }
    for part, expected in wrong.items():
        changed = type(case)(**{**case.__dict__, "expect": {part: expected}})
        assert differences(changed, applied), part
