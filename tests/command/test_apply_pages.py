"""`carepath apply`: each format, for whom and with how much it is written, and what is refused.

https://hl7.org/fhir/R4/plandefinition-operation-apply.html
"""

import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner, Result

from carepath.command.main import main

ROOT = Path(__file__).parents[2]
GIST = str(ROOT / "examples/mcode-collection.json")
NOW = "--now=2026-11-24T09:15:00+04:00"
LATER = "--now=2026-12-24T09:15:00+04:00"
TITLE = "Mesenchymal tumour pathway"
FOR_PATIENT = "Your care plan"

Json = dict[str, Any]


def run(*options: str, now: str = NOW) -> Result:
    return CliRunner().invoke(main, ["apply", GIST, now, *options])


def care_plan(*options: str) -> Json:
    plan: Json = json.loads(run(*options).stdout)
    return plan


def contained(plan: Json, resource_type: str) -> list[Json]:
    return [r for r in plan["contained"] if r["resourceType"] == resource_type]


@pytest.fixture(scope="module")
def before() -> str:
    """A plan for the patient of the example, as the command prints it."""
    return run().stdout


# Formats.

FORMATS: dict[str, str] = {
    "summary": f"{TITLE}\n-----",
    "text": f"{TITLE}\n-----",
    "patient": f"{FOR_PATIENT}\n-----",
    "page": "<!DOCTYPE html>\n",
    "careplan": '{\n  "resourceType": "CarePlan"',
    "bundle": '{\n  "resourceType": "Bundle"',
    "decisions": '{\n  "plan": ',
    "size": "8 requests, ",
}


@pytest.mark.parametrize(("name", "begin"), FORMATS.items(), ids=FORMATS.keys())
def test_each_format(name: str, begin: str) -> None:
    result = run("--format", name)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.startswith(begin), result.stdout[:80]
    assert result.stdout.endswith("\n")
    assert not result.stdout.endswith("\n\n")


def test_every_format_of_the_command_is_tried() -> None:
    (option,) = [p for p in main.commands["apply"].params if p.name == "output"]
    assert list(option.type.choices) == list(FORMATS)  # type: ignore[attr-defined]


def test_text_is_the_summary() -> None:
    assert run("--format", "text").stdout == run("--format", "summary").stdout


@pytest.mark.parametrize(
    ("is_terminal", "begin"), [(True, FORMATS["summary"]), (False, FORMATS["careplan"])]
)
def test_people_get_the_summary_and_programs_the_resource(
    monkeypatch: pytest.MonkeyPatch, *, is_terminal: bool, begin: str
) -> None:
    terminal = SimpleNamespace(stdout=SimpleNamespace(isatty=lambda: is_terminal))
    monkeypatch.setattr(sys.modules["carepath.command.apply"], "sys", terminal)
    assert run().stdout.startswith(begin)


def test_the_size_counts_what_the_resource_holds(before: str) -> None:
    plan = json.loads(before)
    first, *parts = run("--format", "size").stdout.splitlines()
    requests, count, lines = (int(part.split()[0]) for part in first.split(", "))
    page = [line for line in run("--format", "summary").stdout.splitlines() if line.strip()]
    kinds = [r["resourceType"] for r in plan["contained"]]
    assert requests == sum(kind.endswith("Request") or kind == "Task" for kind in kinds)
    assert count == len(json.dumps(plan, separators=(",", ":"), ensure_ascii=False).encode())
    assert lines == len(page)
    assert [part.split()[0] for part in parts] == [*dict.fromkeys(kinds), "narrative"]


# For whom, and with how much.


def test_explain_none_brief_and_full(before: str) -> None:
    plans = {level: care_plan("--explain", level) for level in ("none", "brief", "full")}
    assert plans["brief"] == json.loads(before)
    shown = {
        level: (
            "text" in plan,
            any("reasonCode" in r for r in contained(plan, "ServiceRequest")),
            [e["url"].rpartition("/")[2] for e in plan.get("extension", ())],
        )
        for level, plan in plans.items()
    }
    assert shown == {
        "none": (False, False, []),
        "brief": (True, True, []),
        "full": (True, True, ["decisions"]),
    }
    sizes = [len(json.dumps(plan)) for plan in plans.values()]
    assert sizes == sorted(sizes)


def test_the_decisions_are_whole_whatever_the_resource_explains() -> None:
    none, brief, full = (
        json.loads(run("--format", "decisions", "--explain", level).stdout)["decisions"]
        for level in ("none", "brief", "full")
    )
    assert none == brief == full != []


