"""Every case of the conformance suite, through the engine and through HTTP.

The cases are told in README.md beside this file.
"""

import copy
import functools
import importlib.util
import json
import sys
from datetime import datetime
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import jsonschema
import pytest

from carepath.apply import ApplyRequest, apply_activity, apply_plan
from carepath.errors import CarepathError
from carepath.formats.json import decode, encode
from carepath.knowledge import Knowledge
from carepath.record import Record
from carepath.validation import check_structure, model_problems, validate

HERE = Path(__file__).parent


def beside(name: str) -> ModuleType:
    """Load a module that stands beside this file, for `tests` is no package."""
    spec = importlib.util.spec_from_file_location(f"apply_suite_{name}", HERE / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


compare = beside("compare")

FILES = sorted((HERE / "cases").glob("*.json"))
SCHEMA = json.loads((HERE / "case.schema.json").read_text("utf-8"))
NOW = "2026-03-31T09:15:00+04:00"

KNOWN_FAILURES: dict[str, str] = {}
"""Cases that the engine does not meet yet, each with its reason; a case that passes fails here."""


class Outcome(NamedTuple):
    """What the engine made of a case."""

    answers: list[dict[str, Any]]
    issues: list[Any]
    decisions: dict[str, Any]
    refusal: str


def read(path: Path) -> dict[str, Any]:
    case: dict[str, Any] = decode(path.read_bytes())
    return case


def cases(*, direct: bool) -> list[Any]:
    """Return the cases as pytest parameters; the direct ones need no parameter handling."""
    found = []
    for path in FILES:
        if direct and "needs" in read(path):
            continue
        marks = []
        if path.stem in KNOWN_FAILURES:
            marks = [pytest.mark.xfail(reason=KNOWN_FAILURES[path.stem], strict=True)]
        found.append(pytest.param(path, id=path.stem, marks=marks))
    return found


def values_by_name(parameters: dict[str, Any]) -> dict[str, list[Any]]:
    """Return the values of a Parameters resource by name."""
    values: dict[str, list[Any]] = {}
    for part in parameters.get("parameter", []):
        value = next(v for k, v in part.items() if k.startswith("value") or k == "resource")
        values.setdefault(part["name"], []).append(value)
    return values


def apply_request(case: dict[str, Any], knowledge: Knowledge) -> ApplyRequest:
    """Return the request of a case as the engine takes it."""
    asked = case["request"]
    given = asked.get("parameters", {})
    resource_type, _, name = asked["definition"].partition("/")
    return ApplyRequest(
        knowledge.definition(resource_type, name),
        Record.of(copy.deepcopy(case["data"])),
        datetime.fromisoformat(asked.get("now", NOW)),
        subject=given.get("subject"),
        encounter=given.get("encounter"),
        practitioner=given.get("practitioner"),
        organization=given.get("organization"),
        user_type=given.get("userType"),
        user_language=given.get("userLanguage"),
        user_task_context=given.get("userTaskContext"),
        setting=given.get("setting"),
        setting_context=given.get("settingContext"),
        parameters=values_by_name(given.get("parameters", {})),
    )


def run(case: dict[str, Any]) -> Outcome:
    """Apply what a case asks for; a plan is answered in both shapes."""
    knowledge = Knowledge.of(case["definitions"])
    request = apply_request(case, knowledge)
    if case["request"]["operation"] == "ActivityDefinition/$apply":
        try:
            made = apply_activity(request, knowledge)
        except CarepathError as error:
            return Outcome([], [], {}, str(error))
        return Outcome([made.resource], list(made.issues), {}, "")
    applied = apply_plan(request, knowledge)
    shapes = [applied.care_plan(), applied.bundle()]
    if case["request"]["operation"] == "$r5.apply":
        shapes.reverse()
    return Outcome(shapes, list(applied.issues), {d.path: d for d in applied.decisions}, "")


@functools.cache
def outcome_of(path: Path) -> Outcome:
    return run(read(path))


@pytest.mark.parametrize("path", cases(direct=True))
def test_answer(path: Path) -> None:
    """The answer is what the specification demands."""
    case, outcome = read(path), outcome_of(path)
    expect = case["expect"]
    if "refused" in expect:
        missing = [n for n in expect["refused"]["names"] if n not in outcome.refusal]
        assert outcome.refusal
        assert not missing, outcome.refusal
        return
    assert outcome.answers, outcome.refusal
    for answer in outcome.answers:
        assert compare.answer_differences(expect, answer) == []


@pytest.mark.parametrize("path", cases(direct=True))
def test_explanation(path: Path) -> None:
    """Decisions and issues are what this engine promises; an issue nobody expects is a failure."""
    promised = read(path).get("carepath", {})
    outcome = outcome_of(path)
    for place, wanted in promised.get("decisions", {}).items():
        assert place in outcome.decisions, sorted(outcome.decisions)
        assert str(outcome.decisions[place].outcome) == wanted, place
    for place, names in promised.get("missing", {}).items():
        assert list(outcome.decisions[place].missing) == names
    assert issue_differences(promised.get("issues", []), outcome.issues) == []


def issue_differences(promised: Any, issues: list[Any]) -> list[str]:
    """Return promised issues that are not there, and issues that nobody promised."""
    if promised == {"$any": True}:
        return []
    rest, found = list(issues), []
    for wanted in promised:
        match = next((i for i in rest if is_promised(wanted, i)), None)
        if match is None:
            found.append(f"missing: {wanted} in {issues}")
        else:
            rest.remove(match)
    return found + [f"not promised: {i}" for i in rest if i.severity != "information"]


def is_promised(wanted: dict[str, Any], issue: Any) -> bool:
    """Tell whether an issue is the one that a case describes."""
    parts = [p for e in issue.expression for p in e.replace("'", "/").split("/")]
    return (
        wanted["severity"] in (issue.severity, {"$any": True})
        and wanted.get("code", issue.code) == issue.code
        and ("at" not in wanted or wanted["at"] in parts)
        and all(word in issue.diagnostics for word in wanted.get("says", []))
    )


@pytest.mark.parametrize("path", cases(direct=True))
def test_answer_is_valid(path: Path) -> None:
    """Every answer is valid FHIR, whatever the case is about."""
    for answer in outcome_of(path).answers:
        found = validate(answer, definitions=Knowledge.shipped(), now=datetime.fromisoformat(NOW))
        assert [i for i in found if i.is_error] == []
        assert list(model_problems(answer)) == []


@pytest.mark.parametrize("path", cases(direct=True))
def test_every_issue_is_in_the_answer(path: Path) -> None:
    """What the engine reports to its caller is also inside each answer of a plan."""
    outcome = outcome_of(path)
    if not outcome.decisions:
        return
    told = [i.as_element() for i in outcome.issues]
    for answer in outcome.answers:
        inside = compare.normal_form(answer).issues
        assert [i for i in told if i not in inside] == []


@pytest.mark.parametrize("path", cases(direct=True))
def test_same_input_same_bytes(path: Path) -> None:
    """Applying again gives the same bytes, and nothing that was passed in has changed."""
    case = read(path)
    again = run(case)
    assert [encode(a) for a in again.answers] == [encode(a) for a in outcome_of(path).answers]
    assert encode(case) == encode(read(path))


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_case_is_well_formed(path: Path) -> None:
    """A case follows the schema, and its definitions and data are valid FHIR."""
    case = read(path)
    jsonschema.validate(json.loads(path.read_text("utf-8")), SCHEMA)
    resources = [*case["definitions"], *case["data"]]
    problems = [i for r in resources for i in check_structure(r) if i.is_error]
    assert bool(problems) == ("broken" in case), problems


def test_there_are_cases_of_every_topic() -> None:
    topics = {path.stem.partition("-")[0] for path in FILES}
    assert len(FILES) >= 250
    assert topics >= {
        "answer", "subjects", "parameters", "condition", "undetermined", "copied", "timing",
        "behavior", "intent", "related", "participant", "definition", "shape", "goal", "language",
        "subject", "kind", "do", "dynamic", "variable", "activity", "error",
    }  # fmt: skip
