"""Feedback on cards: what is kept, where, and how it is read."""

import json
import stat
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient

from carepath.command.main import main
from carepath.errors import MalformedInput
from carepath.knowledge import Knowledge
from carepath.web import Config, create_app
from carepath.web.config import InvalidConfiguration
from carepath.web.feedback import FeedbackFile, entries_in

DOOR = "/cds-services/falls-patient-view/feedback"
TIME = "2020-12-11T00:00:00Z"
ACCEPTED = {
    "card": "4e0a3a1e-3283-4575-ab82-028d55fe2719",
    "outcome": "accepted",
    "acceptedSuggestions": [{"id": "e56e1945-20b3-4393-8503-a1a20fd73152"}],
    "outcomeTimestamp": TIME,
}
OVERRIDDEN = {
    "card": "9368d37b-283f-44a0-93ea-547cebab93ed",
    "outcome": "overridden",
    "overrideReason": {
        "reason": {"code": "d7ecf885", "system": "https://example.com/reasons"},
        "userComment": "A comment entered by the clinician.",
    },
    "outcomeTimestamp": TIME,
}
DISMISSED = {"card": "f6b95768", "outcome": "overridden", "outcomeTimestamp": TIME}
HEAD = {
    "received": "2026-03-31T09:15:00+04:00",
    "request_id": "r-1",
    "service": "falls-patient-view",
    "hook": "patient-view",
}
Door = Callable[..., Any]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "feedback.ndjson"


@pytest.fixture
def client(file: Path, small_content: Knowledge) -> FlaskClient:
    config = Config(now=HEAD["received"], cds_hooks_feedback=str(file))
    return create_app(config, small_content).test_client()


def sent(client: FlaskClient, *feedback: Any) -> tuple[int, Any]:
    answer = client.post(DOOR, json={"feedback": feedback}, headers={"X-Request-Id": "r-1"})
    return answer.status_code, json.loads(answer.data)


def test_the_examples_of_the_specification_are_kept(client: FlaskClient, file: Path) -> None:
    assert sent(client, ACCEPTED, OVERRIDDEN) == (200, {})
    assert sent(client, DISMISSED) == (200, {})
    expected = [{**HEAD, **one} for one in (ACCEPTED, OVERRIDDEN, DISMISSED)]
    assert list(entries_in(file)) == expected
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("body", "element"),
    [
        ({}, ""),
        ({"feedback": []}, ""),
        ({"feedback": {}}, ""),
        ({"feedback": ["x"]}, "[0]"),
        ({"feedback": [{**DISMISSED, "card": ""}]}, "[0].card"),
        ({"feedback": [DISMISSED, {**DISMISSED, "outcome": "ignored"}]}, "[1].outcome"),
        ({"feedback": [{**DISMISSED, "outcome": "accepted"}]}, "[0].acceptedSuggestions"),
        (
            {"feedback": [{**ACCEPTED, "acceptedSuggestions": [{}]}]},
            "[0].acceptedSuggestions[0].id",
        ),
        ({"feedback": [{**DISMISSED, "outcomeTimestamp": "now"}]}, "[0].outcomeTimestamp"),
        (
            {"feedback": [{**DISMISSED, "overrideReason": {"reason": {}}}]},
            "[0].overrideReason.reason.code",
        ),
        (
            {"feedback": [{**DISMISSED, "overrideReason": {"userComment": "x" * 5001}}]},
            "[0].overrideReason.userComment",
        ),
        ({"feedback": [DISMISSED] * 501}, ""),
    ],
)
def test_what_is_no_feedback_is_refused_whole(
    client: FlaskClient, file: Path, body: Any, element: str
) -> None:
    answer = client.post(DOOR, json=body)
    assert answer.status_code == 400
    assert json.loads(answer.data)["issue"][0]["expression"] == [f"feedback{element}"]
    assert file.read_bytes() == b""


def test_a_service_that_is_not_there_takes_none(client: FlaskClient, file: Path) -> None:
    body = {"feedback": [DISMISSED]}
    assert client.post("/cds-services/none/feedback", json=body).status_code == 404
    assert file.read_bytes() == b""


def test_lines_of_many_writers_stay_whole(file: Path) -> None:
    kept = FeedbackFile(file)
    entries = [{"n": number, "text": "é" * 5_000} for number in range(60)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda entry: kept.keep([entry, entry]), entries))
    found = list(entries_in(file))
    assert sorted(one["n"] for one in found) == sorted(2 * [one["n"] for one in entries])
    assert all(one["n"] == other["n"] for one, other in zip(found[::2], found[1::2], strict=True))


def test_a_file_that_cannot_be_written_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(InvalidConfiguration, match="CAREPATH_CDS_HOOKS_FEEDBACK"):
        create_app(Config(cds_hooks_feedback=str(tmp_path / "no/such/folder")), Knowledge.of([]))


def test_without_a_file_the_log_tells_of_it(
    ehr: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO", logger="carepath.server"):
        assert sent(ehr, OVERRIDDEN) == (200, {})
    fields = [vars(one)["fields"] for one in caplog.records if one.message == "feedback"]
    expected = {name: v for name, v in HEAD.items() if name != "received"}
    assert fields == [{**expected, "card": OVERRIDDEN["card"], "outcome": "overridden"}]


def test_the_command_prints_a_line_for_each(client: FlaskClient, file: Path) -> None:
    sent(client, ACCEPTED, OVERRIDDEN, DISMISSED)
    done = CliRunner().invoke(main, ["audit", "feedback", str(file)])
    assert (done.exit_code, done.output.splitlines()) == (
        0,
        [
            "2026-03-31T09:15:00+04:00  falls-patient-view  4e0a3a1e-3283-4575-ab82-028d55fe2719"
            "  accepted  e56e1945-20b3-4393-8503-a1a20fd73152",
            "2026-03-31T09:15:00+04:00  falls-patient-view  9368d37b-283f-44a0-93ea-547cebab93ed"
            "  overridden  d7ecf885  “A comment entered by the clinician.”",
            "2026-03-31T09:15:00+04:00  falls-patient-view  f6b95768  overridden",
        ],
    )


def test_the_command_prints_json(client: FlaskClient, file: Path) -> None:
    sent(client, DISMISSED)
    command = ["audit", "feedback", str(file), "--format", "json", "--service"]
    done = CliRunner().invoke(main, [*command, "falls-patient-view"])
    assert json.loads(done.output) == {**HEAD, **DISMISSED}
    assert CliRunner().invoke(main, [*command, "another"]).output == ""


def test_a_broken_file_is_told_by_line(file: Path) -> None:
    for text in ('{"a": 1}\nnonsense\n', '{"a": 1}\n[]\n'):
        file.write_text(text, "utf-8")
        with pytest.raises(MalformedInput, match="line 2"):
            list(entries_in(file))
        done = CliRunner().invoke(main, ["audit", "feedback", str(file)])
        assert done.exit_code == 1
        assert "line 2" in done.output
