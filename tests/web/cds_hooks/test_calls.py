"""Calls of CDS Services: each case is a request and the whole answer to it, in one file.

`CAREPATH_WRITE_GOLDEN=1` writes the answers anew; read what changes.
"""

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from carepath.knowledge import Knowledge
from carepath.validation import validate

HERE = Path(__file__).parent
CASES = sorted((HERE / "cases").glob("*.json"))
SHIPPED = sorted((HERE / "shipped").glob("*.json"))
NOW = datetime(2026, 11, 27, tzinfo=UTC)
WRITES = bool(os.environ.get("CAREPATH_WRITE_GOLDEN"))


def said(client: FlaskClient, case: dict[str, Any]) -> dict[str, Any]:
    answer = client.post(f"/cds-services/{case['service']}", json=case["request"])
    return {"status": answer.status_code, "answer": json.loads(answer.data)}


def hold(client: FlaskClient, path: Path) -> None:
    case = json.loads(path.read_text("utf-8"))
    found = said(client, case)
    if WRITES:
        kept = {name: case[name] for name in ("about", "service", "request")}
        path.write_text(json.dumps(kept | found, indent=2, ensure_ascii=False) + "\n", "utf-8")
        return
    assert found == {name: case[name] for name in ("status", "answer")}


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_a_call_is_answered_as_its_case_says(ehr: FlaskClient, path: Path) -> None:
    hold(ehr, path)


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_the_shipped_plans_answer_as_their_cases_say(shipped_ehr: FlaskClient, path: Path) -> None:
    hold(shipped_ehr, path)


@pytest.mark.parametrize("path", [*CASES, *SHIPPED], ids=lambda path: path.stem)
def test_every_answer_keeps_the_rules_of_cards(path: Path) -> None:
    answer = json.loads(path.read_text("utf-8"))["answer"]
    for card in answer.get("cards", ()):
        assert list(empty_parts(card)) == []
        assert len(card["summary"]) < 140
        assert card["indicator"] in ("info", "warning", "critical")
        assert ("suggestions" in card) == ("selectionBehavior" in card)
        for action in (a for s in card.get("suggestions", ()) for a in s["actions"]):
            assert ("resource" in action) == (action["type"] == "create")
            assert ("resourceId" in action) == (action["type"] == "delete")
            resource = action.get("resource", {})
            assert resource.get("status", "draft") == "draft"
            assert "#" not in json.dumps(resource.get("reasonReference", []))
    ids = [card["uuid"] for card in answer.get("cards", ())]
    ids += [s["uuid"] for card in answer.get("cards", ()) for s in card.get("suggestions", ())]
    assert len(set(ids)) == len(ids)


def empty_parts(value: Any) -> Iterator[Any]:
    """Yield what is null or empty: nothing in a card may be."""
    if value in (None, "", [], {}):
        yield value
    for part in (
        value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    ):
        yield from empty_parts(part)


@pytest.mark.parametrize("path", [*CASES, *SHIPPED], ids=lambda path: path.stem)
def test_what_is_suggested_is_valid_fhir(path: Path) -> None:
    cards = json.loads(path.read_text("utf-8"))["answer"].get("cards", ())
    actions = [a for card in cards for s in card.get("suggestions", ()) for a in s["actions"]]
    for resource in (action["resource"] for action in actions if "resource" in action):
        issues = validate(resource, definitions=Knowledge.shipped(), now=NOW)
        assert [issue.diagnostics for issue in issues if issue.is_error] == []
