"""Which resources a data requirement selects, by their dates and in which order."""

from typing import Any

import pytest
from small import applied, observation, plan, when

PERIOD = {"start": "2026-01-30", "end": "2026-02-02"}


def is_selected(date_filter: dict[str, Any], **value: Any) -> bool:
    """Tell whether an Observation with this time meets a date filter."""
    asked = {"id": "found", "type": "Observation", "dateFilter": [date_filter]}
    action = {"id": "a", "input": [asked], "condition": when("%found.exists()")}
    (decision,) = applied([plan(action)], observation("o", "x", **value)).decisions
    return decision.outcome == "met"


@pytest.mark.parametrize(
    ("time", "expected"),
    [
        ("2025", False),
        ("2026", True),
        ("2026-01", True),
        ("2026-02", True),
        ("2026-03", False),
        ("2026-01-29", False),
        ("2026-01-30", True),
        ("2026-02-02", True),
        ("2026-02-03", False),
        ("2026-02-02T23:59:59Z", True),
        ("2026-01-29T23:59:59Z", False),
        ("2026-02-02T12:00:00", True),
    ],
)
def test_a_date_counts_as_the_whole_time_that_it_names(time: str, expected: bool) -> None:
    date_filter = {"path": "effective", "valuePeriod": PERIOD}
    assert is_selected(date_filter, effectiveDateTime=time) is expected


def test_a_year_lasts_until_its_last_day() -> None:
    date_filter = {"path": "effective", "valuePeriod": {"start": "2026-12-31"}}
    assert is_selected(date_filter, effectiveDateTime="2026")
    assert not is_selected(date_filter, effectiveDateTime="2025")


@pytest.mark.parametrize(
    ("amount", "unit", "time", "expected"),
    [
        (2, "d", "2026-03-29T09:16:00+04:00", True),
        (2, "d", "2026-03-29T09:14:00+04:00", False),
        (1, "mo", "2026-03-01", True),
        (1, "mo", "2026-02-26", False),
        (1, "a", "2025-04-02", True),
        (1, "a", "2025-03-29", False),
        (2, "wk", "2026-03-18", True),
        (2, "wk", "2026-03-15", False),
    ],
)
def test_a_duration_reaches_back_from_now(
    amount: int, unit: str, time: str, expected: bool
) -> None:
    duration = {"value": amount, "code": unit, "system": "http://unitsofmeasure.org"}
    date_filter = {"path": "effective", "valueDuration": duration}
    assert is_selected(date_filter, effectiveDateTime=time) is expected
