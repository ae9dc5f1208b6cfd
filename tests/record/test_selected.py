"""Which resources are found by their codes: the cases of `selected.json`.

Of what was `given`, for the `subject`, the resources of the `type` are `found` (by their ids) that
have one of the `codes` at the `path`, or a text with the `word`, or nothing that can be read.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from carepath.record import Record

CASES = json.loads(Path(__file__).with_name("selected.json").read_text("utf-8"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["about"])
def test_resources_are_selected(case: dict[str, Any]) -> None:
    record = Record.of(case["given"], case.get("subject"))
    word = case.get("word")
    found = record.with_codes(
        case["type"],
        case["path"],
        case["codes"],
        words=None if word is None else lambda text: word in text,
        unreadable=case.get("unreadable", False),
    )
    assert [resource["id"] for resource in found] == case["found"]
