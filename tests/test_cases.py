"""Every file in tests/cases/<pathway>/ is one patient and what should follow."""

import json
from pathlib import Path

import jsonschema
import pytest

from carepath.authoring.cases import differences, read_case, run_case
from carepath.errors import InvalidContent

from .answers import BY_FOLDER, CASES, FOLDER, KNOWLEDGE, answer

ROOT = Path(__file__).parent
SCHEMA = json.loads((ROOT.parent / "fhir_profiles/schemas/case.schema.json").read_text("utf-8"))
FILES = sorted(FOLDER.rglob("*.json"))


@pytest.mark.parametrize("folder", BY_FOLDER)
def test_cases(folder: str) -> None:
    found = {name: differences(CASES[name], answer(name)) for name in BY_FOLDER[folder]}
    assert {name: wrong for name, wrong in found.items() if wrong} == {}


def test_case_files_are_well_formed() -> None:
    schema = jsonschema.Draft202012Validator(SCHEMA)
    wrong = {
        f"{path.parent.name}/{path.stem}": [error.message for error in errors]
        for path in FILES
        if (errors := list(schema.iter_errors(json.loads(path.read_text("utf-8")))))
    }
    assert wrong == {}


def test_there_are_cases() -> None:
    assert len(CASES) == len(FILES) >= 55


def test_a_case_without_a_part_is_named(tmp_path: Path) -> None:
    broken = tmp_path / "mst-gist" / "broken.json"
    broken.parent.mkdir()
    broken.write_text('{"about": "x", "now": "2026-01-01T00:00:00+04:00", "given": []}', "utf-8")
    with pytest.raises(InvalidContent) as caught:
        read_case(broken)
    assert (caught.value.source, caught.value.element) == (
        "mst-gist/broken.json",
        "expect",
    )


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
