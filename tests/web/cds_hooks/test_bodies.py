"""What may stand in a body: broken, hostile and odd input is 4xx with a clear OperationOutcome."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from flask.testing import FlaskClient

from carepath.knowledge import Knowledge
from carepath.validation import cds_hooks_issues
from carepath.web import Config, create_app

CALL = "/cds-services/falls-patient-view"
DOORS = (CALL, f"{CALL}/feedback")
CASES = sorted((Path(__file__).parent / "cases").glob("*.json"))
SCHEMAS = Path(__file__).parents[3] / "fhir_profiles/schemas"
BAD: tuple[tuple[bytes, str, int], ...] = (
    (b"", "application/json", 400),
    (b"  ", "application/json", 400),
    (b"{", "application/json", 400),
    (b"\xff\xfe{}", "application/json", 400),
    (b'{"hook": NaN}', "application/json", 400),
    (b'{"hook": "a", "hook": "b"}', "application/json", 400),
    (b"[" * 100_000, "application/json", 400),
    (b'{"a":' * 100 + b"1" + b"}" * 100, "application/json", 400),
    (b"null", "application/json", 400),
    (b'"patient-view"', "application/json", 400),
    (b"1e999999", "application/json", 400),
    (b"{}", "text/plain", 415),
    (b"{}", "application/x-www-form-urlencoded", 415),
    (b"<a/>", "application/fhir+xml", 415),
    (b"{}", "", 415),
)


def refused(answer: Any, status: int) -> list[dict[str, Any]]:
    """Return the issues of an answer that refuses."""
    assert answer.status_code == status, answer.data
    assert answer.content_type == "application/fhir+json; charset=utf-8"
    outcome = json.loads(answer.data)
    assert outcome["resourceType"] == "OperationOutcome"
    assert all(issue["diagnostics"].endswith(".") for issue in outcome["issue"])
    issues: list[dict[str, Any]] = outcome["issue"]
    return issues


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize(("data", "content_type", "status"), BAD)
def test_a_body_that_is_none_is_refused(
    ehr: FlaskClient, door: str, data: bytes, content_type: str, status: int
) -> None:
    headers = {"Accept": "application/json"}
    headers |= {"Content-Type": content_type} if content_type else {}
    refused(ehr.post(door, data=data, headers=headers), status)


@pytest.mark.parametrize("door", DOORS)
def test_other_methods_are_refused(ehr: FlaskClient, door: str) -> None:
    for method in (ehr.get, ehr.put, ehr.delete, ehr.patch):
        refused(method(door), 405)


@pytest.mark.parametrize(
    "name",
    ["", "falls", "falls-patient-view/other", "%00", "..%2f..", "a" * 200, "falls-patient-VIEW"],
)
def test_there_is_no_such_service(ehr: FlaskClient, name: str) -> None:
    answer = ehr.post(f"/cds-services/{name}", json={})
    # Without a name it is discovery, which takes no POST.
    refused(answer, 404 if name else 405)


ODD: tuple[Any, ...] = (None, True, 0, -1.5, "", "x", [], [[]], {}, {"resourceType": 3}, [None])


def placed(name: str, odd: Any) -> dict[str, Any]:
    """Return a request with something odd in one place."""
    case = json.loads((CASES[0].parent / "draft-order-warned-of.json").read_text("utf-8"))
    request: dict[str, Any] = case["request"]
    at: Any = request
    *steps, last = name.split("/")
    for step in steps:
        at = at[int(step) if step.isdigit() else step]
    at[int(last) if last.isdigit() else last] = odd
    return request


PLACES = (
    "hook",
    "hookInstance",
    "fhirServer",
    "fhirAuthorization",
    "context",
    "context/userId",
    "context/patientId",
    "context/encounterId",
    "context/selections",
    "context/draftOrders",
    "context/draftOrders/entry",
    "context/draftOrders/entry/0",
    "context/draftOrders/entry/0/resource",
    "context/draftOrders/entry/0/resource/id",
    "context/draftOrders/entry/0/resource/status",
    "context/draftOrders/entry/0/fullUrl",
    "prefetch",
    "prefetch/patient",
    "prefetch/patient/id",
    "prefetch/condition",
    "prefetch/condition/entry",
    "prefetch/condition/entry/0",
    "prefetch/condition/entry/0/resource",
    "prefetch/condition/entry/0/resource/subject",
    "prefetch/condition/link",
    "extension",
)


@pytest.mark.parametrize("name", PLACES)
def test_odd_values_break_nothing(ehr: FlaskClient, name: str) -> None:
    for odd in ODD:
        answer = ehr.post("/cds-services/falls-order-sign", json=placed(name, odd))
        if answer.status_code != 200:
            assert answer.status_code in (400, 412), (name, odd, answer.data)
            refused(answer, answer.status_code)


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_two_libraries_agree_on_the_form(path: Path) -> None:
    request = json.loads(path.read_text("utf-8"))["request"]
    schema = json.loads((SCHEMAS / "cds-hooks-request.schema.json").read_text("utf-8"))
    accepted = jsonschema.Draft202012Validator(schema).is_valid(request)
    assert accepted == (cds_hooks_issues(request, "request") == ())


def test_many_faults_are_told_up_to_a_bound() -> None:
    body = {"feedback": [{} for _ in range(500)]}
    assert len(cds_hooks_issues(body, "feedback")) == 50


def test_a_secret_is_never_told(ehr: FlaskClient) -> None:
    request = placed("fhirAuthorization", {"access_token": "s3cr\u00e9t t", "token_type": "Bearer"})
    request["fhirServer"] = "https://ehr.example/fhir"
    del request["prefetch"]
    answer = ehr.post("/cds-services/falls-order-sign", json=request)
    issues = refused(answer, 400)
    assert issues[0]["expression"] == ["fhirAuthorization.access_token"]
    assert b"s3cr" not in answer.data


def test_entries_have_a_limit(small_content: Knowledge, bundle: Callable[..., Any]) -> None:
    client = create_app(Config(max_entries=3), small_content).test_client()
    request = placed("hook", "order-sign")
    refused(client.post("/cds-services/falls-order-sign", json=request), 413)


@pytest.mark.parametrize("door", DOORS)
def test_a_call_waits_for_its_turn(small_content: Knowledge, door: str) -> None:
    client = create_app(Config(max_applications=1, queue_seconds=0), small_content).test_client()
    with client.application.extensions["carepath"].gate.turn():
        answer = client.post(door, json={})
    assert refused(answer, 503)[0]["code"] == "transient"
    assert answer.headers["Retry-After"] == "2"
    refused(client.post(door, json={}), 400)


def test_a_call_has_an_end(small_content: Knowledge) -> None:
    client = create_app(Config(request_seconds=0.000_001), small_content).test_client()
    answer = client.post("/cds-services/falls-order-sign", json=placed("hook", "order-sign"))
    assert refused(answer, 422)[0]["code"] == "too-costly"


def test_the_same_call_gives_the_same_bytes(ehr: FlaskClient) -> None:
    request = placed("hook", "order-sign")
    answers = {ehr.post("/cds-services/falls-order-sign", json=request).data for _ in range(3)}
    assert len(answers) == 1


def test_another_call_has_cards_of_its_own(ehr: FlaskClient) -> None:
    found = [
        json.loads(
            ehr.post("/cds-services/falls-order-sign", json=placed("hookInstance", instance)).data
        )["cards"][0]["uuid"]
        for instance in ("one", "two")
    ]
    assert len(set(found)) == 2
