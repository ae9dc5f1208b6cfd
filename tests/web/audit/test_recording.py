"""Which requests are written down, what of them, and what happens where that fails."""

import hmac
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from carepath.knowledge import Knowledge
from carepath.validation import validate
from carepath.web import Config, create_app
from carepath.web.audit.event import PSEUDONYM
from carepath.web.authorisation.credentials import kept_token
from carepath.web.config import InvalidConfiguration

NOW = "2026-03-31T09:15:00+04:00"
APPLY = "/fhir/PlanDefinition/walk/$apply"
WALK = "https://example.org/fhir/PlanDefinition/walk|1.0.0"
HEADERS = {"X-Request-Id": "request-1"}
JANE = {"resourceType": "Patient", "id": "jane", "gender": "female", "name": [{"text": "Jane Doe"}]}
JOHN = {"resourceType": "Patient", "id": "john", "gender": "male"}


def bundle(*resources: dict[str, Any]) -> dict[str, Any]:
    entries = [{"resource": resource} for resource in resources]
    return {"resourceType": "Bundle", "type": "collection", "entry": entries}


@pytest.fixture
def service(tmp_path: Path, knowledge: Knowledge) -> Callable[..., FlaskClient]:
    def make(**settings: Any) -> FlaskClient:
        given = {"audit_file": str(tmp_path / "audit"), "now": NOW, **settings}
        return create_app(Config(**given), knowledge).test_client()

    return make


def events(tmp_path: Path) -> list[dict[str, Any]]:
    file = tmp_path / "audit"
    lines = file.read_text("utf-8").splitlines() if file.exists() else []
    return [json.loads(line)["event"] for line in lines]


def named(event: dict[str, Any]) -> list[Any]:
    """Return whom and what an event names, the request id left out."""
    return [entity["what"] for entity in event["entity"][:-1]]


def test_an_application_is_written_down_without_data(
    service: Callable[..., FlaskClient], tmp_path: Path
) -> None:
    answer = service().post(APPLY, json=bundle(JANE), headers=HEADERS)
    assert answer.status_code == 200
    (event,) = events(tmp_path)
    assert event == {
        "resourceType": "AuditEvent",
        "type": {
            "system": "http://terminology.hl7.org/CodeSystem/audit-event-type",
            "code": "rest",
            "display": "RESTful Operation",
        },
        "subtype": [{"system": "http://hl7.org/fhir/restful-interaction", "code": "operation"}],
        "action": "E",
        "recorded": NOW,
        "outcome": "0",
        "outcomeDesc": "$apply: status 200",
        "agent": [
            {
                "name": "not known",
                "requestor": True,  # codespell:ignore requestor
                "network": {"address": "127.0.0.1", "type": "2"},
            }
        ],
        "source": {"observer": {"display": "Carepath"}},
        "entity": [
            {
                "what": {"reference": "Patient/jane"},
                "type": {
                    "system": "http://terminology.hl7.org/CodeSystem/audit-entity-type",
                    "code": "1",
                    "display": "Person",
                },
                "role": {
                    "system": "http://terminology.hl7.org/CodeSystem/object-role",
                    "code": "1",
                    "display": "Patient",
                },
            },
            {
                "what": {"identifier": {"system": "urn:ietf:rfc:3986", "value": WALK}},
                "type": {
                    "system": "http://terminology.hl7.org/CodeSystem/audit-entity-type",
                    "code": "2",
                    "display": "System Object",
                },
            },
            {
                "what": {"identifier": {"value": "request-1"}},
                "type": {
                    "system": "https://profiles.ihe.net/ITI/BALP/CodeSystem/BasicAuditEntityType",
                    "code": "XrequestId",
                },
            },
        ],
    }
    assert [i for i in validate(event, definitions=Knowledge.shipped()) if i.is_error] == []
    assert "Jane Doe" not in (tmp_path / "audit").read_text("utf-8")


def test_with_a_key_patients_have_no_reference(
    service: Callable[..., FlaskClient], tmp_path: Path
) -> None:
    key = b"k" * 32
    (tmp_path / "key").write_bytes(key + b"\n")
    client = service(audit_key=str(tmp_path / "key"))
    for _ in range(2):
        client.post(APPLY, json=bundle(JANE))
    value = hmac.new(key, b"Patient/jane", "sha256").hexdigest()
    first, second = events(tmp_path)
    assert named(first)[0] == named(second)[0]
    assert named(first)[0] == {"identifier": {"system": PSEUDONYM, "value": value}}
    assert "jane" not in (tmp_path / "audit").read_text("utf-8")


