"""The answer of `$apply` as a transaction that any FHIR server takes.

https://hl7.org/fhir/R4/http.html#transaction
"""

import json
from datetime import datetime
from typing import Any

import pytest
from flask.testing import FlaskClient

from carepath.knowledge import Knowledge
from carepath.validation import validate
from carepath.web import Config, create_app

Json = dict[str, Any]
NOW = "2026-03-31T09:15:00+04:00"
URL = "https://example.org/fhir"
PATIENT = {"resourceType": "Patient", "id": "p"}
DRUG = {"resourceType": "Medication", "id": "drug", "code": {"text": "Drug"}}
QUESTIONS = {"resourceType": "Questionnaire", "id": "q", "status": "draft"}


def activity(id_: str, kind: str, **more: Any) -> Json:
    return {
        "resourceType": "ActivityDefinition",
        "id": id_,
        "url": f"{URL}/ActivityDefinition/{id_}",
        "status": "draft",
        "kind": kind,
        **more,
    }


def action(id_: str, definition: str, **more: Any) -> Json:
    return {"id": id_, "title": id_, "definitionCanonical": definition, **more}


DEFINITIONS = [
    activity("scan", "ServiceRequest", code={"text": "Scan"}),
    activity(
        "give", "MedicationRequest", productReference={"reference": "#drug"}, contained=[DRUG]
    ),
    {
        "resourceType": "PlanDefinition",
        "id": "plan",
        "url": f"{URL}/PlanDefinition/plan",
        "version": "1",
        "status": "draft",
        "contained": [QUESTIONS],
        "goal": [{"id": "g", "description": {"text": "G"}}],
        "action": [
            action("a", f"{URL}/ActivityDefinition/scan", goalId=["g"]),
            action("b", f"{URL}/ActivityDefinition/give"),
            action("c", "#q"),
            action("d", f"{URL}/ActivityDefinition/nowhere"),
            {"id": "e", "title": "e", "action": [action("f", f"{URL}/Questionnaire/here")]},
        ],
    },
    {
        "resourceType": "Questionnaire",
        "id": "here",
        "url": f"{URL}/Questionnaire/here",
        "status": "draft",
    },
    {
        "resourceType": "PlanDefinition",
        "id": "outer",
        "url": f"{URL}/PlanDefinition/outer",
        "version": "1",
        "status": "draft",
        "action": [action("o", f"{URL}/PlanDefinition/plan")],
    },
]


@pytest.fixture
def client() -> FlaskClient:
    return create_app(Config(now=NOW), Knowledge.of(DEFINITIONS)).test_client()


def apply(client: FlaskClient, form: str, operation: str = "$apply") -> tuple[int, Json]:
    data = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": PATIENT}]}
    parts = [{"name": "data", "resource": data}, {"name": "returnAs", "valueCode": form}]
    body = json.dumps({"resourceType": "Parameters", "parameter": parts})
    url = f"/fhir/PlanDefinition/plan/{operation}"
    response = client.post(url, data=body, content_type="application/fhir+json")
    return response.status_code, json.loads(response.data)


def apart(client: FlaskClient, form: str) -> Json:
    """Return the answer for the outer plan, in which the nested one keeps its CarePlan."""
    query = {"mergeNestedCarePlans": "false", "returnAs": form}
    data = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": PATIENT}]}
    url = "/fhir/PlanDefinition/outer/$apply"
    response = client.post(url, query_string=query, json=data)
    assert response.status_code == 200, response.data
    answer: Json = json.loads(response.data)
    return answer


def references(value: Any) -> list[str]:
    if isinstance(value, dict):
        own = [value["reference"]] if isinstance(value.get("reference"), str) else []
        return own + [r for item in value.values() for r in references(item)]
    return [r for item in value for r in references(item)] if isinstance(value, list) else []


def test_each_part_is_created_once(client: FlaskClient) -> None:
    status, bundle = apply(client, "transaction")
    assert (status, bundle["resourceType"], bundle["type"]) == (200, "Bundle", "transaction")
    kinds = [entry["resource"]["resourceType"] for entry in bundle["entry"]]
    assert kinds[:2] == ["CarePlan", "RequestGroup"]
    assert sorted(kinds[2:]) == [
        "Goal",
        "Medication",
        "MedicationRequest",
        "Questionnaire",
        "ServiceRequest",
    ]
    for entry in bundle["entry"]:
        identifier = {"system": "urn:ietf:rfc:3986", "value": entry["fullUrl"]}
        assert identifier in entry["resource"]["identifier"]
        assert entry["request"] == {
            "method": "POST",
            "url": entry["resource"]["resourceType"],
            "ifNoneExist": f"identifier=urn:ietf:rfc:3986|{entry['fullUrl']}",
        }


