"""What callers of the functions may rely on."""

import copy
import gc
import importlib.util
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from small import (
    GRADE,
    NOW,
    OWN,
    PATIENT,
    SIZE,
    activity,
    applied,
    fact,
    fhirpath,
    library,
    observation,
    plan,
    when,
)

from carepath.apply import ApplyRequest, ApplySettings, apply_activity, apply_plan, warm
from carepath.apply.compile.cache import Cache
from carepath.apply.compile.formula import Formula
from carepath.errors import InvalidContent, InvalidParameter, NoRequest, SubjectNotFound
from carepath.fhirpath import Known
from carepath.formats.json import encode
from carepath.knowledge import Knowledge
from carepath.record import Record
from carepath.validation import check_structure

SCAN = {"definitionCanonical": "http://x/ActivityDefinition/scan"}
BENCH = Path(__file__).parents[2] / "tools" / "bench" / "apply_case.py"


def test_no_patient_and_too_many() -> None:
    definition = plan({"id": "a"})
    with pytest.raises(InvalidParameter) as none:
        apply_plan(ApplyRequest(definition, Record.of([]), NOW), Knowledge.of([definition]))
    assert (none.value.name, none.value.value) == ("subject", None)
    two = Record.of([PATIENT, {"resourceType": "Patient", "id": "q"}])
    with pytest.raises(InvalidParameter) as several:
        apply_plan(ApplyRequest(definition, two, NOW), Knowledge.of([definition]))
    assert "`Patient/p`, `Patient/q`" in str(several.value)
    with pytest.raises(SubjectNotFound):
        applied([definition], subject="Patient/z")


def test_a_moment_without_a_zone_is_refused() -> None:
    with pytest.raises(InvalidParameter) as caught:
        applied([plan({"id": "a"})], now=NOW.replace(tzinfo=None))
    assert caught.value.name == "now"


def test_a_definition_of_another_type_is_refused() -> None:
    with pytest.raises(InvalidParameter):
        applied([activity()])


def test_a_plan_that_is_no_fhir_is_refused_with_the_place() -> None:
    with pytest.raises(InvalidContent) as caught:
        applied([plan({"id": "a", "condition": "always"})])
    assert caught.value.element == "PlanDefinition.action[0].condition"


def test_an_activity_that_makes_nothing_is_refused() -> None:
    definition = activity(kind="Device")
    request = ApplyRequest(definition, Record.of(PATIENT), NOW)
    with pytest.raises(NoRequest) as caught:
        apply_activity(request, Knowledge.of([definition]))
    assert "Device" in str(caught.value)


def test_disclaimer_conflict_and_expiry_are_seen() -> None:
    conflict = {"url": f"{OWN}/conflict-note", "valueMarkdown": "S1 & S2 differ."}
    definition = plan(
        {"id": "a", "title": "A", "extension": [conflict]},
        title="Plan",
        extension=[
            {"url": f"{OWN}/disclaimer", "valueMarkdown": "Check <everything>."},
            {"url": f"{OWN}/content-expiry", "valueDate": "2026-03-30"},
        ],
    )
    result = applied([definition])
    care_plan = result.care_plan()
    notes = [note["text"] for note in care_plan["note"]]
    assert notes == [
        "Check <everything>.",
        "Out of date: the review date of its source of “Plan” passed on 2026-03-30.",
    ]
    assert "Check &lt;everything&gt;." in care_plan["text"]["div"]
    assert "S1 &amp; S2 differ." in care_plan["text"]["div"]
    assert [i.severity for i in result.issues] == ["warning"]
    assert care_plan["contained"][0]["action"][0]["extension"] == [conflict]
    fresh = applied([definition], now=NOW.replace(day=30))
    assert fresh.issues == ()


def test_settings() -> None:
    start = {"kind": "start", "expression": fhirpath("true")}
    option = {"id": "o", "selectionBehavior": "any", "action": [{"id": "a", **SCAN}]}
    actions = ({"id": "s", "condition": [start]}, option)
    found = ApplySettings(
        request_status="active", option_intent=False, carry_conditions=False, create_type=True
    )
    group, made = applied([plan(*actions), activity()], settings=found, explain="full").care_plan()[
        "contained"
    ]
    assert (made["status"], made["intent"]) == ("active", "proposal")
    assert "condition" not in group["action"][0]
    assert group["action"][0]["type"]["coding"][0]["code"] == "create"
    found = applied([plan(*actions), activity()], explain="full")
    group, made, *_ = found.care_plan()["contained"]
    assert (made["status"], made["intent"]) == ("draft", "option")
    assert group["action"][0]["condition"] == [start]
    assert "type" not in group["action"][0]


