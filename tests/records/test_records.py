"""Every case in tests/records/cases is one record, and what may be read from it."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from carepath.apply.explain.facts import FactReading, fact_library, facts_of
from carepath.command.reading import apply_request, read_data
from carepath.errors import CarepathError
from carepath.knowledge import Knowledge
from carepath.validation import validate

from .comparing import KNOWN_PARTS, Answer, differences
from .reading import HERE, RecordCase, fact_names, read_record_cases
from .run import LIBRARY, answer_to, with_questions

CASES = read_record_cases()
FRESH = read_record_cases(HERE / "fresh")
"""Cases of readers who had not seen the code: they guard what is said in other words."""
KNOWLEDGE = with_questions(Knowledge.shipped(), (*CASES, *FRESH))
SETTLED = [case for case in CASES if not case.is_unclear]
KINDS = [f"K{number:02}" for number in range(1, 42)]
PLAIN = next(case for case in CASES if case.name == "K01 nothing is said of death")
CASE_KEYS = frozenset(
    {"case", "control", "unclear", "now", "subject", "parameters", "base", "change", "input"}
) | {"expect"}
CHANGE_KEYS = frozenset({"bundle", "remove", "replace", "first", "add"})


@pytest.mark.parametrize("case", SETTLED, ids=lambda case: case.name)
def test_record(case: RecordCase) -> None:
    assert differences(answer_to(case, KNOWLEDGE), case.expect) == []


def misread(cases: Sequence[RecordCase]) -> dict[str, list[str]]:
    """Return what is wrong with the answers to some cases, by their names."""
    wrong = {case.name: differences(answer_to(case, KNOWLEDGE), case.expect) for case in cases}
    return {name: found for name, found in wrong.items() if found}


@pytest.mark.parametrize("kind", KINDS)
def test_some_records_in_other_words(kind: str) -> None:
    assert misread([case for case in FRESH if case.kind == kind][::6]) == {}


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_records_in_other_words(kind: str) -> None:
    assert misread([case for case in FRESH if case.kind == kind]) == {}


def failing(cases: Sequence[RecordCase]) -> list[tuple[str, str, str]]:
    """Return the facts that fail for some cases, with the reason."""
    library = fact_library(None, KNOWLEDGE)
    return [
        (case.name, fact.name, fact.problem.diagnostics)
        for case in cases
        for fact in facts_for(case, library)
        if fact.problem is not None
    ]


def test_no_fact_fails_for_some_records() -> None:
    assert failing(CASES[::5]) == []


@pytest.mark.slow
def test_no_fact_fails_for_any_record() -> None:
    assert failing((*CASES, *FRESH)) == []


def facts_for(case: RecordCase, library: dict[str, Any]) -> tuple[FactReading, ...]:
    """Return every fact of a record, auxiliary ones too; nothing for one that is refused."""
    try:
        request = apply_request(
            read_data(json.dumps(case.body).encode()),
            KNOWLEDGE,
            pathway="mst-pathway",
            subject=None,
            now=case.now,
            parameters=case.parameters,
        )
        return facts_of(request, library, KNOWLEDGE, auxiliary=True).facts
    except CarepathError:
        return ()


@pytest.mark.parametrize("kind", KINDS)
def test_kind_has_records_that_mislead_and_controls(kind: str) -> None:
    controls = [case for case in CASES if case.kind == kind and case.is_control]
    assert len(controls) >= 2
    assert len([case for case in CASES if case.kind == kind]) - len(controls) >= 4


@pytest.mark.parametrize("path", sorted(HERE.glob("cases/*.json")), ids=lambda path: path.stem)
def test_file_holds_what_the_readme_tells(path: Path) -> None:
    content = json.loads(path.read_text("utf-8"))
    assert set(content) == {"kind", "rule", "now", "cases"}
    assert path.stem.startswith(f"{content['kind']}-")
    for case in content["cases"]:
        assert set(case) <= CASE_KEYS, case["case"]
        assert set(case.get("change", {})) <= CHANGE_KEYS, case["case"]
        assert ("input" in case) != ("base" in case), case["case"]


def test_each_case_has_a_name_of_its_own() -> None:
    assert [name for name, times in Counter(c.name for c in CASES).items() if times > 1] == []


@pytest.mark.parametrize("path", sorted(HERE.glob("bases/*.json")), ids=lambda path: path.stem)
def test_base_is_valid(path: Path) -> None:
    resources = json.loads(path.read_text("utf-8"))["resources"]
    bundle = {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [{"fullUrl": f"urn:x:{r['id']}", "resource": r} for r in resources],
    }
    issues = validate(bundle, definitions=lambda _: None)
    assert [issue.diagnostics for issue in issues if issue.is_error] == []


def test_expectations_name_facts_and_activities_that_exist() -> None:
    library = KNOWLEDGE.resolve(LIBRARY)
    expressions = (e.get("valueExpression", {}) for e in library["extension"])
    known = {expression.get("name") for expression in expressions}
    known |= {definition["id"] for definition in KNOWLEDGE.all("ActivityDefinition")}
    named = {name for case in CASES for name in _named(case.expect)}
    assert named - known == set()


def _named(expect: Mapping[str, Any]) -> set[str]:
    """Return the facts and activities that an expectation names."""
    assert set(expect) <= KNOWN_PARTS
    lists = ("applied", "not_applied", "not_ordered", "missing")
    parts = [expect, *expect.get("any_of", ())]
    return {*fact_names(expect), *(n for p in parts for key in lists for n in p.get(key, ()))}


@pytest.mark.parametrize(
    "wrong",
    [
        {"facts": {"resected": [True, "unknown"]}},
        {"facts": {"resected": ["unknown", [True, False]]}},
        {"facts": {"sizeCm": [8.3, True]}},
        {"facts": {"no-such-fact": [1]}},
        {"applied": ["order-tah"]},
        {"not_applied": ["order-limb-sparing-surgery"]},
        {"not_ordered": ["order-limb-sparing-surgery"]},
        {"missing": ["no-such-fact"]},
        {"no_pathway": True},
        {"issue": ["no such word"]},
        {"any_of": [{"applied": ["order-tah"]}, {"facts": {"m": [1]}}]},
    ],
    ids=json.dumps,
)
def test_a_wrong_expectation_is_told(wrong: dict[str, Any]) -> None:
    assert len(differences(answer_to(PLAIN, KNOWLEDGE), wrong)) == 1


@pytest.mark.parametrize(
    ("answer", "expect", "wrong"),
    [
        (Answer(broken="KeyError: 'x'"), {"may_refuse": True}, ["It ended with `KeyError: 'x'`."]),
        (Answer(refused="no."), {}, ["It was refused: no."]),
        (Answer(refused="no."), {"may_refuse": True}, []),
        (Answer(refused="It names Patient/p2."), {"may_refuse": True, "issue": ["Patient"]}, []),
        (
            Answer(refused="no."),
            {"may_refuse": True, "issue": ["no"], "refusal": ["dead", "died"]},
            ["The refusal names none of dead, died: no."],
        ),
        (Answer(told="The patient has died."), {"issue": ["dead", "DIED"]}, []),
        (Answer(told="indeed"), {"issue": ["deed"]}, ["No issue says one of deed."]),
        (Answer(facts={"x": [1]}), {"facts": {"x": [True]}}, ["`x` is 1, right is True."]),
        (Answer(facts={"x": [5.0]}), {"facts": {"x": [5]}}, []),
        (Answer(facts={"x": [2, 1]}), {"facts": {"x": [[1, 2]]}}, []),
        (Answer(facts={"x": []}), {"facts": {"x": [1]}}, ["`x` is unknown, right is 1."]),
        (Answer(ordered=frozenset({"comm-support-line"})), {"no_pathway": True}, []),
        (Answer(against=frozenset({"x"})), {"applied": ["x"], "not_ordered": ["x"]}, []),
        (Answer(told="a"), {"any_of": [{"issue": ["b"]}, {"issue": ["a"]}]}, []),
    ],
)
def test_answers_are_compared_with_expectations(
    answer: Answer, expect: dict[str, Any], wrong: list[str]
) -> None:
    assert differences(answer, expect) == wrong


def test_what_is_no_resource_is_refused_and_not_broken() -> None:
    answer = answer_to(replace(PLAIN, body={"resourceType": "NoSuchType"}), KNOWLEDGE)
    assert answer.refused is not None
    assert answer.broken is None


def test_a_change_gives_elements_takes_them_away_and_keeps_the_base() -> None:
    bodies = {case.name: case.body for case in CASES}
    changed = bodies["K32 this evening"]["entry"][1]["resource"]
    assert "clinicalStatus" not in changed
    assert changed["abatementDateTime"] == "2026-11-27T20:00:00Z"
    other = bodies["K01 deceasedBoolean false"]["entry"][1]["resource"]
    assert "clinicalStatus" in other
    assert "abatementDateTime" not in other
