"""`carepath diff` tells who gets another plan when content changes, by action, with both reasons.

What it must print stands in `diff/`, as text, Markdown and HTML.
"""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from carepath.command.main import main
from carepath.formats import xml as xml_codec

ROOT = Path(__file__).parents[2]
EXPECTED = Path(__file__).parent / "diff"
DESMOID = ROOT / "tests/authoring/desmoid"
FACTS = ROOT / "pathways/shared/libraries/mst-facts.json"
LIMB = str(ROOT / "tests/cases/mst-os-limb")
NOW = "--now=2026-11-24T09:15:00+01:00"


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["diff", *map(str, arguments)], catch_exceptions=False)


def told(*arguments: object) -> tuple[int, str]:
    result = run(*arguments)
    return result.exit_code, result.stdout


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make content `old` and `new` that is the same, and go there: no path is in what is told."""
    for name in ("old", "new"):
        shutil.copytree(DESMOID / "content", tmp_path / name)
    shutil.copytree(DESMOID / "cases", tmp_path / "cases")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def change(file: str, before: str, after: str) -> None:
    text = Path(file).read_text("utf-8")
    assert text.count(before) == 1
    Path(file).write_text(text.replace(before, after), "utf-8")


def case(name: str) -> Any:
    return json.loads(Path(f"cases/desmoid-watch/{name}.json").read_text("utf-8"))


def bundle(*resources: dict[str, Any]) -> dict[str, Any]:
    entries = [
        {"fullUrl": f"https://hospital.example/fhir/{r['resourceType']}/{r['id']}", "resource": r}
        for r in resources
    ]
    return {"resourceType": "Bundle", "type": "collection", "entry": entries}


@pytest.mark.parametrize("form", ["text", "markdown", "html"])
def test_one_fact_of_the_shipped_content_changed(
    form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A team that decides on amputation no longer agrees to the treatment: four actions differ."""
    monkeypatch.chdir(tmp_path)
    agreed = "\"%mdtDecision = 'treat-as-proposed'"
    (tmp_path / "new").mkdir()
    shutil.copy(FACTS, "new/mst-facts.json")
    change("new/mst-facts.json", f"{agreed} or %mdtDecision = 'amputate'\"", f'{agreed}"')
    code, output = told("shipped", "new", "--patients", LIMB, "--format", form)
    assert (code, output) == (1, (EXPECTED / f"amputation.{form}").read_text("utf-8"))


def test_content_that_says_the_same(folder: Path) -> None:
    """Another version and another order of keys make no other plan."""
    change("new/plan-definition.json", '"version": "0.1.0",\n  "status"', '"status"')
    change("new/plan-definition.json", '"experimental": true,', '"version": "0.2.0",')
    cases = ("--patients", "cases", "--alone")
    assert told("old", "new", *cases) == (0, "0 of 2 patients get another plan.\n")


@pytest.mark.parametrize(
    ("file", "before", "after", "action", "differs"),
    [
        pytest.param(
            "plan-definition.json",
            '"title": "MRI in three months"',
            '"title": "MRI in six months"',
            "desmoid-watch/mri: MRI in six months (1 patient)",
            "met as before, with another action.title",
            id="title",
        ),
        pytest.param(
            "plan-definition.json",
            '"description": "A desmoid without symptoms is watched."',
            '"description": "A desmoid is watched."',
            "CarePlan: The plan as a whole (2 patients)",
            "met as before, with another CarePlan.description",
            id="plan",
        ),
        pytest.param(
            "plan-definition.json",
            '"text": "The desmoid does no harm"',
            '"text": "The desmoid stays as it is"',
            "Goal/goal-no-harm: The desmoid stays as it is (1 patient)",
            "met as before, with another Goal.description",
            id="goal",
        ),
        pytest.param(
            "plan-definition.json",
            '"id": "team"',
            '"id": "board"',
            "desmoid-watch/board: Show the images to the tumour board (1 patient)",
            "from absent to met",
            id="renamed",
        ),
    ],
)
def test_what_differs(
    folder: Path, file: str, before: str, after: str, action: str, differs: str
) -> None:
    change(f"new/{file}", before, after)
    code, output = told("old", "new", "--patients", "cases")
    lines = output.splitlines()
    assert code == 1
    assert lines[lines.index(action) + 1].endswith(f".json: {differs}")


