"""Every decision is explained: outcome, facts, evidence, what is missing, and one sentence."""

import copy
from typing import Any

import pytest
from small import GRADE, NOW, SIZE, activity, applied, fact, library, observation, plan, when

from carepath.apply import ApplyRequest, apply_plan
from carepath.json_codec import encode
from carepath.knowledge import Knowledge
from carepath.record import Record

LIBRARY = {"library": ["http://x/Library/facts"]}
HIGH = observation("g", "grade", valueString="high")
SCAN = {"definitionCanonical": "http://x/ActivityDefinition/scan"}


def decisions(*actions: Any, facts: Any = (GRADE, SIZE), data: Any = (HIGH,)) -> dict[str, Any]:
    definitions = [plan(*actions, **LIBRARY), library(*facts), activity()]
    return {d.path: d for d in applied(definitions, *data).decisions}


def test_a_decision_document() -> None:
    documentation = [
        {"type": "documentation", "label": "S1-46"},
        {"type": "citation", "label": "x"},
    ]
    action = {
        "id": "a",
        "title": "Scan",
        "condition": when("%grade = 'high' and %size.empty()"),
        "documentation": documentation,
        **SCAN,
    }
    result = applied([plan(action, **LIBRARY), library(GRADE, SIZE), activity()], HIGH)
    assert result.decisions_document() == {
        "plan": "http://x/PlanDefinition/plan|1",
        "subject": "Patient/p",
        "decisions": [
            {
                "path": "plan/a",
                "id": "a",
                "title": "Scan",
                "outcome": "met",
                "expression": "%grade = 'high' and %size.empty()",
                "facts": [
                    {"name": "grade", "value": "high", "evidence": ["Observation/g"]},
                    {"name": "size", "value": None, "evidence": []},
                ],
                "missing": [],
                "statements": ["S1-46"],
                "definition": "http://x/ActivityDefinition/scan|1",
                "request": "ServiceRequest",
                "direction": "for",
                "because": "Proposed because grade is high (Observation/g).",
            }
        ],
        "issues": [],
    }


@pytest.mark.parametrize(
    ("condition", "missing"),
    [
        ("%size = 'large'", ["size"]),
        ("%grade = 'high' and %size = 'large'", ["size"]),
        ("%grade = 'low' or %size = 'large'", ["size"]),
        ("(%size = 'large').not()", ["size"]),
        ("%depth = 'deep' xor %size = 'large'", ["depth", "size"]),
        ("%grade = 'high' implies %size = 'large'", ["size"]),
        ("%size.exists() and %depth = 'deep' or %size = 'x'", ["size"]),
        ("%big", ["size"]),
        ("%big and %depth = 'deep'", ["size", "depth"]),
        ("%bigger", ["size"]),
    ],
)
def test_what_is_missing(condition: str, missing: list[str]) -> None:
    facts = (
        GRADE,
        SIZE,
        fact("depth", "%observations.where(code.coding.code = 'depth').value"),
        fact("big", "%grade = 'high' and %size = 'large'", auxiliary=True),
        fact("bigger", "%big or %big", auxiliary=True),
    )
    found = decisions({"id": "a", "condition": when(condition)}, facts=facts)["plan/a"]
    assert (found.outcome, list(found.missing)) == ("undetermined", missing)


def test_a_fact_that_fails_is_missing_and_reported() -> None:
    facts = (fact("odd", "%observations.value + 1 + 'x'"), GRADE)
    action = {"id": "a", "condition": when("%odd = 1")}
    definitions = [plan(action, {"id": "b"}, **LIBRARY), library(*facts)]
    result = applied(definitions, observation("n", "n", valueInteger=1))
    assert [(d.outcome, d.missing) for d in result.decisions] == [
        ("undetermined", ("odd",)),
        ("met", ()),
    ]
    (issue,) = result.issues
    assert (issue.severity, issue.expression) == ("error", ("plan/a",))


def test_facts_in_a_circle_name_the_chain() -> None:
    facts = (fact("a", "%b"), fact("b", "%a"))
    action = {"id": "x", "condition": when("%a")}
    result = applied([plan(action, **LIBRARY), library(*facts)])
    assert "%a -> %b -> %a" in result.issues[0].diagnostics


def test_below_an_undetermined_group() -> None:
    group = {
        "id": "g",
        "condition": when("%size = 'large'"),
        "action": [
            {"id": "no", "condition": when("%grade = 'low'"), "action": [{"id": "unseen"}]},
            {"id": "yes", "condition": when("%grade = 'high'"), **SCAN},
            {"id": "open", "condition": when("%grade = 'high' and %depth = 'deep'")},
        ],
    }
    facts = (GRADE, SIZE, fact("depth", "%observations.where(code.coding.code = 'depth').value"))
    found = decisions(group, facts=facts)
    assert {path: (d.outcome, list(d.missing)) for path, d in found.items()} == {
        "plan/g": ("undetermined", ["size"]),
        "plan/g/no": ("not-met", []),
        "plan/g/yes": ("undetermined", ["size"]),
        "plan/g/open": ("undetermined", ["size", "depth"]),
    }
    assert found["plan/g/yes"].request is None


def test_below_an_action_that_is_not_met_nothing_is_decided() -> None:
    group = {"id": "g", "condition": when("%grade = 'low'"), "action": [{"id": "a"}]}
    assert list(decisions(group)) == ["plan/g"]