def test_references_are_by_uuid_and_lead_somewhere(client: FlaskClient) -> None:
    _, bundle = apply(client, "transaction")
    urls = [entry["fullUrl"] for entry in bundle["entry"]]
    found = {r for entry in bundle["entry"] for r in references(entry["resource"])}
    assert found - set(urls) == {"Patient/p", "#issues"}
    assert len(set(urls)) == len(urls)
    plan = bundle["entry"][0]["resource"]
    assert [r["resourceType"] for r in plan["contained"]] == ["OperationOutcome"]
    assert plan["goal"][0]["reference"] in urls


def test_a_questionnaire_of_this_service_is_named_by_its_canonical(client: FlaskClient) -> None:
    """Another server does not have it under our id."""
    _, stored = apply(client, "transaction")
    group = stored["entry"][1]["resource"]
    own = {"system": "urn:ietf:rfc:3986", "value": f"{URL}/Questionnaire/here"}
    named = {"type": "Questionnaire", "identifier": own, "display": "f"}
    assert group["action"][-1]["action"][0]["resource"] == named
    _, contained = apply(client, "contained")
    group = next(r for r in contained["contained"] if r["resourceType"] == "RequestGroup")
    resource = group["action"][-1]["action"][0]["resource"]
    assert resource == {**named, "reference": "Questionnaire/here"}


def test_nested_care_plans_are_entries_of_their_own(client: FlaskClient) -> None:
    bundle = apart(client, "transaction")
    urls = {entry["fullUrl"]: entry["resource"]["resourceType"] for entry in bundle["entry"]}
    found = {r for entry in bundle["entry"] for r in references(entry["resource"])}
    assert found - set(urls) == {"Patient/p", "#issues"}
    kinds = list(urls.values())
    assert kinds[:4] == ["CarePlan", "RequestGroup", "CarePlan", "RequestGroup"]
    nested = bundle["entry"][2]["resource"]
    assert nested["partOf"] == [{"reference": bundle["entry"][0]["fullUrl"]}]
    assert nested["identifier"] == [
        {"system": "urn:ietf:rfc:3986", "value": bundle["entry"][2]["fullUrl"]}
    ]


def test_a_nested_care_plan_is_contained_and_part_of_its_container(client: FlaskClient) -> None:
    answer = apart(client, "contained")
    nested = [r for r in answer["contained"] if r["resourceType"] == "CarePlan"]
    assert [(plan["partOf"], len(plan["goal"])) for plan in nested] == [([{"reference": "#"}], 1)]
    assert "goal" not in answer
    told = validate(answer, definitions=Knowledge.shipped(), now=datetime.fromisoformat(NOW))
    assert [issue for issue in told if issue.is_error] == []


def test_an_earlier_plan_with_nested_ones_is_understood(client: FlaskClient) -> None:
    earlier = apart(client, "contained")
    data = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": PATIENT}]}
    parts = [{"name": "data", "resource": data}, {"name": "previousPlan", "resource": earlier}]
    body = {"resourceType": "Parameters", "parameter": parts}
    response = client.post("/fhir/PlanDefinition/outer/$apply", json=body)
    page = json.loads(response.data)["text"]["div"]
    assert response.status_code == 200
    assert "Still open: " in page
    assert ("New: " in page, "Ended: " in page) == (False, False)


def test_an_earlier_plan_that_leads_to_itself_ends(client: FlaskClient) -> None:
    earlier = apart(client, "contained")
    nested = next(r for r in earlier["contained"] if r["resourceType"] == "CarePlan")
    name = nested["activity"][0]["reference"]["reference"].removeprefix("#")
    group = next(r for r in earlier["contained"] if r["id"] == name)
    group["action"] = [{"title": "again", "resource": {"reference": f"#{nested['id']}"}}]
    data = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": PATIENT}]}
    parts = [{"name": "data", "resource": data}, {"name": "previousPlan", "resource": earlier}]
    body = {"resourceType": "Parameters", "parameter": parts}
    response = client.post("/fhir/PlanDefinition/outer/$apply", json=body)
    assert (response.status_code, b"Ended: " in response.data) == (200, True)


def test_the_same_input_gives_the_same_ids(client: FlaskClient) -> None:
    assert apply(client, "transaction") == apply(client, "transaction")


def test_a_transaction_is_valid(client: FlaskClient) -> None:
    _, bundle = apply(client, "transaction")
    told = validate(bundle, definitions=Knowledge.shipped(), now=datetime.fromisoformat(NOW))
    assert [issue for issue in told if issue.is_error] == []


def test_contained_is_the_answer_of_always(client: FlaskClient) -> None:
    status, plan = apply(client, "contained")
    assert (status, plan["resourceType"]) == (200, "CarePlan")


@pytest.mark.parametrize(("form", "operation"), [("batch", "$apply"), ("transaction", "$r5.apply")])
def test_another_form_is_refused(client: FlaskClient, form: str, operation: str) -> None:
    status, outcome = apply(client, form, operation)
    assert (status, outcome["resourceType"]) == (400, "OperationOutcome")
    assert "returnAs" in outcome["issue"][0]["diagnostics"]