def test_what_steers_the_engine_or_is_there_already_is_not_copied() -> None:
    behavior = "http://hl7.org/fhir/StructureDefinition/cqf-applicabilityBehavior"
    cited = {"type": "citation", "citation": "The book"}
    more = {"type": "citation", "citation": "The article"}
    action = {
        "id": "a",
        "extension": [{"url": behavior, "valueCode": "any"}],
        "type": {"coding": [{"code": "update"}]},
        "documentation": [cited],
        **SCAN,
    }
    definitions = [plan(action), activity(relatedArtifact=[cited, more])]
    settings = ApplySettings(create_type=True)
    group = applied(definitions, settings=settings).care_plan()["contained"][0]
    (made,) = group["action"]
    assert "extension" not in made
    assert made["type"] == {"coding": [{"code": "update"}]}
    assert made["documentation"] == [cited, more]


def test_an_answer_is_named_after_its_patient_and_speaks_the_language_asked_for() -> None:
    definition = plan({"id": "a", "title": "A"})
    german = {"coding": [{"system": "urn:ietf:bcp:47", "code": "de"}]}
    mine = applied([definition], user_language=german).care_plan()
    theirs = applied([definition], {**PATIENT, "id": "q"}).care_plan()
    assert (mine["language"], theirs.get("language")) == ("de", None)
    assert mine["identifier"] == applied([definition]).care_plan()["identifier"]
    assert mine["identifier"] != theirs["identifier"]


def test_two_settings_share_no_compiled_plan() -> None:
    definition = plan({"id": "a", "title": "A"})
    knowledge = Knowledge.of([definition])
    for create_type in (True, False, True):
        settings = ApplySettings(create_type=create_type)
        request = ApplyRequest(
            definition, Record.of(PATIENT), NOW, explain="full", settings=settings
        )
        (group,) = apply_plan(request, knowledge).care_plan()["contained"]
        assert ("type" in group["action"][0]) is create_type


def test_repeated_ids_of_actions_stay_within_64_characters() -> None:
    inner = plan({"id": "x" * 64, "title": "X"}, id="inner", url="http://x/PlanDefinition/inner")
    nested = {"definitionCanonical": "http://x/PlanDefinition/inner"}
    actions = [{"id": id_, "title": id_, **nested} for id_ in "abc"]
    (group,) = applied([plan(*actions), inner]).care_plan()["contained"]
    found = [action["action"][0]["id"] for action in group["action"]]
    assert found == ["x" * 64, "x" * 58 + "-2", "x" * 58 + "-3"]


def test_parameters_that_nothing_reads_are_told_with_those_that_are_read() -> None:
    condition = when("%patient.exists() and %setting.empty() and %colour = 'red'")
    result = applied(
        [plan({"id": "a", "condition": condition})], parameters={"color": "red", "patient": "p"}
    )
    assert [i.diagnostics for i in result.issues if i.severity == "warning"][:2] == [
        "The parameter `color` is read by no library, plan or action; known: `colour`.",
        "The parameter `patient` is read by no library, plan or action; known: `colour`.",
    ]


@pytest.mark.parametrize(
    ("type_", "value", "is_taken"),
    [
        ("integer", 1, True),
        ("integer", True, False),
        ("integer", "1", False),
        ("integer", [1, "1"], False),
        ("decimal", 1, True),
        ("decimal", False, False),
        ("boolean", False, True),
        ("boolean", 0, False),
        ("string", "x", True),
        ("string", 1, False),
        ("code", True, False),
        ("Quantity", {"value": 1}, True),
    ],
)
def test_a_parameter_of_another_type_is_not_used(type_: str, value: Any, is_taken: bool) -> None:
    declared = {"parameter": [{"name": "width", "use": "in", "type": type_}]}
    action = {"id": "a", "condition": when("%width.exists()")}
    definitions = [plan(action, library=["http://x/Library/facts"]), library(GRADE, **declared)]
    result = applied(definitions, parameters={"width": value})
    assert [d.outcome for d in result.decisions] == ["met" if is_taken else "not-met"]
    refused = [f"The parameter `width` is no {type_} and was not used."]
    assert [i.diagnostics for i in result.issues] == ([] if is_taken else refused)


class Shout:
    """A language of two words, to show that one plugs in."""

    def compile(self, text: str) -> Any:
        return ShoutExpression(text)


class ShoutExpression:
    variables: frozenset[str] = frozenset()

    def __init__(self, text: str) -> None:
        self.text = text

    def evaluate(self, focus: Any, environment: Any) -> list[Any]:
        return [self.text == "YES"]

    def evaluate_nodes(self, focus: Any, environment: Any) -> list[Any]:
        return self.evaluate_known(focus, environment).nodes()

    def evaluate_known(self, focus: Any, environment: Any) -> Known:
        return Known.of(self.evaluate(focus, environment))


