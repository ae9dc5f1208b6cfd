"""Times at their edges: the cases of `times.json`.

`spans` gives for a value its earliest and its latest moment and the Period it is read as (null for
none), `latest` for resources the ids of those that may be the latest statement.
"""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from carepath.record.span import interval_of, period_of
from carepath.record.when import latest

CASES = json.loads(Path(__file__).with_name("times.json").read_text("utf-8"))


@pytest.mark.parametrize("case", CASES["spans"], ids=lambda case: case["about"])
def test_a_value_covers_what_it_can_mean(case: dict[str, Any]) -> None:
    earliest, last = map(datetime.fromisoformat, case["covers"])
    assert interval_of(case["value"]) == (earliest, last)
    assert period_of(case["value"]) == case["period"]


@pytest.mark.parametrize("case", CASES["latest"], ids=lambda case: case["about"])
def test_what_may_be_the_latest_statement(case: dict[str, Any]) -> None:
    assert [resource["id"] for resource in latest(case["given"])] == case["latest"]
    assert [resource["id"] for resource in latest(case["given"][::-1])] == case["latest"][::-1]
