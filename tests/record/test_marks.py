"""Marks of ICD-10-GM beside each other and beside a status: the cases of `marks.json`.

What was `sent` is read as `made`; `told` is the sentence, null for none.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from carepath.record.certainty import with_certainty

CASES = json.loads(Path(__file__).with_name("marks.json").read_text("utf-8"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["about"])
def test_the_more_careful_statement_holds(case: dict[str, Any]) -> None:
    assert with_certainty(case["sent"]) == (case.get("made", case["sent"]), case["told"])
