"""Every decision is explained: outcome, facts, evidence, what is missing, and one sentence."""

import copy
from typing import Any

import pytest
from small import (
    GRADE,
    NOW,
    PATIENT,
    SIZE,
    activity,
    applied,
    fact,
    library,
    observation,
    plan,
    when,
)

from carepath.apply import ApplyRequest, apply_plan
from carepath.formats.json import encode
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
        ("%depth.empty() xor %size = 'large'", ["size"]),
        ("%depth.exists().not() and %size = 'large'", ["size"]),
        ("%observations.where(status = 'amended').value = 'x' and %size = 'large'", ["size"]),
        ("%width = 1 and %size = 'large'", ["size"]),
        ("(%depth.empty() and %size = 'large').not()", ["size"]),
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
    width = {"parameter": [{"name": "width", "use": "in", "type": "integer"}]}
    action = {"id": "a", "condition": when(condition)}
    (found,) = applied([plan(action, **LIBRARY), library(*facts, **width)], HIGH).decisions
    assert (found.outcome, list(found.missing)) == ("undetermined", missing)


def test_every_open_condition_tells_what_it_misses() -> None:
    facts = (SIZE, fact("depth", "%observations.where(code.coding.code = 'depth').value"))
    conditions = [*when("%size = 'large'"), *when("%depth = 'deep'"), *when("true")]
    found = decisions({"id": "a", "condition": conditions}, facts=facts)["plan/a"]
    assert (found.outcome, list(found.missing)) == ("undetermined", ["size", "depth"])


def test_a_fact_that_fails_is_missing_and_reported() -> None:
    facts = (fact("odd", "%observations.value + 1 + 'x'"), GRADE)
    action = {"id": "a", "condition": when("%odd = 1")}
    definitions = [plan(action, {"id": "b", "title": "B"}, **LIBRARY), library(*facts)]
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


def test_facts_that_only_pick_what_is_read_are_not_told() -> None:
    facts = (
        GRADE,
        fact("days", "365"),
        fact("recent", "%observations.where(%days > 0)", auxiliary=True),
        fact("severe", "%recent.exists() and %grade = 'high'", auxiliary=True),
    )
    found = decisions({"id": "a", "condition": when("%severe")}, facts=facts)["plan/a"]
    assert found.because == "Proposed because grade is high (Observation/g)."


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


def grades(*values: str) -> list[Any]:
    """Return observations `g1`, `g2` and so on, with these values."""
    return [observation(f"g{n}", "grade", valueString=v) for n, v in enumerate(values, start=1)]


@pytest.mark.parametrize(
    ("count", "told"),
    [
        (3, "a, b and c (Observation/g1, Observation/g2, Observation/g3)"),
        (5, "a, b and c and 2 more (Observation/g1, Observation/g2, Observation/g3 and 2 more)"),
    ],
)
def test_three_values_and_resources_are_told(count: int, told: str) -> None:
    action = {"id": "a", "condition": when("%grade.exists()")}
    found = decisions(action, data=grades(*"abcdef"[:count]))["plan/a"]
    assert found.because == f"Proposed because grade is {told}."


def test_a_condition_rests_on_all_its_facts_when_what_else_it_names_is_a_setting() -> None:
    action = {
        "id": "a",
        "condition": when("%grade.where($this = 'b').exists() or %wide = 1"),
        **SCAN,
    }
    parameter = {"parameter": [{"name": "wide", "use": "in", "type": "integer"}]}
    definitions = [plan(action, **LIBRARY), library(GRADE, **parameter), activity()]
    made = applied(definitions, *grades("a", "b")).care_plan()["contained"][1]
    assert made["reasonReference"] == [
        {"reference": "Observation/g1"},
        {"reference": "Observation/g2"},
    ]


def test_a_condition_of_one_text_is_decided_for_each_action_that_gives_it_another_meaning() -> None:
    def named(id_: str, value: str) -> dict[str, Any]:
        variable = {"name": "v", "language": "text/fhirpath", "expression": value}
        url = "http://hl7.org/fhir/StructureDefinition/variable"
        return {
            "id": id_,
            "extension": [{"url": url, "valueExpression": variable}],
            "condition": when("%v = 1"),
        }

    found = decisions(named("a", "1"), named("b", "2"), named("c", "1"))
    assert [d.outcome for d in found.values()] == ["met", "not-met", "met"]


def test_a_fact_that_is_no_boolean_decides_nothing() -> None:
    found = decisions({"id": "a", "condition": when("%grade")})["plan/a"]
    assert (found.outcome, found.missing, found.request) == ("undetermined", (), None)


