"""The command: what it prints, and its exit codes."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from carepath.command.main import main
from carepath.formats import xml as xml_codec

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted(path for path in (ROOT / "examples").glob("*.json"))
GIST = str(ROOT / "examples/mcode-collection.json")
NOW = "--now=2026-11-24T09:15:00+04:00"


def run(*arguments: str, data: str | None = None) -> Result:
    return CliRunner().invoke(main, list(arguments), input=data)


def patient(name: str) -> dict[str, Any]:
    return {"resource": {"resourceType": "Patient", "id": name}}


def bundle(*entries: dict[str, Any]) -> str:
    return json.dumps({"resourceType": "Bundle", "type": "collection", "entry": list(entries)})


def parameters(*parts: dict[str, Any]) -> str:
    return json.dumps({"resourceType": "Parameters", "parameter": list(parts)})


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda p: p.stem)
def test_every_example_gives_a_care_plan(path: Path) -> None:
    result = run("apply", str(path), NOW)
    care_plan = json.loads(result.stdout)
    assert (result.exit_code, care_plan["resourceType"]) == (0, "CarePlan")
    assert [r for r in care_plan["contained"] if r["resourceType"] != "RequestGroup"]


def test_the_same_input_gives_the_same_bytes() -> None:
    assert run("apply", GIST, NOW).stdout_bytes == run("apply", GIST, NOW).stdout_bytes


def test_decisions_have_the_documented_shape() -> None:
    document = json.loads(run("apply", GIST, NOW, "--format", "decisions").stdout)
    assert list(document) == ["plan", "subject", "decisions", "issues"]
    assert document["plan"] == "https://carepath.example/fhir/PlanDefinition/mst-pathway|0.1.0"
    assert document["subject"] == "Patient/anna"
    keys = {
        *("path", "id", "title", "outcome", "expression", "facts", "missing", "statements"),
        *("definition", "request", "direction", "because"),
    }
    assert all(set(decision) == keys for decision in document["decisions"])
    tail = "ActivityDefinition/order-gist-resection|0.1.0"
    met = [
        d
        for d in document["decisions"]
        if d["outcome"] == "met" and str(d["definition"]).endswith(tail)
    ]
    assert [(d["request"], d["direction"]) for d in met] == [("ServiceRequest", "for")]
    assert {"name": "sizeCm", "value": 3.4, "evidence": ["Observation/size"]} in met[0]["facts"]
    assert "S1-39" in met[0]["statements"]


def test_text_says_what_why_and_on_which_statement() -> None:
    text = run("apply", GIST, NOW, "--format", "text").stdout
    (line,) = [line for line in text.splitlines() if "Resection of GIST from 2 cm" in line]
    assert "resect with the pseudocapsule intact" in line
    assert "largest dimension in cm 3.4 (2026-08-20)" in line
    assert "S1-39" in line


def test_bundle_begins_with_the_request_group() -> None:
    answer = json.loads(run("apply", GIST, NOW, "--format", "bundle").stdout)
    assert answer["entry"][0]["resource"]["resourceType"] == "RequestGroup"


def test_a_parameter_changes_a_decision() -> None:
    message = str(ROOT / "examples/message.json")

    def outcomes(*more: str) -> set[str]:
        document = json.loads(run("apply", message, NOW, "--format", "decisions", *more).stdout)
        found = [d for d in document["decisions"] if "neoadjuvant-radio" in str(d["definition"])]
        return {decision["outcome"] for decision in found}

    assert outcomes() == {"undetermined"}
    assert outcomes("--parameters", '{"large-tumour-threshold-cm": 5}') == {"met"}


REFUSED: dict[str, tuple[str, tuple[str, ...], str]] = {
    "not JSON": ("hello", (), "not valid JSON"),
    "not a resource": ("[]", (), "resourceType"),
    "unknown type": ('{"resourceType": "Foo"}', (), "Foo|resource type"),
    "no Patient": (bundle(), (), "`subject`"),
    "two Patients": (bundle(patient("a"), patient("b")), (), "`Patient/a`, `Patient/b`"),
    "subject not in the data": (bundle(patient("a")), ("--subject", "Patient/z"), "`Patient/z`"),
    "unknown plan": (bundle(patient("a")), ("--pathway", "no-such"), "`no-such`"),
    "unknown parameter": (
        parameters({"name": "bogus", "valueString": "x"}),
        (),
        "`bogus` is unknown",
    ),
    "parameter given twice": (
        parameters(*[{"name": "subject", "valueString": "Patient/a"}] * 2),
        (),
        "`subject` is `given 2 times`",
    ),
    "parameter of a wrong type": (
        parameters({"name": "setting", "valueInteger": 7}),
        (),
        "`setting` is `valueInteger`; expected a CodeableConcept",
    ),
    "reference to somebody else": (
        parameters({"name": "practitioner", "valueString": "Patient/a"}),
        (),
        "`practitioner` is `Patient/a`; expected a reference such as `Practitioner/123`",
    ),
    "parameter that only the service has": (
        parameters({"name": "useServerData", "valueBoolean": True}),
        (),
        "`useServerData` is not supported: the data are read from the file",
    ),
    "plan in the Parameters": (
        parameters({"name": "url", "valueUri": "https://carepath.example/fhir/PlanDefinition/x"}),
        (),
        "`url` is not supported: the plan is named by an option of the command",
    ),
    "the only Patient cannot be read": (
        bundle({"resource": {"resourceType": "Patient", "id": "a", "gender": 7}}),
        (),
        "`Patient/a` cannot be read: `gender`",
    ),
    "the subject cannot be read": (
        bundle(patient("a"), {"resource": {"resourceType": "Patient", "id": "b", "gender": 7}}),
        ("--subject", "Patient/b"),
        "`Patient/b` cannot be read: `gender`",
    ),
    "parameters that are no object": (
        bundle(patient("a")),
        ("--parameters", "[1]"),
        "`parameters`",
    ),
}


@pytest.mark.parametrize(("data", "options", "words"), REFUSED.values(), ids=REFUSED.keys())
def test_refused_input_is_named_and_exits_with_1(
    data: str, options: tuple[str, ...], words: str
) -> None:
    result = run("apply", "-", NOW, *options, data=data)
    assert (result.exit_code, result.stdout) == (1, "")
    assert any(word in result.stderr for word in words.split("|")), result.stderr


@pytest.mark.parametrize("fmt", ["json", "xml"])
def test_one_odd_resource_is_left_out_and_told(fmt: str) -> None:
    odd = {"resourceType": "Condition", "id": "c", "subject": {"reference": "Patient/a"}}
    odd["onsetDateTime"] = "2025-02-30"
    data = json.loads(bundle(patient("a"), {"resource": odd}))
    text = json.dumps(data) if fmt == "json" else xml_codec.encode(data).decode()
    result = run("apply", "-", NOW, "--format", "decisions", data=text)
    assert result.exit_code == 0
    told = [i for i in json.loads(result.stdout)["issues"] if "not used" in i["diagnostics"]]
    assert told == [
        {
            "severity": "warning",
            "code": "value",
            "diagnostics": "`Condition/c` was not used: `onset` is not a valid dateTime.",
            "expression": ["Bundle.entry[1].resource.onset"],
        }
    ]


@pytest.mark.parametrize(
    "arguments",
    [("apply",), ("apply", "no-such-file"), ("apply", GIST, "--now", "2026-01-01"), ("nothing",)],
)
def test_wrong_usage_exits_with_2(arguments: tuple[str, ...]) -> None:
    assert run(*arguments).exit_code == 2


def test_list_and_show() -> None:
    listed = [line.split()[0] for line in run("list").stdout.splitlines()]
    assert len(listed) == 35
    assert json.loads(run("show", "mst-gist").stdout)["id"] == "mst-gist"
    canonical = "https://carepath.example/fhir/PlanDefinition/mst-gist|0.1.0"
    assert json.loads(run("show", canonical).stdout)["id"] == "mst-gist"
    assert run("show", "no-such").exit_code == 1


def test_validate(tmp_path: Path) -> None:
    assert run("validate", GIST).exit_code == 0
    broken = tmp_path / "broken.json"
    broken.write_text('{"resourceType": "Patient", "gender": "M"}', "utf-8")
    result = run("validate", str(broken))
    assert (result.exit_code, "Patient.gender" in result.stdout) == (1, True)


def test_a_deployment_adds_its_own_content(tmp_path: Path) -> None:
    plan = {
        "resourceType": "PlanDefinition",
        "id": "own",
        "url": "https://hospital.example/fhir/PlanDefinition/own",
        "status": "draft",
        "title": "Own plan",
        "action": [{"title": "Call the patient"}],
    }
    (tmp_path / "own.json").write_text(json.dumps(plan), "utf-8")
    assert "Own plan" in run("list", "--content", str(tmp_path)).stdout
    text = run(
        "apply", GIST, NOW, "--pathway", "own", "--format", "text", "--content", str(tmp_path)
    ).stdout
    assert "Call the patient" in text


def test_broken_content_is_named_by_file_and_element(tmp_path: Path) -> None:
    (tmp_path / "broken.json").write_text('{"resourceType": "PlanDefinitoin"}', "utf-8")
    result = run("list", "--content", str(tmp_path))
    assert (result.exit_code, "broken.json" in result.stderr) == (1, True)


def test_lint_coverage_and_cases_hold() -> None:
    assert run("lint").exit_code == 0
    assert "passed, 0 failed" in run("test", "--cases", str(ROOT / "tests/cases/negatives")).stdout


def test_a_case_that_does_not_hold_fails(tmp_path: Path) -> None:
    case = {
        "about": "A patient without conditions gets an operation, which is wrong.",
        "now": "2026-11-20T09:15:00+04:00",
        "pathway": "mst-pathway",
        "given": [{"resourceType": "Patient", "id": "p"}],
        "expect": {"proposed": ["order-gist-resection"]},
    }
    (tmp_path / "wrong.json").write_text(json.dumps(case), "utf-8")
    result = run("test", "--cases", str(tmp_path))
    assert (result.exit_code, result.stdout.endswith("0 passed, 1 failed\n")) == (1, True)