def test_patients_of_every_form(folder: Path) -> None:
    """Two in NDJSON, two in one Bundle, one as XML, and cases; what is hidden is passed over."""
    change("new/plan-definition.json", "%symptoms = false", "%symptoms.exists()")
    shutil.move("cases", "patients")
    given = json.loads(Path("patients/desmoid-watch/symptoms-not-recorded.json").read_bytes())[
        "given"
    ]
    one = bundle(*given)
    other = json.loads(json.dumps(one).replace("Patient/p", "Patient/q"))
    other["entry"][0]["resource"]["id"] = "q"
    for index, entry in enumerate(other["entry"]):
        entry["fullUrl"] += f"-{index}" if index else ""
        entry["resource"]["id"] += f"-{index}" if index else ""
    both = {**one, "entry": [*one["entry"], *other["entry"]]}
    Path("patients/both.json").write_text(json.dumps(both), "utf-8")
    Path("patients/lines.ndjson").write_text(f"{json.dumps(one)}\n\n{json.dumps(other)}\n", "utf-8")
    Path("patients/one.xml").write_bytes(xml_codec.encode(one))
    Path("patients/.hidden.json").write_text("{", "utf-8")
    Path("patients/README.md").write_text("Patients.", "utf-8")
    options = ("--patients", "patients", "--pathway", "desmoid-watch", NOW)
    code, output = told("old", "new", *options)
    names = [
        line.strip().removesuffix(": from undetermined to not-met")
        for line in output.splitlines()
        if line.endswith("from undetermined to not-met")
    ]
    assert names == [
        "both.json Patient/p",
        "both.json Patient/q",
        "desmoid-watch/symptoms-not-recorded.json",
        "lines.ndjson:1",
        "lines.ndjson:3",
        "one.xml",
    ]
    assert (code, output.splitlines()[-1]) == (
        1,
        "6 of 7 patients get another plan, by 1 action.",
    )


def test_who_cannot_be_compared_holds_up_nobody(folder: Path) -> None:
    change("new/plan-definition.json", "%symptoms = false", "%symptoms.exists()")
    given = case("symptoms-not-recorded")["given"]
    lines = [
        json.dumps(bundle(*given)),
        "{",
        json.dumps({"resourceType": "Bundle", "type": "collection"}),
        json.dumps({"given": []}),
        json.dumps(bundle(given[0], {**given[1], "id": ["c"]})),
        json.dumps({**bundle(*given), "entry": 1}),
    ]
    Path("lines.ndjson").write_text("\n".join(lines), "utf-8")
    options = ("--patients", "lines.ndjson", "--pathway", "desmoid-watch", NOW)
    code, output = told("old", "new", *options)
    assert (code, output) == (2, (EXPECTED / "not-compared.text").read_text("utf-8"))


def test_text_of_the_content_is_no_markup(folder: Path) -> None:
    change(
        "new/plan-definition.json",
        '"title": "MRI in three months"',
        '"title": "MRI | <script>alert(1)</script> [x](y)"',
    )
    for form in ("markdown", "html"):
        output = run("old", "new", "--patients", "cases", "--format", form).stdout
        assert "<script>" not in output
        assert "&lt;script&gt;" in output
    output = run("old", "new", "--patients", "cases", "--format", "markdown").stdout
    assert r"## MRI \| &lt;script&gt;alert(1)&lt;/script&gt; \[x\](y)" in output


REFUSED = [
    (
        ("nowhere", "new", "--patients", "cases"),
        "error: The parameter `OLD or NEW` is `nowhere`; expected a folder, or `shipped`.",
    ),
    (
        ("old", "broken", "--patients", "cases"),
        "error: `plan.json` is broken at `resourceType`: `Plan` is no resource type of FHIR R4.",
    ),
    (
        ("old", "new", "--patients", "empty"),
        "error: The parameter `--patients` is `empty`; expected a folder or file with patients.",
    ),
]


@pytest.mark.parametrize(("arguments", "sentence"), REFUSED, ids=lambda v: str(v)[:20])
def test_what_cannot_be_read_is_no_difference(
    folder: Path, arguments: tuple[str, ...], sentence: str
) -> None:
    for name in ("broken", "empty"):
        (folder / name).mkdir()
    Path("broken/plan.json").write_text('{"resourceType": "Plan"}', "utf-8")
    result = run(*arguments)
    assert (result.exit_code, result.stdout, result.stderr) == (2, "", f"{sentence}\n")