def test_what_a_definition_forbids_is_advised_against() -> None:
    definitions = [plan({"id": "a", "title": "A", **SCAN}), activity(doNotPerform=True)]
    (found,) = applied(definitions).decisions
    assert (found.direction, found.because) == ("against", "Advised against without a condition.")


def test_weak_advice_against_is_told_mildly() -> None:
    strength: dict[str, Any] = {
        "url": "http://hl7.org/fhir/StructureDefinition/cqf-strengthOfRecommendation",
        "valueCodeableConcept": {"coding": [{"code": "weak"}]},
    }
    definitions = [plan({"id": "a", "extension": [strength], **SCAN}), activity(doNotPerform=True)]
    (found,) = applied(definitions).decisions
    assert found.because == "Not routinely advised without a condition."


def test_only_libraries_that_a_library_depends_on_are_read() -> None:
    other = library(fact("other", "true"), id="other", url="http://x/Library/other")
    for type_, outcome in (("depends-on", "met"), ("citation", "undetermined")):
        artifact = {"type": type_, "resource": "http://x/Library/other"}
        named = library(GRADE, relatedArtifact=[artifact])
        action = {"id": "a", "condition": when("%other")}
        (found,) = applied([plan(action, **LIBRARY), named, other]).decisions
        assert found.outcome == outcome


def test_below_a_rule_that_reads_the_gaps_nothing_is_a_gap() -> None:
    facts = (SIZE, fact("depth", "%observations.where(code.coding.code = 'depth').value"))
    below = {"id": "b", "condition": when("%depth = 'deep'")}
    found = decisions(
        {"id": "a", "condition": when("%size = 'large'")},
        {"id": "ask", "condition": when("%gaps.exists()"), "action": [below]},
        {"id": "count", "condition": when("%gaps.count() = 1")},
        facts=facts,
    )
    assert {path: d.outcome for path, d in found.items()} == {
        "plan/a": "undetermined",
        "plan/ask": "met",
        "plan/ask/b": "undetermined",
        "plan/count": "met",
    }


def test_a_nested_plan_that_reads_the_death_speaks_for_the_plan_around() -> None:
    action = {"id": "b", "condition": when("%patient.deceased.exists()")}
    inner = plan(action, id="inner", url="http://x/PlanDefinition/inner")
    nested = {"id": "a", "definitionCanonical": "http://x/PlanDefinition/inner"}
    dead = {**PATIENT, "deceasedBoolean": True}
    result = applied([plan(nested), inner], dead)
    assert [d.outcome for d in result.decisions] == ["met", "met"]
    closed = applied([plan({"id": "a", "title": "A"})], dead)
    assert closed.decisions == ()
    assert len(closed.issues) == 1


def test_gaps_grow_while_the_plan_is_walked() -> None:
    facts = (SIZE, fact("depth", "%observations.where(code.coding.code = 'depth').value"))
    found = decisions(
        {"id": "none", "condition": when("%gaps.empty()")},
        {"id": "a", "condition": when("%size = 'large'")},
        {"id": "one", "condition": when("%gaps.count() = 1")},
        {"id": "b", "condition": when("%depth = 'deep'")},
        {"id": "two", "condition": when("%gaps.count() = 2")},
        facts=facts,
    )
    assert [d.outcome for d in found.values() if d.id in ("none", "one", "two")] == ["met"] * 3


def test_evidence_is_told_once() -> None:
    twice = fact("twice", "%observations.combine(%observations)")
    action = {"id": "a", "condition": when("%twice.exists()")}
    found = decisions(action, facts=(twice,))["plan/a"]
    assert found.facts[0]["evidence"] == ["Observation/g"]


def test_a_circle_of_facts_is_told_without_the_way_into_it() -> None:
    facts = (fact("a", "%b"), fact("b", "%c"), fact("c", "%b"))
    action = {"id": "x", "condition": when("%a")}
    (issue,) = applied([plan(action, **LIBRARY), library(*facts)]).issues
    assert "%b -> %c -> %b" in issue.diagnostics
    assert "%a ->" not in issue.diagnostics


