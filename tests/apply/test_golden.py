"""Whole answers, byte by byte: a change shows as a difference that a person reads.

`CAREPATH_WRITE_GOLDEN=1 pytest tests/apply/test_golden.py` writes them anew; read them before they
are committed.
"""

import os
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from carepath.apply import ApplyRequest, apply_activity, apply_plan
from carepath.formats.json import decode, encode
from carepath.knowledge import Knowledge
from carepath.record import Record

HERE = Path(__file__).parent
GOLDEN = HERE.parent / "golden" / "apply"
NOW = "2026-03-31T09:15:00+04:00"
PLANS = (
    "whole-work-up",
    "answer-nothing-applied",
    "definition-nested-plan-twice",
    "undetermined-group",
)
ACTIVITIES = ("kind-medicationrequest", "kind-appointment", "kind-claim")


def request_of(name: str) -> tuple[ApplyRequest, Knowledge]:
    """Return the request of a case of the suite, and the definitions it brings."""
    case: dict[str, Any] = decode((HERE / "cases" / f"{name}.json").read_bytes())
    knowledge = Knowledge.of(case["definitions"])
    asked, given = case["request"], case["request"]["parameters"]
    resource_type, _, id_ = asked["definition"].partition("/")
    people = {k: given[k] for k in ("encounter", "practitioner", "organization") if k in given}
    request = ApplyRequest(
        knowledge.definition(resource_type, id_),
        Record.of(case["data"]),
        datetime.fromisoformat(asked.get("now", NOW)),
        subject=given["subject"],
        **people,
    )
    return request, knowledge


def check(name: str, answer: dict[str, Any]) -> None:
    """Compare an answer with its golden file, writing the file first when asked to."""
    path = GOLDEN / f"{name}.json"
    text = encode(answer, pretty=True).decode().rstrip("\n") + "\n"
    if os.environ.get("CAREPATH_WRITE_GOLDEN"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    assert text == path.read_text("utf-8")


@pytest.mark.parametrize("name", PLANS)
def test_plan(name: str) -> None:
    applied = apply_plan(*request_of(name))
    check(f"{name}.care-plan", applied.care_plan())
    check(f"{name}.bundle", applied.bundle())


@pytest.mark.parametrize("name", ACTIVITIES)
def test_activity(name: str) -> None:
    check(name, apply_activity(*request_of(name)).resource)


def test_no_golden_file_is_left_over() -> None:
    wanted = {f"{name}.{shape}" for name in PLANS for shape in ("care-plan", "bundle")}
    assert {p.stem for p in GOLDEN.glob("*.json")} == wanted | set(ACTIVITIES)