def test_another_language_plugs_in() -> None:
    def shouted(text: str) -> list[dict[str, Any]]:
        return [
            {"kind": "applicability", "expression": {"language": "text/shout", "expression": text}}
        ]

    actions = ({"id": "a", "condition": shouted("YES")}, {"id": "b", "condition": shouted("NO")})
    languages = {"text/shout": Shout()}
    result = applied([plan(*actions)], settings=ApplySettings(languages=languages))
    assert [d.outcome for d in result.decisions] == ["met", "not-met"]
    plain = applied([plan(*actions)])
    assert {(d.outcome, i.code) for d in plain.decisions for i in plain.issues} == {
        ("undetermined", "not-supported")
    }


def test_models_of_fhir_resources() -> None:
    result = applied([plan({"id": "a", **SCAN}), activity(code={"text": "Scan"})])
    assert result.as_model().activity[0].reference.reference == "#request-group"
    definition = activity(code={"text": "Scan"})
    request = ApplyRequest(definition, Record.of(PATIENT), NOW)
    made = apply_activity(request, Knowledge.of([definition]))
    assert made.as_model().code.text == "Scan"


def test_everything_shipped_can_be_warmed() -> None:
    knowledge = Knowledge.of(Knowledge.shipped().all("PlanDefinition"))
    warm(knowledge)
    assert knowledge.derived(Cache).all(Formula)


def test_an_application_leaves_no_work_to_the_collector() -> None:
    """Searching for circles of garbage would cost a tenth of every application."""
    example = Path(__file__).parents[2] / "examples/mcode-collection.json"
    knowledge = Knowledge.shipped()
    request = ApplyRequest(
        knowledge.plan("mst-pathway"), Record.of(json.loads(example.read_text("utf-8"))), NOW
    )
    for _ in range(2):
        gc.collect()
        result = apply_plan(request, knowledge)
        assert result.care_plan()
        assert result.decisions
        del result
    assert gc.collect() == 0


def test_the_benchmark_compares_equal_answers() -> None:
    spec = importlib.util.spec_from_file_location("apply_case", BENCH)
    assert spec is not None
    assert spec.loader is not None
    case = importlib.util.module_from_spec(spec)
    sys.modules["apply_case"] = case
    spec.loader.exec_module(case)
    data = case.bundle()
    knowledge = Knowledge.of(case.definitions())
    record = Record.of(case.decode(data))
    asked = ApplyRequest(knowledge.plan("bench"), record, NOW, explain="none")
    result = apply_plan(asked, knowledge)
    assert encode(result.care_plan()) == case.floor(data)
    assert 21_000 < len(data) < 23_000


ACTIONS = st.recursive(
    st.fixed_dictionaries(
        {},
        optional={
            "id": st.sampled_from(["a", "b", "c"]),
            "title": st.sampled_from(["One", "<Two>", "Three & more"]),
            "condition": st.sampled_from(
                [when(t) for t in ("true", "%grade = 'high'", "%size = 'large'", "%nobody", "1 +")]
            ),
            "definitionCanonical": st.sampled_from(
                ["http://x/ActivityDefinition/scan", "http://x/PlanDefinition/inner", "http://no"]
            ),
            "relatedAction": st.just([{"actionId": "a", "relationship": "after"}]),
            "selectionBehavior": st.sampled_from(["any", "all"]),
        },
    ),
    lambda inner: st.fixed_dictionaries(
        {"action": st.lists(inner, min_size=1, max_size=3)},
        optional={"id": st.sampled_from(["a", "b", "g"]), "condition": st.just(when("%size = 1"))},
    ),
    max_leaves=6,
)
VALUES = st.sampled_from(
    [{"valueString": "high"}, {"valueString": 7}, {"valueQuantity": "big"}, {"code": "text"}, {}]
)


def all_actions(parent: dict[str, Any]) -> list[dict[str, Any]]:
    found = parent.get("action", [])
    return [*found, *(inner for action in found for inner in all_actions(action))]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(ACTIONS, max_size=4), st.lists(VALUES, max_size=3))
