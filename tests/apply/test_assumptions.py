"""What if a fact were otherwise: what changes, what does not, and that the answer says so."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from carepath.apply import Applied, ApplyRequest, apply_plan
from carepath.apply.explain.done import is_done
from carepath.apply.explain.elements import elements_of
from carepath.apply.run.step import facts_read
from carepath.knowledge import Knowledge
from carepath.record import Record

FACT = "https://carepath.example/fhir/StructureDefinition/fact"
LABEL = "https://carepath.example/fhir/StructureDefinition/fact-label"
NOW = datetime.fromisoformat("2026-03-31T09:15:00+04:00")


def fact(name: str, expression: str, label: str = "") -> dict[str, Any]:
    element: dict[str, Any] = {"name": name, "language": "text/fhirpath", "expression": expression}
    if label:
        element["extension"] = [{"url": LABEL, "valueString": label}]
    return {"url": FACT, "valueExpression": element}


def action(id: str, *expressions: str) -> dict[str, Any]:
    conditions = [
        {
            "kind": "applicability",
            "expression": {"language": "text/fhirpath", "expression": expression},
        }
        for expression in expressions
    ]
    return {"id": id, "title": id, "condition": conditions}


LIBRARY: dict[str, Any] = {
    "resourceType": "Library",
    "id": "facts",
    "url": "urn:facts",
    "status": "draft",
    "dataRequirement": [
        {"id": "observations", "type": "Observation"},
        {"id": "procedures", "type": "Procedure"},
    ],
    "extension": [
        fact(
            "size", "%observations.where(code.text = 'size').value.ofType(Quantity).value", "size"
        ),
        fact("large", "%size > 5", "large tumour"),
        fact("removed", "%procedures.exists(code.text = 'removal')", "removed"),
        fact("margin", "%observations.where(code.text = 'margin').value", "margin"),
    ],
}
PLAN: dict[str, Any] = {
    "resourceType": "PlanDefinition",
    "id": "plan",
    "url": "urn:plan",
    "status": "draft",
    "library": ["urn:facts"],
    "action": [
        action("treat", "%large"),
        action("watch", "%large.not()"),
        action("remove", "%removed.not()"),
        action("look", "%margin.empty()"),
        action("both", "%removed.not() and %margin.empty()"),
    ],
}
KNOWLEDGE = Knowledge.of([LIBRARY, PLAN])


def observation(id: str, text: str, **value: Any) -> dict[str, Any]:
    head = {"resourceType": "Observation", "id": id, "status": "final", "code": {"text": text}}
    return {**head, "subject": {"reference": "Patient/p"}, **value}


SIZE = observation("s", "size", valueQuantity={"value": 3})
REMOVAL = {
    "resourceType": "Procedure",
    "id": "r",
    "status": "completed",
    "code": {"text": "removal"},
    "subject": {"reference": "Patient/p"},
}


def applied(*resources: dict[str, Any], **assumed: list[Any]) -> Applied:
    record = Record.of([{"resourceType": "Patient", "id": "p"}, *resources])
    request = ApplyRequest(KNOWLEDGE.plan("plan"), record, NOW)
    return apply_plan(replace(request, assumed=assumed), KNOWLEDGE)


def outcomes(made: Applied) -> Mapping[str, str]:
    return {decision.id: decision.outcome for decision in made.decisions}


def test_what_rests_on_an_assumed_fact_changes_and_nothing_else() -> None:
    before = {"treat": "not-met", "watch": "met", "remove": "met", "look": "met", "both": "met"}
    assert outcomes(applied(SIZE)) == before
    assert outcomes(applied(SIZE, size=[7])) == {**before, "treat": "met", "watch": "not-met"}
    assert outcomes(applied(SIZE, large=[True])) == {**before, "treat": "met", "watch": "not-met"}


def test_a_fact_may_be_assumed_to_be_unknown() -> None:
    made = applied(SIZE, size=[])
    assert outcomes(made)["treat"] == outcomes(made)["watch"] == "undetermined"
    assert made.decisions[0].missing == ("large",)


def test_every_part_of_the_answer_says_so() -> None:
    made = applied(SIZE, size=[7])
    sentence = "Assumed, whatever the record says: size is 7."
    assert [issue.diagnostics for issue in made.issues] == [sentence]
    plan = made.care_plan()
    assert plan["note"] == [{"text": sentence}]
    assert f"<p><i>{sentence}</i></p>" in plan["text"]["div"]
    assert made.sheet.disclaimers == (sentence,)
    assert made.decisions[0].facts == ({"name": "large", "value": True, "evidence": []},)
    direct = applied(SIZE, large=[True]).decisions[0]
    assert direct.because == "Proposed because large tumour is yes (assumed)."
    assert direct.facts == ({"name": "large", "value": True, "evidence": [], "assumed": True},)


def test_an_assumption_that_nothing_reads_is_told() -> None:
    made = applied(SIZE, colour=["red"])
    said = "Assumed, and read by nothing in this plan: `colour`."
    assert [issue.diagnostics for issue in made.issues] == [said]
    assert outcomes(made) == outcomes(applied(SIZE))


def test_without_assumptions_nothing_is_said() -> None:
    assert applied(SIZE).issues == ()
    assert "assumed" not in str(applied(SIZE).care_plan()).lower()


def test_elements_are_told_with_their_paths() -> None:
    made = applied(SIZE)
    value = facts_read(made.steps[0])[0]
    assert [(place.resource, place.path) for place in elements_of(value)] == [
        ("Observation/s", "Observation.value.value")
    ]
    assumed = applied(SIZE, large=[True])
    assert elements_of(facts_read(assumed.steps[0])[0]) == ()


def test_done_is_what_is_on_record_already() -> None:
    one = applied(SIZE, REMOVAL)
    assert {s.action.key for s in one.steps if is_done(s)} == {"remove", "both"}
    assert one.decisions[2].outcome == "not-met"
    margin = observation("m", "margin", valueString="clear")
    found = applied(SIZE, margin)
    assert {s.action.key for s in found.steps if is_done(s)} == {"look", "both"}


def test_a_finding_that_forbids_something_is_nothing_done() -> None:
    large = observation("l", "size", valueQuantity={"value": 9})
    made = applied(large)
    assert {s.action.key for s in made.steps if is_done(s)} == set()
