"""Paths of dynamicValues, and what becomes of a value that is put there."""

import copy
from decimal import Decimal
from typing import Any

import pytest
from small import NOW, PATIENT

from carepath.apply.compile.path import UnknownPath, compile_path
from carepath.apply.run.coercion import CannotCoerce
from carepath.apply.run.put_value import put
from carepath.fhirpath import Environment, Node, parse


def result(path: str, *nodes: Node, kind: str = "ServiceRequest", **start: Any) -> dict[str, Any]:
    target = {"resourceType": kind, **start}
    before = copy.deepcopy(start)
    put(target, compile_path(path, kind), nodes)
    assert start == before
    return {key: value for key, value in target.items() if key != "resourceType"}


def text(value: str) -> Node:
    return Node(value, "System.String")


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("patientInstruction", {"patientInstruction": "x"}),
        ("ServiceRequest.patientInstruction", {"patientInstruction": "x"}),
        ("serviceRequest.patientInstruction", {"patientInstruction": "x"}),
        ("$this.patientInstruction", {"patientInstruction": "x"}),
        ("code", {"code": {"text": "x"}}),
        ("code.text", {"code": {"text": "x"}}),
        ("code.coding.display", {"code": {"coding": [{"display": "x"}]}}),
        ("code.coding[0].display", {"code": {"coding": [{"display": "x"}]}}),
        ("note", {"note": [{"text": "x"}]}),
        ("note[0].text", {"note": [{"text": "x"}]}),
        ("asNeeded", {"asNeededCodeableConcept": {"text": "x"}}),
        ("asNeeded.ofType(CodeableConcept).text", {"asNeededCodeableConcept": {"text": "x"}}),
        ("quantity.unit", {"quantityQuantity": {"unit": "x"}}),
        ("extension('u').value", {"extension": [{"url": "u", "valueString": "x"}]}),
        ('extension("u").valueString', {"extension": [{"url": "u", "valueString": "x"}]}),
        (
            "patientInstruction.extension('u').valueString",
            {"_patientInstruction": {"extension": [{"url": "u", "valueString": "x"}]}},
        ),
        ("subject", {"subject": {"display": "x"}}),
    ],
)
def test_a_text_is_put(path: str, expected: dict[str, Any]) -> None:
    assert result(path, text("x")) == expected


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("", "no path"),
        ("frobnicate", "ServiceRequest has no element `frobnicate`"),
        ("code.frobnicate", "`ServiceRequest.code` has no element `frobnicate`"),
        ("code.where(true)", "not part of a simple path"),
        ("subject.resolve().name", "what a reference leads to"),
        ("asNeeded.ofType(Period)", "never a Period"),
        ("code[1]", "does not repeat"),
        ("note[" + "9" * 5_000 + "].text", "at most 9 digits"),
        ("[0]", "must stand behind"),
    ],
)
def test_a_wrong_path_is_known_before_anything_is_applied(path: str, reason: str) -> None:
    with pytest.raises(UnknownPath) as caught:
        compile_path(path, "ServiceRequest")
    assert caught.value.path == path
    assert reason in caught.value.reason


def test_the_action_is_named_by_a_prefix_or_by_the_lack_of_a_request() -> None:
    assert compile_path("%action.title", "ServiceRequest").of_action
    assert compile_path("action.title", "ServiceRequest").of_action
    assert compile_path("title", "").of_action
    assert not compile_path("action.title", "RequestGroup").of_action


CODING = Node({"system": "s", "code": "c"}, "Coding")
QUANTITY = parse("5 'mg'").evaluate_nodes(PATIENT, Environment(NOW))[0]


@pytest.mark.parametrize(
    ("path", "node", "expected"),
    [
        ("code", CODING, {"code": {"coding": [{"system": "s", "code": "c"}]}}),
        ("occurrence", Node("2026-03-31", "date"), {"occurrenceDateTime": "2026-03-31"}),
        ("occurrencePeriod", Node("2026", "date"), {"occurrencePeriod": {"start": "2026"}}),
        ("occurrenceTiming", Node("2026", "date"), {"occurrenceTiming": {"event": ["2026"]}}),
        ("doNotPerform", Node(True, "System.Boolean"), {"doNotPerform": True}),
        ("patientInstruction", Node(7, "System.Integer"), {"patientInstruction": "7"}),
        ("subject", text("Patient/p"), {"subject": {"reference": "Patient/p"}}),
        ("subject", Node(PATIENT, "Patient"), {"subject": {"reference": "Patient/p"}}),
        (
            "quantity",
            QUANTITY,
            {
                "quantityQuantity": {
                    "value": Decimal(5),
                    "unit": "mg",
                    "system": "http://unitsofmeasure.org",
                    "code": "mg",
                }
            },
        ),
        ("quantityQuantity.value", Node(Decimal("1.50"), "System.Decimal"), None),
        ("priority", text("asap"), {"priority": "asap"}),
    ],
)
def test_values_are_coerced(path: str, node: Node, expected: Any) -> None:
    if expected is None:
        expected = {"quantityQuantity": {"value": Decimal("1.50")}}
    assert result(path, node) == expected


@pytest.mark.parametrize(
    ("path", "nodes"),
    [
        ("priority", [text("soon")]),
        ("doNotPerform", [text("true")]),
        ("authoredOn", [text("tomorrow")]),
        ("occurrencePeriod", [text("soon")]),
        ("quantityQuantity", [text("five")]),
        ("patientInstruction", [text("a"), text("b")]),
        ("patientInstruction", [Node(True, "System.Boolean")]),
        ("code", [Node({"coding": "c"}, "CodeableConcept")]),
        ("note[2].text", [text("x")]),
        ("$this", [Node(PATIENT, "Patient")]),
        ("occurrence", [Node({"unit": 1}, "Quantity")]),
    ],
)
def test_what_does_not_fit_changes_nothing(path: str, nodes: list[Node]) -> None:
    target = {"resourceType": "ServiceRequest", "code": {"text": "old"}}
    with pytest.raises(CannotCoerce):
        put(target, compile_path(path, "ServiceRequest"), nodes)
    assert target == {"resourceType": "ServiceRequest", "code": {"text": "old"}}


def test_only_one_type_of_a_choice_stands() -> None:
    start = {"occurrencePeriod": {"start": "2026"}}
    assert result("occurrenceDateTime", Node("2027", "date"), **start) == {
        "occurrenceDateTime": "2027"
    }


def test_whole_resource_keeps_its_id() -> None:
    node = Node({"resourceType": "ServiceRequest", "id": "x", "status": "active"}, "ServiceRequest")
    assert result("$this", node, id="mine", status="draft") == {"id": "mine", "status": "active"}
