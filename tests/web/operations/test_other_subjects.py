"""Plans for a subject that is no Patient, over HTTP.

https://hl7.org/fhir/R4/plandefinition-operation-apply.html
"""

import json
from typing import Any

import pytest
from flask.testing import FlaskClient

from carepath.knowledge import Knowledge
from carepath.web import Config, create_app

Json = dict[str, Any]
NOW = "2026-03-31T09:15:00+04:00"
URL = "https://example.org/fhir"
CLINIC = {"resourceType": "Organization", "id": "c", "name": "Clinic"}
OTHER = {"resourceType": "Organization", "id": "o", "name": "Other"}
GROUP = {"resourceType": "Group", "id": "g", "type": "person", "actual": True}
DEVICE = {"resourceType": "Device", "id": "d"}
PLANS = {"organization": "Organization", "group": "Group", "device": "Device"}


def plan(id_: str, subject: str) -> Json:
    return {
        "resourceType": "PlanDefinition",
        "id": id_,
        "url": f"{URL}/PlanDefinition/{id_}",
        "version": "1",
        "status": "draft",
        "subjectCodeableConcept": {"coding": [{"code": subject}]},
        "action": [{"id": "a", "title": "A"}],
    }


@pytest.fixture
def client() -> FlaskClient:
    plans = [plan(id_, subject) for id_, subject in PLANS.items()]
    return create_app(Config(now=NOW), Knowledge.of(plans)).test_client()


def apply(
    client: FlaskClient, path: str, *data: Json, subjects: tuple[str, ...], **resources: Json
) -> tuple[int, Json]:
    entries = [{"resource": resource} for resource in data]
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": entries}
    parts: list[Json] = [{"name": "data", "resource": bundle}]
    parts += [{"name": "subject", "valueString": subject} for subject in subjects]
    parts += [{"name": name, "resource": value} for name, value in resources.items()]
    body = {"resourceType": "Parameters", "parameter": parts}
    response = client.post(f"/fhir/PlanDefinition/{path}", json=body)
    return response.status_code, json.loads(response.data)


def told(answer: Json) -> list[str]:
    outcomes = [r for r in answer.get("contained", [answer]) if "issue" in r]
    return [issue["diagnostics"] for outcome in outcomes for issue in outcome["issue"]]


def test_several_subjects_have_a_bundle_each(client: FlaskClient) -> None:
    subjects = ("Organization/c", "Organization/o")
    status, answer = apply(client, "organization/$r5.apply", CLINIC, OTHER, subjects=subjects)
    assert status == 200, answer
    groups = [part["resource"]["entry"][0]["resource"] for part in answer["parameter"]]
    assert [group["subject"]["display"] for group in groups] == list(subjects)


@pytest.mark.parametrize(
    ("plan_id", "subject", "data", "status", "said"),
    [
        ("group", "Group/g", {**GROUP, "type": 7}, 422, "`Group/g` cannot be read"),
        ("group", "Group/x", GROUP, 404, "`Group/x`"),
        ("device", "Device/d", {**DEVICE, "status": "entered-in-error"}, 400, "entered in error"),
        ("group", "Organization/c", CLINIC, 422, "for a subject of type Group, not Organ"),
        ("group", "Medication/m", {"resourceType": "Medication", "id": "m"}, 400, "or Group"),
    ],
)
def test_a_subject_that_cannot_be_taken_is_refused(
    client: FlaskClient, plan_id: str, subject: str, data: Json, status: int, said: str
) -> None:
    found, outcome = apply(client, f"{plan_id}/$apply", data, CLINIC, subjects=(subject,))
    assert (found, outcome["resourceType"]) == (status, "OperationOutcome")
    assert said in outcome["issue"][0]["diagnostics"]


@pytest.mark.parametrize("state", [{"active": False}, {"active": True}])
def test_a_subject_that_is_not_in_use_is_told(client: FlaskClient, state: Json) -> None:
    group = {**GROUP, **state}
    status, answer = apply(client, "group/$apply", group, subjects=("Group/g",))
    wanted = [] if state["active"] else ["`Group/g` is marked as not in use."]
    assert (status, told(answer)) == (200, wanted)


@pytest.mark.parametrize(("subject", "status"), [("Organization/c", 200), ("Organization/o", 400)])
def test_an_earlier_plan_is_compared_for_the_same_subject_only(
    client: FlaskClient, subject: str, status: int
) -> None:
    data = (CLINIC, OTHER)
    _, earlier = apply(client, "organization/$apply", *data, subjects=("Organization/c",))
    found, answer = apply(
        client, "organization/$apply", *data, subjects=(subject,), previousPlan=earlier
    )
    assert (found, "Still open: A" in json.dumps(answer)) == (status, status == 200)


def test_a_data_endpoint_is_read_for_patients_only() -> None:
    config = Config(now=NOW, data_endpoint_hosts=("127.0.0.1:1",))
    client = create_app(config, Knowledge.of([plan("organization", "Organization")])).test_client()
    endpoint = {
        "resourceType": "Endpoint",
        "status": "active",
        "connectionType": {"code": "hl7-fhir-rest"},
        "payloadType": [{"text": "any"}],
        "address": "http://127.0.0.1:1/fhir",
    }
    path, subjects = "organization/$apply", ("Organization/c",)
    status, outcome = apply(client, path, CLINIC, subjects=subjects, dataEndpoint=endpoint)
    assert status == 400
    assert "Patient/123" in outcome["issue"][0]["diagnostics"]