@pytest.mark.parametrize(
    ("value", "type_"),
    [
        ({"low": {"value": 1}}, "Range"),
        ({"high": {"value": 1}}, "Range"),
        ({"value": 1}, "Quantity"),
        ({"coding": [{"code": "x"}]}, "CodeableConcept"),
        ({"text": "x"}, "CodeableConcept"),
        ({"code": "x"}, "Coding"),
        ({"reference": "Patient/p"}, "Reference"),
        ({"start": "2026"}, "Period"),
        ({"end": "2026"}, "Period"),
    ],
)
def test_a_parameter_has_the_type_that_its_properties_tell(value: Any, type_: str) -> None:
    action = {"id": "a", "condition": when(f"%width is {type_}")}
    (found,) = applied([plan(action)], parameters={"width": value}).decisions
    assert found.outcome == "met"


def test_a_group_without_a_condition_is_no_reason() -> None:
    plain = {"id": "h", "title": "Plain", "action": [{"id": "b", "title": "B"}]}
    group = {"id": "g", "title": "Group", "condition": when("%grade = 'high'"), "action": [plain]}
    found = decisions(group, plain)
    assert found["plan/g/h/b"].because == "Proposed as part of “Group”."
    assert found["plan/h/b"].because == "Proposed without a condition."


def test_facts_stand_in_the_order_of_the_text() -> None:
    found = decisions({"id": "a", "condition": when("%size.empty() and %grade = 'high'")})
    assert [f["name"] for f in found["plan/a"].facts] == ["size", "grade"]


def test_what_a_reference_leads_to_is_the_evidence() -> None:
    born = fact("born", "%observations.first().subject.resolve().birthDate")
    found = decisions({"id": "a", "condition": when("%born < @2000")}, facts=(born,))["plan/a"]
    assert found.facts[0] == {"name": "born", "value": "1980-05-17", "evidence": ["Patient/p"]}


def test_an_expression_without_text_is_undetermined() -> None:
    condition = [{"kind": "applicability", "expression": {"language": "text/fhirpath"}}]
    found = decisions({"id": "a", "condition": condition})["plan/a"]
    assert found.outcome == "undetermined"


def test_a_value_in_a_language_that_is_not_known_is_a_warning() -> None:
    value = {"path": "description", "expression": {"language": "text/x", "expression": "1"}}
    (issue,) = applied([plan({"id": "a", "dynamicValue": [value]})]).issues
    assert (issue.severity, issue.code) == ("warning", "not-supported")


def requests_of(*facts: Any, condition: str, more: Any = (), **elements: Any) -> list[Any]:
    """Return the requests that one action makes, with what the record holds besides."""
    collections = [{"id": n.lower() + "s", "type": n} for n in ("Observation", "Procedure")]
    definitions = [
        plan({"id": "a", "condition": when(condition), **SCAN}, **LIBRARY),
        library(*facts, dataRequirement=collections),
        activity(**elements),
    ]
    contained = applied(definitions, HIGH, *more).care_plan()["contained"]
    return [r for r in contained if r["resourceType"] == "ServiceRequest"]


def test_the_reasons_of_a_request_are_of_the_types_that_r4_allows() -> None:
    procedure = {
        "resourceType": "Procedure",
        "id": "o",
        "status": "completed",
        "subject": {"reference": "Patient/p"},
    }
    facts = (GRADE, fact("operated", "%procedures.exists()"), fact("born", "%patient.birthDate"))
    condition = "%grade = 'high' and %operated and %born < @2000"
    (made,) = requests_of(*facts, condition=condition, more=(PATIENT, procedure))
    assert made["reasonReference"] == [{"reference": "Observation/g"}]
    assert made["supportingInfo"] == [{"reference": "Procedure/o"}]


def test_a_definition_for_a_group_makes_no_request_for_the_patient() -> None:
    group = {"subjectReference": {"reference": "Group/g"}}
    assert requests_of(GRADE, condition="%grade = 'high'", **group) == []


def test_numbered_ids_are_not_taken_twice() -> None:
    activities = [activity("scan"), activity("scan-2")]
    actions = [
        {"id": f"a{n}", "definitionCanonical": f"http://x/ActivityDefinition/{name}"}
        for n, name in enumerate(("scan-2", "scan", "scan"))
    ]
    contained = applied([plan(*actions), *activities]).care_plan()["contained"]
    assert [r["id"] for r in contained[1:]] == ["scan-2", "scan", "scan-2-2"]


def test_a_subject_that_r4_does_not_allow_makes_no_request() -> None:
    concept = {"coding": [{"code": "Practitioner"}]}
    diet = activity(kind="NutritionOrder", subjectCodeableConcept=concept)
    result = applied([plan({"id": "a", **SCAN}), diet], practitioner="Practitioner/d")
    assert [d.request for d in result.decisions] == [None]
    assert "A NutritionOrder about a Practitioner" in result.issues[0].diagnostics