@pytest.mark.parametrize(
    ("options", "heading"),
    [
        ((), TITLE),
        (("--narrative", "clinician"), TITLE),
        (("--narrative", "patient"), FOR_PATIENT),
        (("--format", "page"), TITLE),
        (("--format", "page", "--narrative", "patient"), FOR_PATIENT),
        (("--format", "patient", "--narrative", "clinician"), FOR_PATIENT),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_for_whom_it_is_written(options: tuple[str, ...], heading: str) -> None:
    printed = run(*options).stdout
    others = {TITLE, FOR_PATIENT} - {heading}
    text = json.loads(printed)["text"]["div"] if printed.startswith("{") else printed
    assert heading in text
    assert [other for other in others if f"{other}</h2>" in text] == []


def test_without_a_narrative_there_is_no_page_to_print() -> None:
    result = run("--format", "summary", "--explain", "none")
    assert (result.exit_code, result.stdout) == (0, "This CarePlan has no narrative.\n")


# Since an earlier plan.


def test_since_an_earlier_plan_of_the_same_patient(before: str, tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    path.write_text(before, "utf-8")
    result = run("--format", "summary", "--since", str(path), now=LATER)
    lines = result.stdout.splitlines()
    assert result.exit_code == 0
    assert "Since the plan of 2026-11-24" in lines
    (still,) = [line for line in lines if line.startswith("- Still open: ")]
    assert "Resection of GIST from 2 cm" in still
    assert not [line for line in lines if line.startswith("- New: ")]


OTHER = json.dumps(
    {
        "resourceType": "CarePlan",
        "status": "draft",
        "intent": "proposal",
        "subject": {"reference": "Patient/other"},
    }
)
NOT_SINCE: dict[str, tuple[str, str]] = {
    "no JSON": ("{", "The input cannot be read (line 1, column 2): not valid JSON"),
    "empty": ("", "The input cannot be read"),
    "no resource": ("[]", "a FHIR resource is expected"),
    "another patient's": (
        OTHER,
        "`previousPlan` is `Patient/other`; expected a CarePlan of the same patient",
    ),
    "not made by $apply": (
        OTHER.replace("Patient/other", "Patient/anna"),
        "`previousPlan` is `no RequestGroup`; expected a CarePlan that `$apply` returned",
    ),
    "another resource": (
        '{"resourceType": "Patient", "id": "anna"}',
        "`previousPlan` is `Patient`; expected a CarePlan that `$apply` returned",
    ),
    "misshapen": (OTHER.replace('"draft"', "7"), "`CarePlan.status` is not a JSON string"),
}


@pytest.mark.parametrize(("text", "sentence"), NOT_SINCE.values(), ids=NOT_SINCE.keys())
def test_what_is_no_earlier_plan_is_refused(text: str, sentence: str, tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    path.write_text(text, "utf-8")
    result = run("--since", str(path))
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.count("\n") == 1
    assert sentence in result.stderr


# Templates.


def test_a_folder_of_templates_comes_first(tmp_path: Path) -> None:
    (tmp_path / "clinician.xhtml").write_text("<p>{{ sheet.title }} for us</p>", "utf-8")
    assert run("--format", "summary", "--templates", str(tmp_path)).stdout == f"{TITLE} for us\n"
    patient = run("--format", "patient", "--templates", str(tmp_path)).stdout
    assert patient == run("--format", "patient").stdout


@pytest.mark.parametrize(
    ("template", "sentence"),
    [
        ("<p>\n{% if %}", "cannot be used: line 2: "),
        ("{{ 1 / 0 }}", "division by zero"),
        ("<p>not closed", "is not closed"),
        ("{{ sheet.headline }}", "has no attribute 'headline'"),
        ('{% include "nowhere.xhtml" %}', "nowhere.xhtml"),
    ],
)
def test_a_broken_template_is_named(template: str, sentence: str, tmp_path: Path) -> None:
    (tmp_path / "clinician.xhtml").write_text(template, "utf-8")
    result = run("--format", "summary", "--templates", str(tmp_path))
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("error: The template `clinician.xhtml` cannot be used: ")
    assert sentence in result.stderr


@pytest.mark.parametrize(
    "options",
    [
        ("--format", "html"),
        ("--explain", "all"),
        ("--narrative", "nurse"),
        ("--since", "nowhere.json"),
        ("--templates", "nowhere"),
        ("--templates", GIST),
    ],
    ids=" ".join,
)
def test_wrong_usage_exits_with_2(options: tuple[str, str]) -> None:
    result = run(*options)
    assert (result.exit_code, result.stdout) == (2, "")
    assert f"'{options[0]}'" in result.stderr
