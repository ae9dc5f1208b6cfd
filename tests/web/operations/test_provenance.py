"""Where an answer comes from, over HTTP: in each form of it, with the id of the request.

https://hl7.org/fhir/R4/provenance.html
"""

import json
from datetime import datetime
from hashlib import sha256
from importlib.metadata import version
from typing import Any

import pytest
from flask.testing import FlaskClient

from carepath.knowledge import Knowledge
from carepath.validation import validate
from carepath.web import Config, create_app

Json = dict[str, Any]
NOW = "2026-03-31T09:15:00+04:00"
HASH = "https://carepath.example/fhir/StructureDefinition/content-hash"
OWN = "https://carepath.example/fhir"
SCAN: Json = {
    "resourceType": "ActivityDefinition",
    "id": "scan",
    "url": "https://example.org/fhir/ActivityDefinition/scan",
    "status": "draft",
    "kind": "ServiceRequest",
    "code": {"text": "Scan"},
}
PLAN: Json = {
    "resourceType": "PlanDefinition",
    "id": "plan",
    "url": "https://example.org/fhir/PlanDefinition/plan",
    "version": "1",
    "status": "draft",
    "goal": [{"id": "g", "description": {"text": "G"}}],
    "action": [{"id": "a", "title": "A", "goalId": ["g"], "definitionCanonical": SCAN["url"]}],
}
JANE: Json = {"resourceType": "Patient", "id": "jane", "gender": "female"}
JOHN: Json = {"resourceType": "Patient", "id": "john", "gender": "male"}
HEADERS = {"X-Request-Id": "request-1"}


@pytest.fixture
def knowledge() -> Knowledge:
    return Knowledge.of([PLAN, SCAN])


@pytest.fixture
def client(knowledge: Knowledge) -> FlaskClient:
    return create_app(Config(now=NOW), knowledge).test_client()


def asked(client: FlaskClient, operation: str, *patients: Json, **given: Any) -> Any:
    """Return the answer of an operation for patients."""
    entries = [{"resource": patient} for patient in patients]
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": entries}
    parameters = [
        {"name": "data", "resource": bundle},
        *({"name": "subject", "valueString": f"Patient/{p['id']}"} for p in patients),
        *({"name": n, "value" + kind: v} for n, (kind, v) in given.items()),
    ]
    body = {"resourceType": "Parameters", "parameter": parameters}
    return client.post(f"/fhir/PlanDefinition/plan/{operation}", json=body, headers=HEADERS)


def inside(answer: Json) -> Json:
    """Return the Provenance of an answer."""
    resources = [*answer.get("contained", ()), *(e["resource"] for e in answer.get("entry", ()))]
    (found,) = [r for r in resources if r["resourceType"] == "Provenance"]
    return found


def hashed(resource: Json) -> list[Json]:
    text = json.dumps(resource, sort_keys=True, separators=(",", ":"))
    return [{"url": HASH, "valueString": f"sha-256:{sha256(text.encode()).hexdigest()}"}]


def expected(patient: Json, knowledge: Knowledge, targets: list[str]) -> Json:
    part = "http://terminology.hl7.org/CodeSystem/provenance-participant-type"
    release = version("carepath")
    canonical = {"system": "urn:ietf:rfc:3986", "value": f"{PLAN['url']}|1"}
    plan = {"extension": hashed(PLAN), "type": "PlanDefinition", "identifier": canonical}
    content = {"system": f"{OWN}/content-fingerprint", "value": knowledge.fingerprint}
    data = {
        "extension": hashed(patient),
        "reference": f"Patient/{patient['id']}",
        "type": "Patient",
    }
    request = {"system": f"{OWN}/request-id", "value": "request-1"}
    return {
        "resourceType": "Provenance",
        "target": [{"reference": target} for target in targets],
        "recorded": NOW,
        "agent": [
            {
                "type": {"coding": [{"system": part, "code": "assembler", "display": "Assembler"}]},
                "who": {
                    "type": "Device",
                    "identifier": {"system": f"{OWN}/software-version", "value": release},
                    "display": f"Carepath {release}",
                },
            }
        ],
        "entity": [
            {"role": "derivation", "what": plan},
            {"role": "derivation", "what": {"identifier": content, "display": "All definitions"}},
            {"role": "source", "what": data},
            {"role": "source", "what": {"identifier": request, "display": "The request"}},
        ],
    }


