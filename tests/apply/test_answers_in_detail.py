"""What readers and receivers of an answer see: reasons, narrative, goals and values put."""

from typing import Any

import pytest
from small import (
    GRADE,
    NOW,
    PATIENT,
    activity,
    applied,
    fact,
    fhirpath,
    library,
    observation,
    plan,
    when,
)

from carepath.apply import ApplyRequest, apply_activity, data_requirements
from carepath.knowledge import Knowledge
from carepath.record import Record

SCAN = {"definitionCanonical": "http://x/ActivityDefinition/scan"}
LIBRARY = {"library": ["http://x/Library/facts"]}
HIGH = observation("g", "grade", valueString="high")


def dynamic(path: str, text: str) -> dict[str, Any]:
    return {"path": path, "expression": fhirpath(text)}


def made_with(*values: dict[str, Any], **more: Any) -> tuple[dict[str, Any], list[str]]:
    """Return the request that one activity with dynamicValues makes, and what is told of it."""
    result = applied([plan({"id": "a", **SCAN}), activity(dynamicValue=list(values), **more)])
    return result.care_plan()["contained"][1], [i.diagnostics for i in result.issues]


@pytest.mark.parametrize(
    ("condition", "told"),
    [
        ("%wide", "Proposed because wide is yes (Observation/g)."),
        ("%wide.not()", "Does not apply because wide is yes (Observation/g)."),
        ("%narrow", "Does not apply because narrow is no (Observation/g)."),
    ],
)
def test_a_boolean_is_told_as_yes_or_no(condition: str, told: str) -> None:
    facts = (GRADE, fact("wide", "%grade = 'high'"), fact("narrow", "%grade = 'low'"))
    action = {"id": "a", "condition": when(condition)}
    (found,) = applied([plan(action, **LIBRARY), library(*facts)], HIGH).decisions
    assert found.because == told


def test_what_two_goals_address_stands_once() -> None:
    concept = {"coding": [{"system": "http://x", "code": "tumour"}]}
    condition = {
        "resourceType": "Condition",
        "id": "c",
        "subject": {"reference": "Patient/p"},
        "code": concept,
    }
    goals = [
        {"id": name, "description": {"text": name}, "addresses": [concept]}
        for name in ("one", "two")
    ]
    care_plan = applied([plan({"id": "a"}, goal=goals)], PATIENT, condition).care_plan()
    assert care_plan["addresses"] == [{"reference": "Condition/c"}]
    assert len(care_plan["goal"]) == 2


def test_a_text_that_is_replaced_loses_what_stood_beside_it() -> None:
    beside = {"extension": [{"url": "http://e", "valueString": "x"}]}
    action = {
        "id": "a",
        "description": "old",
        "_description": beside,
        "dynamicValue": [dynamic("%action.description", "'new'")],
    }
    full = applied([plan(action)], explain="full").care_plan()
    (made,) = full["contained"][0]["action"]
    assert (made["description"], "_description" in made) == ("new", False)


def test_an_item_behind_a_gap_is_refused() -> None:
    made, told = made_with(dynamic("note[1].text", "'x'"))
    assert "note" not in made
    (sentence,) = told
    assert "`note` has no item 1 and none before it" in sentence


def test_an_extension_that_is_put_again_is_replaced() -> None:
    values = [dynamic("extension('http://e').value", f"'{text}'") for text in ("old", "new")]
    made, told = made_with(*values)
    assert (made["extension"], told) == ([{"url": "http://e", "valueString": "new"}], [])


def test_where_only_auxiliary_facts_decided_they_are_told() -> None:
    action = {"id": "a", "condition": when("%seen")}
    seen = fact("seen", "%observations.exists()", auxiliary=True)
    (found,) = applied([plan(action, **LIBRARY), library(seen)], HIGH).decisions
    assert found.because == "Proposed because seen is yes (Observation/g)."


def test_the_request_of_an_activity_alone_has_no_id() -> None:
    definition = activity()
    request = ApplyRequest(definition, Record.of(PATIENT), NOW)
    assert "id" not in apply_activity(request, Knowledge.of([definition])).resource


def test_what_is_read_of_the_subject_is_required() -> None:
    definition = plan({"id": "a", "condition": when("%subject.gender = 'female'")})
    required = data_requirements(definition, Knowledge.of([definition]))["dataRequirement"]
    assert required == [{"type": "Patient", "mustSupport": ["gender"]}]


@pytest.mark.parametrize(("minutes", "is_put"), [(30, True), (1, True), (0, False), (-1, False)])
def test_a_positive_number_is_positive(minutes: int, is_put: bool) -> None:
    made, told = made_with(dynamic("minutesDuration", str(minutes)), kind="Appointment")
    assert made.get("minutesDuration") == (minutes if is_put else None)
    assert bool(told) is not is_put


@pytest.mark.parametrize(
    ("text", "code"),
    [("3 years", "a"), ("3 months", "mo"), ("3 weeks", "wk"), ("3 days", "d"), ("3 'mg'", "mg")],
)
def test_a_quantity_is_put_with_its_ucum_code(text: str, code: str) -> None:
    made, _ = made_with(dynamic("quantityQuantity", text))
    assert made["quantityQuantity"] == {
        "value": 3,
        "unit": code,
        "system": "http://unitsofmeasure.org",
        "code": code,
    }


def test_a_value_deep_inside_leaves_the_definition_as_it_was() -> None:
    code = {"coding": [{"system": "http://x", "code": "c"}]}
    made, _ = made_with(dynamic("code.coding[0].display", "'shown'"), code=code)
    assert made["code"] == {"coding": [{"system": "http://x", "code": "c", "display": "shown"}]}
    assert code == {"coding": [{"system": "http://x", "code": "c"}]}
