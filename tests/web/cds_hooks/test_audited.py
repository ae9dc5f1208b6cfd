"""Calls and feedback are in the audit trail, tied together by the id of the request."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient

from carepath.command.main import main
from carepath.knowledge import Knowledge
from carepath.validation import validate
from carepath.web import Config, create_app

HERE = Path(__file__).parent
NOW = "2026-03-31T09:15:00+04:00"
CASE = json.loads((HERE / "cases/another-order-selected.json").read_text("utf-8"))
CALL = f"/cds-services/{CASE['service']}"
PLAN = {
    "identifier": {
        "system": "urn:ietf:rfc:3986",
        "value": "https://example.org/fhir/PlanDefinition/falls|1.0.0",
    }
}
REQUEST = {"identifier": {"value": "r-1"}}
FEEDBACK = {
    "card": "4e0a3a1e-3283-4575-ab82-028d55fe2719",
    "outcome": "overridden",
    "overrideReason": {"userComment": "Jane falls no more."},
    "outcomeTimestamp": "2020-12-11T00:00:00Z",
}
Ehr = Callable[..., FlaskClient]


@pytest.fixture
def ehr(tmp_path: Path, small_content: Knowledge) -> Ehr:
    def make(**settings: Any) -> FlaskClient:
        files = {"audit_file": "audit", "cds_hooks_feedback": "feedback"}
        given = {name: str(tmp_path / file) for name, file in files.items()} | settings
        return create_app(Config(now=NOW, **given), small_content).test_client()

    return make


def events(tmp_path: Path) -> list[dict[str, Any]]:
    file = tmp_path / "audit"
    lines = file.read_text("utf-8").splitlines() if file.exists() else []
    found = [json.loads(line)["event"] for line in lines]
    for event in found:
        assert [i for i in validate(event, definitions=Knowledge.shipped()) if i.is_error] == []
    return found


def told(event: dict[str, Any]) -> tuple[str, str, str, list[Any]]:
    named = [entity["what"] for entity in event["entity"]]
    return event["outcome"], event["outcomeDesc"], event["subtype"][0]["code"], named


def sent(client: FlaskClient, url: str, body: Any) -> int:
    return client.post(url, json=body, headers={"X-Request-Id": "r-1"}).status_code


def test_a_call_makes_a_plan_and_is_written_down(ehr: Ehr, tmp_path: Path) -> None:
    assert sent(ehr(), CALL, CASE["request"]) == 200
    (event,) = events(tmp_path)
    what = "POST /cds-services/<service_id:id>: status 200"
    assert told(event) == ("0", what, "operation", [{"reference": "Patient/p"}, PLAN, REQUEST])


def test_a_call_that_is_refused_is_written_down_too(ehr: Ehr, tmp_path: Path) -> None:
    assert sent(ehr(), CALL, {"hook": "order-select"}) == 400
    (event,) = events(tmp_path)
    what = "POST /cds-services/<service_id:id>: status 400"
    assert told(event) == ("4", what, "operation", [REQUEST])


def test_feedback_is_written_down_without_what_it_says(ehr: Ehr, tmp_path: Path) -> None:
    assert sent(ehr(), f"{CALL}/feedback", {"feedback": [FEEDBACK]}) == 200
    (event,) = events(tmp_path)
    what = "POST /cds-services/<service_id:id>/feedback: status 200"
    assert told(event) == ("0", what, "operation", [PLAN, REQUEST])
    assert "Jane" not in (tmp_path / "audit").read_text("utf-8")


def test_what_feedback_says_is_found_by_the_id_of_its_request(ehr: Ehr, tmp_path: Path) -> None:
    sent(ehr(), f"{CALL}/feedback", {"feedback": [FEEDBACK]})
    arguments = ["audit", "feedback", str(tmp_path / "feedback"), "--format", "json"]
    printed = CliRunner().invoke(main, arguments)
    entry = json.loads(printed.output)
    (event,) = events(tmp_path)
    assert entry["request_id"] == event["entity"][-1]["what"]["identifier"]["value"]
    assert entry["overrideReason"] == FEEDBACK["overrideReason"]


def test_no_cards_and_no_thanks_where_nothing_can_be_written_down(ehr: Ehr, tmp_path: Path) -> None:
    (tmp_path / "audit").mkdir()
    client = ehr()
    assert sent(client, CALL, CASE["request"]) == 503
    assert sent(client, f"{CALL}/feedback", {"feedback": [FEEDBACK]}) == 503


def test_discovery_is_about_nobody(ehr: Ehr, tmp_path: Path) -> None:
    assert ehr().get("/cds-services").status_code == 200
    assert events(tmp_path) == []
