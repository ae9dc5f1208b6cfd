"""What the prefetch does not bring is read from the client's server, which here is a real one."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from carepath.knowledge import Knowledge
from carepath.web import Config, create_app

Json = dict[str, Any]
CASES = Path(__file__).parent / "cases"
CALL = "/cds-services/falls-patient-view"
PATIENT = {"resourceType": "Patient", "id": "p", "gender": "female"}
FALL = {
    "resourceType": "Condition",
    "code": {"text": "fall"},
    "subject": {"reference": "Patient/p"},
}


def bundle(*resources: Json, following: str = "") -> Json:
    link = [{"relation": "next", "url": following}] if following else []
    entries = [{"resource": resource} for resource in resources]
    return {"resourceType": "Bundle", "type": "searchset", "link": link, "entry": entries}


@dataclass
class Hospital:
    """The server of a CDS Client: what it holds by URL, and what it was asked with which token."""

    host: str = ""
    held: dict[str, Json | int] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)


@pytest.fixture
def hospital() -> Iterator[Hospital]:
    opened = Hospital()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            opened.asked.append((self.path, self.headers.get("Authorization", "")))
            found = opened.held.get(self.path, 404)
            self.send_response(found if isinstance(found, int) else 200)
            self.send_header("Content-Type", "application/fhir+json")
            self.end_headers()
            self.wfile.write(b"" if isinstance(found, int) else json.dumps(found).encode())

        def log_message(self, *_arguments: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        opened.host = f"127.0.0.1:{server.server_address[1]}"
        opened.held = {
            "/r4/Patient/p": PATIENT,
            "/r4/Condition?patient=p": bundle({**FALL, "id": "fall"}),
            "/r4/Observation?patient=p": bundle(),
            "/r4/MedicationRequest?patient=p": bundle(),
        }
        yield opened
        server.shutdown()


def called(
    hospital: Hospital, content: Knowledge, prefetch: Json, *, listed: bool = True, **given: Any
) -> tuple[int, Json]:
    """Call with a server and a token; return status and answer."""
    hosts = (hospital.host,) if listed else ("elsewhere.example",)
    settings = {"data_endpoint_retries": 0, "data_endpoint_hosts": hosts}
    config = Config(now="2026-03-31T09:15:00+04:00", **settings)  # type: ignore[arg-type]
    client = create_app(config, content).test_client()
    request = {
        "hook": "patient-view",
        "hookInstance": "one",
        "fhirServer": f"http://{hospital.host}/r4",
        "fhirAuthorization": {"access_token": "t0k.en", "token_type": "Bearer"},
        "context": {"patientId": "p", "userId": "Practitioner/doc"},
        "prefetch": prefetch,
        **given,
    }
    answer = client.post(CALL, json={k: v for k, v in request.items() if v is not None})
    return answer.status_code, json.loads(answer.data)


def test_all_is_read_with_the_token(hospital: Hospital, small_content: Knowledge) -> None:
    status, answer = called(hospital, small_content, {})
    assert status == 200
    case = json.loads((CASES / "record-first.json").read_text("utf-8"))
    told = [card["summary"] for card in case["answer"]["cards"]]
    assert [card["summary"] for card in answer["cards"]] == told
    assert sorted(hospital.asked) == [(path, "Bearer t0k.en") for path in sorted(hospital.held)]


def test_only_what_is_missing_is_read(hospital: Hospital, small_content: Knowledge) -> None:
    prefetch = {"patient": PATIENT, "condition": None, "observation": bundle()}
    assert called(hospital, small_content, prefetch) == (200, {"cards": []})
    assert [path for path, _ in hospital.asked] == ["/r4/MedicationRequest?patient=p"]


def test_all_pages_are_read_anew(hospital: Hospital, small_content: Knowledge) -> None:
    following = f"http://{hospital.host}/r4?page=2"
    hospital.held |= {
        "/r4/Condition?patient=p": bundle(following=following),
        "/r4?page=2": bundle({**FALL, "id": "late"}),
    }
    first = bundle(following=following)
    prefetch = {"patient": PATIENT, "condition": first, "observation": None}
    status, answer = called(hospital, small_content, {**prefetch, "medicationRequest": None})
    assert status == 200
    assert "Rest" in [card["summary"] for card in answer["cards"]]
    assert [path for path, _ in hospital.asked] == ["/r4/Condition?patient=p", "/r4?page=2"]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"fhirAuthorization": None}, "no `fhirServer` with `fhirAuthorization` is given"),
        ({"fhirServer": "ftp://elsewhere.example"}, "is no server that this service may ask"),
        ({"fhirServer": "http://user@elsewhere.example"}, "is no server that this service may ask"),
        ({"fhirServer": "nonsense"}, "is no server that this service may ask"),
    ],
)
def test_who_may_not_be_asked_is_not_asked(
    hospital: Hospital, small_content: Knowledge, given: Json, told: str
) -> None:
    status, answer = called(hospital, small_content, {}, **given)
    assert status == 412
    assert [issue["expression"] for issue in answer["issue"]] == [
        [f"prefetch.{key}"] for key in ("patient", "condition", "medicationRequest", "observation")
    ]
    assert all(told in issue["diagnostics"] for issue in answer["issue"])
    assert hospital.asked == []


def test_a_host_that_is_not_listed_is_not_asked(
    hospital: Hospital, small_content: Knowledge
) -> None:
    status, answer = called(hospital, small_content, {}, listed=False)
    assert status == 412
    assert "may ask" in answer["issue"][0]["diagnostics"]
    assert hospital.asked == []


@pytest.mark.parametrize(
    ("path", "held", "told"),
    [
        ("/r4/Condition?patient=p", 500, "does not answer"),
        ("/r4/Condition?patient=p", 401, "it answered 401"),
        ("/r4/Condition?patient=p", 302, "it answered 302"),
        ("/r4/Condition?patient=p", PATIENT, "not answered with a Bundle"),
        ("/r4/Condition?patient=p", bundle(following="http://elsewhere.example/"), "another host"),
        ("/r4/Patient/p", {**PATIENT, "id": "q"}, "hold no Patient of this id"),
        ("/r4/Patient/p", 404, "hold no Patient of this id"),
    ],
)
def test_what_cannot_be_had_is_412(
    hospital: Hospital, small_content: Knowledge, path: str, held: Json | int, told: str
) -> None:
    hospital.held[path] = held
    status, answer = called(hospital, small_content, {})
    assert status == 412
    assert told in answer["issue"][0]["diagnostics"]
    assert "t0k.en" not in json.dumps(answer)