@pytest.mark.parametrize(
    ("path", "body", "told"),
    [
        ("/fhir/PlanDefinition/none/$apply", bundle(JANE), "4 $apply: status 404"),
        (APPLY, {"resourceType": "Bundle"}, "4 $apply: status 400"),
        ("/fhir/Patient/$validate", JANE, "0 $validate: status 200"),
        ("/fhirpath", {}, "4 POST /fhirpath: status 415"),
    ],
)
def test_what_is_refused_and_what_names_nobody_is_written_down_too(
    service: Callable[..., FlaskClient], tmp_path: Path, path: str, body: Any, told: str
) -> None:
    service().post(path, json=body)
    (event,) = events(tmp_path)
    assert (f"{event['outcome']} {event['outcomeDesc']}", named(event)) == (told, [])


def test_who_asks_is_told_and_who_may_not(
    service: Callable[..., FlaskClient], tmp_path: Path
) -> None:
    engine = {"id": "engine", "token": kept_token("secret"), "scopes": "system/PlanDefinition.r"}
    registry = tmp_path / "registry.json"
    registry.write_text(json.dumps({"clients": [engine]}), "utf-8")
    client = service(authorisation=str(registry), base_url="https://pathways.example/fhir")
    for token in ("secret", "wrong"):
        client.post(APPLY, json=bundle(JANE), headers={"Authorization": f"Bearer {token}"})
    told = [(event["outcomeDesc"], event["agent"][0]) for event in events(tmp_path)]
    network = {"address": "127.0.0.1", "type": "2"}
    here = {"requestor": True, "network": network}  # codespell:ignore requestor
    assert told == [
        ("$apply: status 200", {"who": {"display": "engine"}, **here}),
        ("$apply: status 401", {"name": "not known", **here}),
    ]


def test_many_patients_are_all_named(service: Callable[..., FlaskClient], tmp_path: Path) -> None:
    answer = service().post("/fhir/$apply-pathways", json=bundle(JANE, JOHN))
    assert answer.status_code == 200
    (event,) = events(tmp_path)
    references = [what["reference"] for what in named(event) if "reference" in what]
    assert references == ["Patient/jane", "Patient/john"]
    assert {"identifier": {"system": "urn:ietf:rfc:3986", "value": WALK}} in named(event)


def test_each_entry_of_a_batch_and_the_batch(
    service: Callable[..., FlaskClient], tmp_path: Path
) -> None:
    request = {"method": "POST", "url": "PlanDefinition/walk/$apply"}
    read = {"method": "GET", "url": "PlanDefinition/walk"}
    entries = [{"request": request, "resource": bundle(JANE)}, {"request": read}]
    batch = {"resourceType": "Bundle", "type": "batch", "entry": entries}
    assert service().post("/fhir", json=batch).status_code == 200
    first, second = events(tmp_path)
    assert (first["outcomeDesc"], named(first)[0]) == (
        "$apply: status 200",
        {"reference": "Patient/jane"},
    )
    assert (second["outcomeDesc"], second["subtype"][0]["code"]) == (
        "POST /fhir: status 200",
        "batch",
    )


@pytest.mark.parametrize(
    "path", ["/fhir/metadata", "/fhir/PlanDefinition/walk", "/", "/try", "/healthz", "/nothing"]
)
def test_what_is_about_no_patient_is_not(
    service: Callable[..., FlaskClient], tmp_path: Path, path: str
) -> None:
    service().get(path, headers={"Accept": "text/html"})
    assert events(tmp_path) == []


def broken(tmp_path: Path) -> None:
    """Make the trail one that cannot be written."""
    (tmp_path / "audit").mkdir()


def test_what_cannot_be_written_is_not_answered(
    service: Callable[..., FlaskClient], tmp_path: Path
) -> None:
    broken(tmp_path)
    answer = service().post(APPLY, json=bundle(JANE), headers=HEADERS)
    assert (answer.status_code, answer.headers["X-Request-Id"]) == (503, "request-1")
    assert answer.json["issue"] == [
        {
            "severity": "error",
            "code": "transient",
            "diagnostics": "The audit trail cannot be written, so nothing is answered; "
            "try again later.",
        }
    ]
    assert service().get("/fhir/PlanDefinition/walk").status_code == 200


def test_it_is_answered_where_a_setting_says_so(
    service: Callable[..., FlaskClient], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    broken(tmp_path)
    client = service(audit_required=False)
    assert client.post(APPLY, json=bundle(JANE)).status_code == 200
    assert "the audit trail was not written" in caplog.text


def test_a_key_that_is_none_is_refused(service: Callable[..., FlaskClient], tmp_path: Path) -> None:
    (tmp_path / "short").write_bytes(b"short")
    for name in ("short", "none"):
        with pytest.raises(InvalidConfiguration, match="a file with 32 bytes or more"):
            service(audit_key=str(tmp_path / name))
    with pytest.raises(InvalidConfiguration, match="a file in a folder"):
        service(audit_file=str(tmp_path / "none" / "audit"))