def errors(answer: Json) -> list[Any]:
    moment = datetime.fromisoformat(NOW)
    found = validate(answer, definitions=Knowledge.shipped(), now=moment)
    return [issue for issue in found if issue.is_error]


def test_a_care_plan_contains_it(client: FlaskClient, knowledge: Knowledge) -> None:
    answer = asked(client, "$apply", JANE, provenance=("Boolean", True)).json
    targets = ["#", "#request-group", "#scan", "#goal-g"]
    assert inside(answer) == expected(JANE, knowledge, targets) | {"id": "provenance"}
    assert errors(answer) == []


def test_a_transaction_creates_it_with_the_rest(client: FlaskClient, knowledge: Knowledge) -> None:
    given = {"provenance": ("Boolean", True), "returnAs": ("Code", "transaction")}
    answer = asked(client, "$apply", JANE, **given).json
    made = [e["fullUrl"] for e in answer["entry"] if e["resource"]["resourceType"] != "Provenance"]
    assert inside(answer) == expected(JANE, knowledge, made)
    assert answer["entry"][-1]["request"] == {"method": "POST", "url": "Provenance"}
    assert errors(answer) == []


def test_each_bundle_has_its_own(client: FlaskClient, knowledge: Knowledge) -> None:
    answer = asked(client, "$r5.apply", JANE, JOHN, provenance=("Boolean", True)).json
    bundles = [part["resource"] for part in answer["parameter"]]
    for bundle, patient in zip(bundles, (JANE, JOHN), strict=True):
        found = inside(bundle)
        urls = [e["fullUrl"] for e in bundle["entry"] if e["resource"] is not found]
        whole = expected(patient, knowledge, urls) | {"id": found["id"]}
        assert found == whole
        assert errors(bundle) == []


def test_the_same_request_has_the_same_bytes(client: FlaskClient) -> None:
    first, second = (asked(client, "$apply", JANE, provenance=("Boolean", True)) for _ in range(2))
    assert first.data == second.data


def test_what_the_layout_of_the_data_says_is_not_hashed(client: FlaskClient) -> None:
    turned = dict(reversed(JANE.items()))
    first, second = (
        inside(asked(client, "$apply", patient, provenance=("Boolean", True)).json)
        for patient in (JANE, turned)
    )
    assert first == second


@pytest.mark.parametrize(("text", "count"), [("true", 1), ("false", 0)])
def test_it_may_be_asked_for_in_the_url(client: FlaskClient, text: str, count: int) -> None:
    url = f"/fhir/PlanDefinition/plan/$apply?provenance={text}"
    contained = client.post(url, json=JANE).json["contained"]
    assert [r["resourceType"] for r in contained].count("Provenance") == count


def test_a_sent_plan_without_a_url_is_named_as_it_can_be(client: FlaskClient) -> None:
    plan = {"resourceType": "PlanDefinition", "id": "mine", "status": "draft"}
    data = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": JANE}]}
    parts = [{"name": "planDefinition", "resource": plan}, {"name": "data", "resource": data}]
    body = {"resourceType": "Parameters", "parameter": parts}
    answer = client.post("/fhir/PlanDefinition/$apply?provenance=true", json=body).json
    what = {"extension": hashed(plan), "type": "PlanDefinition", "display": "PlanDefinition/mine"}
    assert inside(answer)["entity"][0] == {"role": "derivation", "what": what}
    assert errors(answer) == []


def test_what_was_sent_without_a_name_is_told_by_its_hash(client: FlaskClient) -> None:
    patient = {"resourceType": "Patient", "gender": "female"}
    answer = client.post("/fhir/PlanDefinition/plan/$apply?provenance=true", json=patient).json
    what = {"extension": hashed(patient), "display": "sent without a name", "type": "Patient"}
    assert inside(answer)["entity"][2] == {"role": "source", "what": what}
    assert errors(answer) == []


def test_anything_but_true_and_false_is_refused(client: FlaskClient) -> None:
    answer = asked(client, "$apply", JANE, provenance=("String", "yes"))
    assert answer.status_code == 400
    assert "provenance" in answer.json["issue"][0]["diagnostics"]