def test_any_plan_over_any_data_gives_a_valid_answer(actions: Any, values: Any) -> None:
    inner = {**plan({"id": "a", "title": "Inner"}), "id": "inner", "version": "2"}
    inner["url"] = "http://x/PlanDefinition/inner"
    definitions = [
        plan(*actions, library=["http://x/Library/facts"]) if actions else plan({"id": "a"}),
        inner,
        activity(code={"text": "Scan"}),
        library(GRADE, SIZE, fact("unused", "1 +")),
    ]
    data = [
        {**observation(f"o{n}", "grade" if n % 2 else "size"), **v} for n, v in enumerate(values)
    ]
    before = copy.deepcopy((definitions, data))
    result = applied(definitions, *data)
    care_plan = result.care_plan()
    assert [i for i in check_structure(care_plan) if i.is_error] == []
    assert [i for i in check_structure(result.bundle()) if i.is_error] == []
    made = all_actions(care_plan["contained"][0])
    names = [action["id"] for action in made if "id" in action]
    assert len(names) == len(set(names))
    assert all(("resource" in action) != ("action" in action) for action in made)
    assert all(r["actionId"] in names for a in made for r in a.get("relatedAction", ()))
    contained = [resource["id"] for resource in care_plan["contained"]]
    assert len(contained) == len(set(contained))
    paths = [decision.path for decision in result.decisions]
    outcomes = {decision.outcome for decision in result.decisions}
    assert len(paths) >= len(made)
    assert outcomes <= {"met", "not-met", "undetermined"}
    assert (definitions, data) == before


def test_a_parameter_that_nothing_reads_or_of_the_wrong_type_is_told() -> None:
    declared = {"parameter": [{"name": "limit", "use": "in", "type": "decimal"}]}
    big = fact("big", "%size > %limit")
    definitions = [
        plan({"id": "a", "condition": when("%big and %other")}, library=["http://x/Library/facts"]),
        library(SIZE, big, **declared),
    ]
    data = observation("s", "size", valueInteger=7)
    result = applied(definitions, data, parameters={"limit": 5, "other": True, "lmit": 5})
    assert [d.outcome for d in result.decisions] == ["met"]
    (issue,) = result.issues
    assert (issue.severity, issue.code) == ("warning", "not-found")
    assert "`lmit` is read by no library, plan or action; known: `limit`, `other`." in (
        issue.diagnostics
    )
    wrong = applied(definitions, data, parameters={"limit": "five", "other": True})
    assert [d.missing for d in wrong.decisions] == [("big",)]
    assert [i.code for i in wrong.issues] == ["value", "incomplete"]


def test_a_prescription_without_the_eye_is_not_made() -> None:
    lens = activity(kind="VisionPrescription", code={"text": "Lens"})
    action = {"id": "a", "title": "A", **SCAN}
    result = applied([plan(action), lens])
    assert [(i.severity, i.code) for i in result.issues] == [("error", "not-supported")]
    assert result.decisions[0].request is None
    eye = {"path": "lensSpecification.eye", "expression": fhirpath("'left'")}
    result = applied([plan(action), {**lens, "dynamicValue": [eye]}])
    assert result.decisions[0].request == "VisionPrescription"
    (made,) = result.care_plan()["contained"][1:]
    assert made["lensSpecification"] == [{"product": {"text": "Lens"}, "eye": "left"}]


def test_below_an_undetermined_group_the_reason_is_the_group() -> None:
    group = {"id": "g", "condition": when("{}"), "action": [{"id": "a", "condition": when("true")}]}
    result = applied([plan(group)])
    assert [d.because for d in result.decisions] == [
        "Cannot be decided because its condition has no value: {}.",
        "Cannot be decided because the group that it is in cannot be decided.",
    ]


@pytest.mark.parametrize(
    "broken",
    [
        {"action": [None]},
        {"goal": [{"id": "g", "description": None}]},
        {"extension": [{"valueString": "x"}]},
        {"action": [{"condition": [None]}]},
    ],
)
def test_null_and_half_made_elements_are_refused_with_the_place(broken: dict[str, Any]) -> None:
    with pytest.raises(InvalidContent):
        applied([plan({"id": "a"}, **broken) if "action" not in broken else {**plan(), **broken}])


def test_nothing_of_what_only_came_with_a_request_is_kept() -> None:
    nested = {"id": "n", "definitionCanonical": "http://x/PlanDefinition/inner"}
    inner = {**plan({"id": "b", "condition": when("true")}), "id": "inner"}
    inner["url"] = "http://x/PlanDefinition/inner"
    held = plan({"id": "a", "condition": when("%patient.exists()")}, nested)
    knowledge = Knowledge.of([held, inner, activity()])

    def run(definition: dict[str, Any], language: str) -> None:
        concept = {"coding": [{"system": "urn:ietf:bcp:47", "code": language}]}
        request = ApplyRequest(definition, Record.of(PATIENT), NOW, user_language=concept)
        apply_plan(request, knowledge).care_plan()

    run(held, "en")
    cache = knowledge.derived(Cache)
    kept = len(cache)
    for number in range(5):
        sent = plan({"id": "a", "condition": when(f"{number} > 1 or 'x'.memberOf('v')")}, nested)
        run({**sent, "url": f"http://x/PlanDefinition/sent-{number}"}, "en")
        run(held, f"l{number}")
    assert cache.all(Formula)
    assert len(cache) == kept
