"""`carepath new` writes what `carepath check` finds in order; `check` tells what is not."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from carepath.command.main import main

DESMOID = Path(__file__).parents[1] / "authoring" / "desmoid"
PLAN = "content/plan-definition.json"
WATCHED = "cases/desmoid-watch/watched.json"
GAPS = [
    "warning: The action `desmoid-watch#mri` is never not-met in a case; write one.",
    "warning: The action `desmoid-watch#team` is never undetermined in a case; write one.",
]


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments), catch_exceptions=False)


def told(*arguments: str) -> tuple[int, list[str]]:
    result = run(*arguments)
    return result.exit_code, result.output.splitlines()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(DESMOID, tmp_path / "desmoid")
    monkeypatch.chdir(tmp_path / "desmoid")
    return tmp_path / "desmoid"


def replace(file: str, before: str, after: str) -> None:
    text = Path(file).read_text("utf-8")
    assert before in text
    Path(file).write_text(text.replace(before, after), "utf-8")


def test_a_folder_in_order_tells_what_no_case_shows(folder: Path) -> None:
    last = "4 definitions, 2 cases, 0 errors, 2 warnings"
    assert told("check", ".") == (0, [*GAPS, last])
    assert told("check", ".", "--strict") == (1, [*GAPS, last])


def test_cases_wait_for_definitions_in_order(folder: Path) -> None:
    replace(PLAN, "%symptoms = false", "%symptons = false")
    assert told("check", ".") == (
        1,
        [
            "error: content/plan-definition.json "
            "PlanDefinition.action[0].condition[1].expression.expression: There is no fact, "
            "parameter or variable `%symptons`. Did you mean `symptoms`? [reads_what_exists]",
            "The cases were not run: mend the errors first.",
            "4 definitions, 2 cases, 1 errors, 0 warnings",
        ],
    )


def test_a_case_that_does_not_hold_is_an_error(folder: Path) -> None:
    replace(WATCHED, '"mri-in-three-months"', "")
    assert told("check", ".") == (
        1,
        [
            "error: desmoid-watch/watched: `mri-in-three-months` is proposed and should not be",
            *GAPS,
            "4 definitions, 2 cases, 1 errors, 2 warnings",
        ],
    )


def test_data_that_nobody_could_read_are_told(folder: Path) -> None:
    replace(WATCHED, '"clinicalStatus"', '"bodySyte": [], "clinicalStatus"')
    assert told("check", ".") == (
        0,
        [
            "warning: desmoid-watch/watched: given[1]: `Condition.bodySyte` is not an element of "
            "Condition.",
            *GAPS,
            "4 definitions, 2 cases, 0 errors, 3 warnings",
        ],
    )


def test_a_case_that_is_none_is_named(folder: Path) -> None:
    replace(WATCHED, '"undetermined"', '"undetermind"')
    result = run("check", ".")
    assert (result.exit_code, result.stderr) == (
        1,
        "error: `desmoid-watch/watched.json` is broken at `expect.undetermind`: there is no such "
        "part of a case; did you mean `undetermined`.\n",
    )


def test_statements_of_the_folder_are_followed_to_cases(folder: Path) -> None:
    line = "https://carepath.example/fhir/statement#line"
    system = {
        "resourceType": "CodeSystem",
        "id": "statements",
        "url": "https://hospital.example/fhir/CodeSystem/statements",
        "version": "0.1.0",
        "name": "Statements",
        "status": "draft",
        "experimental": True,
        "content": "complete",
        "property": [{"code": "line", "uri": line, "type": "integer"}],
        "concept": [
            {"code": "DESM-1", "display": "Desmoids without symptoms are watched."},
            {"code": "DESM-2", "display": "Pain is treated."},
        ],
    }
    Path("content/statements.json").write_text(json.dumps(system), "utf-8")
    code, lines = told("check", ".")
    carried = "warning: No plan of the folder rests on the statement `DESM-2`."
    assert (code, lines) == (
        0,
        [*GAPS, carried, "5 definitions, 2 cases, 0 errors, 3 warnings"],
    )


def test_a_plan_may_nest_what_is_shipped(folder: Path) -> None:
    nested = "https://carepath.example/fhir/PlanDefinition/mst-support|0.1.0"
    replace(PLAN, '"id": "team",', f'"id": "team", "definitionCanonical": "{nested}",')
    code, lines = told("check", ".")
    assert code == 1
    assert all("desmoid" in line for line in lines[:-1])


def test_a_new_pathway_is_in_order(tmp_path: Path) -> None:
    root = "https://hospital.example/fhir"
    made = run("new", "lung-nodule", "--content", str(tmp_path), "--root", root)
    folder = tmp_path / "lung-nodule"
    files = sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())
    assert (made.exit_code, made.output.splitlines()[-1], files) == (
        0,
        f"Next: carepath check {folder}",
        [
            "README.md",
            "activity-definition.json",
            "cases/lung-nodule/not-proposed.json",
            "cases/lung-nodule/not-recorded.json",
            "cases/lung-nodule/proposed.json",
            "code-system.json",
            "library.json",
            "plan-definition.json",
        ],
    )
    last = "4 definitions, 3 cases, 0 errors, 0 warnings"
    assert told("check", str(folder), "--strict") == (0, [last])
    assert told("check", str(folder), "--tables") == (
        0,
        [
            "lung-nodule#first-step:",
            "  first-step met: concerned = yes; finding = yes [lung-nodule/proposed]",
            "  first-step not-met: finding = no [lung-nodule/not-proposed]",
            "  first-step undetermined: concerned = yes or unknown; finding = unknown "
            "[lung-nodule/not-recorded]",
            "  first-step not-met: concerned = no [no case]",
            "  first-step undetermined: concerned = unknown; finding = yes or unknown [no case]",
            last,
        ],
    )


def test_several_new_pathways_stand_in_one_folder(tmp_path: Path) -> None:
    for name in ("one", "two-b", "three-c-3"):
        assert run("new", name, "--content", str(tmp_path)).exit_code == 0
    assert told("check", str(tmp_path), "--strict") == (
        0,
        ["12 definitions, 9 cases, 0 errors, 0 warnings"],
    )


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["Lung"], "The parameter `NAME` is `Lung`; expected small letters"),
        (["a--b"], "The parameter `NAME` is `a--b`; expected small letters"),
        (["../x"], "The parameter `NAME` is `../x`; expected small letters"),
        (["x" * 41], "expected small letters, digits and single hyphens, 40 at most"),
        (["x", "--root", "hospital"], "The parameter `--root` is `hospital`; expected a url"),
        (["there"], "expected a name of which there is no"),
    ],
)
def test_what_cannot_be_made_is_refused(
    arguments: list[str], sentence: str, tmp_path: Path
) -> None:
    (tmp_path / "there").mkdir()
    result = run("new", *arguments, "--content", str(tmp_path))
    found: tuple[int, bool, list[Any]] = (
        result.exit_code,
        sentence in result.stderr,
        [p.name for p in tmp_path.iterdir()],
    )
    assert found == (1, True, ["there"])