def test_gaps_are_a_variable_of_the_rules_that_come_last() -> None:
    actions = (
        {"id": "a", "title": "First", "condition": when("%size = 'large'")},
        {"id": "b", "title": "Second", "condition": when("%size = 'small' and %depth = 'x'")},
        {
            "id": "ask",
            "condition": when("%gaps.where(name = 'size').exists()"),
            "dynamicValue": [
                {
                    "path": "description",
                    "expression": {
                        "language": "text/fhirpath",
                        "expression": "%gaps.where(name = 'size').value.join('; ')",
                    },
                }
            ],
        },
        {"id": "quiet", "condition": when("%gaps.exists() and %depth = 'x'")},
        {"id": "count", "condition": when("%gaps.count() = 3")},
    )
    facts = (SIZE, fact("depth", "%observations.where(code.coding.code = 'depth').value"))
    definitions = [plan(*actions, **LIBRARY), library(*facts)]
    result = applied(definitions)
    outcomes = {d.id: d.outcome for d in result.decisions}
    assert outcomes == {
        "a": "undetermined",
        "b": "undetermined",
        "ask": "met",
        "quiet": "undetermined",
        "count": "met",
    }
    group = result.care_plan()["contained"][0]
    assert group["action"][0]["description"] == "First; Second"


def test_because_says_only_what_an_action_adds() -> None:
    group = {
        "id": "g",
        "title": "Group",
        "condition": when("%grade = 'high'"),
        "action": [
            {"id": "a", "condition": when("%grade = 'high' and %size = 'large'"), **SCAN},
            {"id": "b", "condition": when("%grade = 'high'")},
            {"id": "c"},
            {"id": "d", "condition": when("%size = 'small'")},
        ],
    }
    found = decisions(group, data=(HIGH, observation("s", "size", valueString="large")))
    assert [d.because for d in found.values()] == [
        "Applies because grade is high (Observation/g).",
        "Proposed because size is large (Observation/s).",
        "Proposed as part of “Group”.",
        "Proposed as part of “Group”.",
        "Does not apply because size is large (Observation/s).",
    ]


def test_auxiliary_facts_and_switches_are_told_by_what_they_rest_on() -> None:
    facts = (
        GRADE,
        fact("severe", "%grade = 'high'", auxiliary=True),
        fact("sourceOn", "iif(%`source` = 'off', false, true)", auxiliary=True),
    )
    parameter = {"parameter": [{"name": "source", "use": "in", "type": "string"}]}
    action = {"id": "a", "condition": when("%severe and %sourceOn")}
    result = applied([plan(action, **LIBRARY), library(*facts, **parameter)], HIGH)
    assert result.decisions[0].because == "Proposed because grade is high (Observation/g)."
    off = applied(
        [plan(action, **LIBRARY), library(*facts, **parameter)], HIGH, parameters={"source": "off"}
    )
    assert off.decisions[0].outcome == "not-met"


def test_evidence_passes_through_derived_facts_and_literals() -> None:
    facts = (
        GRADE,
        fact("level", "iif(%grade = 'high', 'severe', 'mild')"),
        fact("some", "%observations.where(code.coding.code = 'size').exists()"),
    )
    data = (HIGH, observation("s", "size", valueString="large"), observation("z", "other"))
    action = {"id": "a", "condition": when("%level = 'severe' and %some"), **SCAN}
    found = decisions(action, facts=facts, data=data)["plan/a"]
    assert [dict(f) for f in found.facts] == [
        {"name": "level", "value": "severe", "evidence": ["Observation/g"]},
        {"name": "some", "value": True, "evidence": ["Observation/s"]},
    ]


def test_evidence_of_resources_that_only_their_url_names() -> None:
    patient = {"resourceType": "Patient", "gender": "female"}
    grade = observation("g", "grade", valueString="high", subject={"reference": "urn:uuid:1"})
    del grade["id"]
    content = {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [
            {"fullUrl": "urn:uuid:1", "resource": patient},
            {"fullUrl": "urn:uuid:2", "resource": grade},
        ],
    }
    action = {"id": "a", "condition": when("%grade = 'high'"), **SCAN}
    definitions = [plan(action, **LIBRARY), library(GRADE), activity()]
    request = ApplyRequest(definitions[0], Record.of(content), NOW)
    result = apply_plan(request, Knowledge.of(definitions))
    (made,) = [r for r in result.care_plan()["contained"] if r["resourceType"] != "RequestGroup"]
    assert made["subject"] == {"reference": "urn:uuid:1"}
    assert made["reasonReference"] == [{"reference": "urn:uuid:2"}]


def test_the_same_input_gives_the_same_bytes_and_is_not_changed() -> None:
    definitions = [
        plan({"id": "a", "condition": when("%grade = 'high'"), **SCAN}, **LIBRARY),
        library(GRADE),
        activity(
            code={"coding": [{"system": "s", "code": "c"}]},
            dynamicValue=[
                {
                    "path": "code.text",
                    "expression": {"language": "text/fhirpath", "expression": "%grade"},
                }
            ],
        ),
    ]
    before = copy.deepcopy((definitions, HIGH))
    first, second = applied(definitions, HIGH), applied(definitions, HIGH)
    assert encode(first.care_plan()) == encode(second.care_plan()) == encode(first.care_plan())
    assert encode(first.bundle()) == encode(second.bundle())
    assert (definitions, HIGH) == before
    request = first.care_plan()["contained"][1]
    assert request["code"] == {"coding": [{"system": "s", "code": "c"}], "text": "high"}
