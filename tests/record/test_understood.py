"""What may turn a resource into its contrary: https://hl7.org/fhir/R4/extensibility.html"""

import copy
import json
from typing import Any

import pytest

from carepath.record.understood import not_understood

MODIFIER = [{"url": "http://x.example/not", "valueBoolean": True}]
CARRIES = "carries the modifier extension `http://x.example/not`"


def resource(resource_type: str = "Procedure", **more: Any) -> dict[str, Any]:
    return {"resourceType": resource_type, "status": "completed", **more}


def adherence(*codes: str) -> dict[str, Any]:
    system = "http://hl7.org/fhir/CodeSystem/medication-statement-adherence"
    return {"coding": [{"system": system, "code": code} for code in codes]}


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (resource(modifierExtension=MODIFIER), CARRIES),
        (
            resource("Observation", component=[{}, {"modifierExtension": MODIFIER}]),
            f"{CARRIES} at `component[1]`",
        ),
        (
            resource(extension=[{"extension": [{"modifierExtension": MODIFIER}]}]),
            f"{CARRIES} at `extension[0].extension[0]`",
        ),
        (
            resource(contained=[{"resourceType": "Medication", "modifierExtension": MODIFIER}]),
            f"{CARRIES} at `contained[0]`",
        ),
        (resource(_status={"modifierExtension": MODIFIER}), f"{CARRIES} at `_status`"),
        (resource(text={"modifierExtension": MODIFIER}), f"{CARRIES} at `text`"),
        (resource(modifierExtension=MODIFIER[0]), CARRIES),
        (resource(modifierExtension=[{}]), "carries the modifier extension (no URL)"),
        (resource(modifierExtension="yes"), "carries the modifier extension (no URL)"),
        (resource(modifierExtension={}), "carries the modifier extension (no URL)"),
        (
            resource(implicitRules="http://rules.example"),
            "was written under the implicit rules `http://rules.example`",
        ),
        (
            resource(_implicitRules={"extension": []}),
            "was written under the implicit rules (no value)",
        ),
        (
            resource(contained=["", {"resourceType": "Patient", "implicitRules": "urn:r"}]),
            "was written under the implicit rules `urn:r` at `contained[1]`",
        ),
    ],
)
def test_modifier_extensions_and_implicit_rules_are_told(sent: Any, reason: str) -> None:
    before = copy.deepcopy(sent)
    assert not_understood(sent) == reason
    assert sent == before


