"""Every case of the conformance suite, through the engine and through HTTP.

The cases are told in README.md beside this file.
"""

import copy
import functools
import importlib.util
import json
import sys
from collections.abc import Callable, Iterable
from datetime import datetime
from itertools import groupby
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


class Outcome(NamedTuple):
    """What the engine made of a case."""

    answers: list[dict[str, Any]]
    issues: list[Any]
    decisions: dict[str, Any]
    refusal: str


def read(path: Path) -> dict[str, Any]:
    case: dict[str, Any] = decode(path.read_bytes())
    return case


def topic_of(path: Path) -> str:
    return path.stem.partition("-")[0]


def by_topic(paths: Iterable[Path]) -> list[Any]:
    """Return the cases of each topic as a parameter of pytest."""
    return [pytest.param(list(some), id=topic) for topic, some in groupby(paths, topic_of)]


DIRECT = [path for path in FILES if "needs" not in read(path)]
"""The cases that need no parameter handling."""


def wrong(paths: list[Path], problems: Callable[[Path], Any]) -> dict[str, Any]:
    """Return what is wrong with cases, by their names."""
    return {path.stem: found for path in paths if (found := problems(path))}


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
        merge_nested_care_plans=given.get("mergeNestedCarePlans", True),
        provenance=given.get("provenance", False),
        explain="full",
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
        return Outcome([made.answer()], list(made.issues), {}, "")
    applied = apply_plan(request, knowledge)
    shapes = [applied.care_plan(), applied.bundle()]
    if case["request"]["operation"] == "$r5.apply":
        shapes.reverse()
    return Outcome(shapes, list(applied.issues), {d.path: d for d in applied.decisions}, "")


@functools.cache
def outcome_of(path: Path) -> Outcome:
    return run(read(path))


@pytest.mark.parametrize("paths", by_topic(DIRECT))
def test_answer(paths: list[Path]) -> None:
    """The answer is what the specification demands."""
    assert wrong(paths, answer_problems) == {}


def answer_problems(path: Path) -> list[str]:
    expect, outcome = read(path)["expect"], outcome_of(path)
    if "refused" in expect:
        missing = [n for n in expect["refused"]["names"] if n not in outcome.refusal]
        return [f"{missing} not in: {outcome.refusal}"] if missing or not outcome.refusal else []
    if not outcome.answers:
        return [outcome.refusal or "no answer"]
    return [d for answer in outcome.answers for d in compare.answer_differences(expect, answer)]


@pytest.mark.parametrize("paths", by_topic(DIRECT))
def test_explanation(paths: list[Path]) -> None:
    """Decisions and issues are what this engine promises; an issue nobody expects is a failure."""
    assert wrong(paths, explanation_problems) == {}


def explanation_problems(path: Path) -> list[str]:
    promised, outcome = read(path).get("carepath", {}), outcome_of(path)
    outcomes = {place: str(decision.outcome) for place, decision in outcome.decisions.items()}
    missing = {place: list(decision.missing) for place, decision in outcome.decisions.items()}
    return [
        *not_as_promised(promised.get("decisions", {}), outcomes),
        *not_as_promised(promised.get("missing", {}), missing),
        *issue_differences(promised.get("issues", []), outcome.issues),
    ]


def not_as_promised(promised: dict[str, Any], found: dict[str, Any]) -> list[str]:
    return [
        f"{place} is {found.get(place)}, promised {wanted}"
        for place, wanted in promised.items()
        if found.get(place) != wanted
    ]


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


@pytest.mark.parametrize("paths", by_topic(DIRECT))
def test_answer_is_valid(paths: list[Path]) -> None:
    """Every answer is valid FHIR, whatever the case is about."""
    assert wrong(paths, errors_in_answers) == {}


def errors_in_answers(path: Path) -> list[Any]:
    found: list[Any] = []
    for answer in outcome_of(path).answers:
        told = validate(answer, definitions=Knowledge.shipped(), now=datetime.fromisoformat(NOW))
        found += [*(issue for issue in told if issue.is_error), *model_problems(answer)]
    return found


@pytest.mark.parametrize("paths", by_topic(DIRECT))
def test_every_issue_is_in_the_answer(paths: list[Path]) -> None:
    """What the engine reports to its caller is also inside each answer."""
    assert wrong(paths, issues_left_out) == {}


def issues_left_out(path: Path) -> list[Any]:
    outcome = outcome_of(path)
    told = [i.as_element() for i in outcome.issues]
    inside = [compare.normal_form(answer).issues for answer in outcome.answers]
    return [i for issues in inside for i in told if i not in issues]


@pytest.mark.parametrize("paths", by_topic(DIRECT))
def test_same_input_same_bytes(paths: list[Path]) -> None:
    """Applying again gives the same bytes, and nothing that was passed in has changed."""
    assert [path.stem for path in paths if not is_repeated(path)] == []


def is_repeated(path: Path) -> bool:
    case = read(path)
    again = [encode(answer) for answer in run(case).answers]
    before = [encode(answer) for answer in outcome_of(path).answers]
    return (again, encode(case)) == (before, encode(read(path)))


@pytest.mark.parametrize("paths", by_topic(FILES))
def test_case_is_well_formed(paths: list[Path]) -> None:
    """A case follows the schema, and its definitions and data are valid FHIR."""
    assert wrong(paths, faults_of_case) == {}


@functools.cache
def schema() -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(SCHEMA)


def faults_of_case(path: Path) -> list[Any]:
    case = read(path)
    resources = [*case["definitions"], *case["data"]]
    problems = [i for r in resources for i in check_structure(r) if i.is_error]
    as_told = bool(problems) == ("broken" in case)
    against = [e.message for e in schema().iter_errors(json.loads(path.read_text("utf-8")))]
    return against + ([] if as_told else problems or ["`broken`, and nothing is"])


def test_there_are_cases_of_every_topic() -> None:
    topics = {topic_of(path) for path in FILES}
    assert len(FILES) >= 250
    assert topics >= {
        "answer", "subjects", "parameters", "condition", "undetermined", "copied", "timing",
        "behavior", "intent", "related", "participant", "definition", "shape", "goal", "language",
        "subject", "kind", "do", "dynamic", "variable", "activity", "error",
    }  # fmt: skip