@pytest.mark.parametrize(
    ("sent", "element", "version"),
    [
        (resource(notDone=True), "`notDone` = `true`", "STU3"),
        (resource(notDone="false"), '`notDone` = `"false"`', "STU3"),
        (resource(notDone=0), "`notDone` = `0`", "STU3"),
        (resource(_notDone={"extension": []}), "`notDone` = (no value)", "STU3"),
        (resource(notPerformed=True), "`notPerformed` = `true`", "DSTU2"),
        (resource("Condition", abatementBoolean=True), "`abatementBoolean` = `true`", "STU3"),
        (resource("Communication", notDone=True), "`notDone` = `true`", "STU3"),
        (resource("FamilyMemberHistory", notDone=True), "`notDone` = `true`", "STU3"),
        (resource("Immunization", notGiven=True), "`notGiven` = `true`", "STU3"),
        (resource("MedicationAdministration", notGiven=True), "`notGiven` = `true`", "STU3"),
        (resource("MedicationAdministration", wasNotGiven=True), "`wasNotGiven` = `true`", "DSTU2"),
        (resource("MedicationStatement", wasNotTaken=True), "`wasNotTaken` = `true`", "DSTU2"),
        (resource("MedicationStatement", taken="n"), "`taken` = `n`", "STU3"),
        (resource("MedicationStatement", taken="unk"), "`taken` = `unk`", "STU3"),
        (resource("MedicationStatement", taken=True), "`taken` = `true`", "STU3"),
        (
            resource("MedicationStatement", adherence={"code": adherence("not-taking")}),
            "`adherence` = `not-taking`",
            "R5",
        ),
        (
            resource("MedicationStatement", adherence={"code": adherence("unknown")}),
            "`adherence` = `unknown`",
            "R5",
        ),
        (
            resource("MedicationStatement", adherence={"code": {"text": "no"}}),
            '`adherence` = `{"code": {"text": "no"}}`',
            "R5",
        ),
        (
            resource("MedicationStatement", adherence={"code": adherence("taking", "unknown")}),
            f"`adherence` = `{json.dumps({'code': adherence('taking', 'unknown')})[:120]}`",
            "R5",
        ),
        (resource("MedicationStatement", adherence=[]), "`adherence` = `[]`", "R5"),
        (
            resource("MedicationDispense", notPerformedReason={"concept": {}}),
            '`notPerformedReason` = `{"concept": {}}`',
            "R5",
        ),
        (
            resource("ServiceRequest", _doNotPerform={"extension": []}),
            "`doNotPerform` = (no value)",
            "R4",
        ),
        (resource("MedicationRequest", doNotPerform="yes"), "`doNotPerform` = `yes`", "R4"),
        (
            resource("CarePlan", activity=[{"detail": {"_doNotPerform": {"id": "x"}}}]),
            "`activity[0].detail.doNotPerform` = (no value)",
            "R4",
        ),
        (
            {"resourceType": "AllergyIntolerance", "status": "refuted"},
            "`status` = `refuted`",
            "DSTU2",
        ),
        ({"resourceType": "Goal", "status": "rejected"}, "`status` = `rejected`", "STU3"),
        ({"resourceType": "Patient", "animal": {}}, "`animal` = `{}`", "STU3"),
        (
            resource("CarePlan", activity=[{}, {"detail": {"prohibited": True}}]),
            "`activity[1].detail.prohibited` = `true`",
            "STU3",
        ),
        (
            resource(contained=[resource("MedicationStatement", taken="n")]),
            "`contained[0].taken` = `n`",
            "STU3",
        ),
    ],
)
def test_negations_of_all_versions_are_told(sent: Any, element: str, version: str) -> None:
    reason = f"says {element}, an element of FHIR {version} that negates"
    assert not_understood(sent) == reason


@pytest.mark.parametrize(
    "sent",
    [
        resource(),
        resource(modifierExtension=[], _status={"modifierExtension": None}),
        resource(extension=[{"url": "http://x.example/any", "valueString": "modifierExtension"}]),
        resource(implicitRules=None, notDone=None),
        resource(notDone=False, notPerformed=False, wasNotGiven=False),
        resource("MedicationStatement", taken="y", wasNotTaken=False),
        resource("MedicationStatement", adherence={"code": adherence("taking")}),
        resource("MedicationStatement", adherence={"code": adherence("stopped-as-directed")}),
        resource("MedicationStatement", adherence={"code": adherence("on-hold", "on-hold")}),
        resource("Procedure", adherence={"code": adherence("not-taking")}),
        resource("ServiceRequest", doNotPerform=True),
        resource("ServiceRequest", doNotPerform=False, _doNotPerform={"id": "x"}),
        resource("CarePlan", activity=[{"detail": {"doNotPerform": True}}]),
        resource(taken="n"),
        resource("AllergyIntolerance") | {"status": "active"},
        resource("Goal") | {"status": "in-progress"},
        resource("CarePlan", activity=[{"detail": {"prohibited": False}}, "x", {"detail": []}]),
        resource("CarePlan", activity={"detail": {"prohibited": True}}),
        resource(contained={"notDone": True}),
        resource(definition=[{"reference": "PlanDefinition/x"}], reasonNotPerformed=[]),
        {"resourceType": ["Procedure"], "status": {}},
        {},
    ],
)
def test_what_changes_no_meaning_is_understood(sent: Any) -> None:
    assert not_understood(sent) is None


def test_a_long_value_is_cut_in_the_sentence() -> None:
    reason = not_understood(resource(implicitRules="x" * 5000))
    assert reason == f"was written under the implicit rules `{'x' * 120}`"
