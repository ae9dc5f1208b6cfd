"""What a number and a date in a search stand for: precision, rounding, calendars.

https://hl7.org/fhir/R4/search.html#quantity and https://hl7.org/fhir/R4/search.html#date
"""

from typing import Any

import pytest

from carepath.web.search.dates import date_test
from carepath.web.search.quantities import quantity_test


@pytest.mark.parametrize(
    ("text", "value", "is_found"),
    [
        ("5.4", 5.35, True),
        ("5.4", 5.45, False),  # It would be rounded up.
        ("5.4", 5.449, True),
        ("ne5.4", 5.45, True),
        ("ap-5", -5.4, True),
        ("ap-5", -5.6, False),
        ("ap5", 5.5, True),
        ("gt5.4", 5.4, False),
        ("ge5.4", 5.4, True),
        ("lt5.4", 5.4, False),
        ("le5.4", 5.4, True),
    ],
)
def test_number(text: str, value: float, is_found: bool) -> None:
    assert quantity_test(text)({"value": value}) == is_found


@pytest.mark.parametrize(
    ("text", "value", "is_found"),
    [
        ("2024", "2024-12-31", True),
        ("2023", "2024-01-01", False),
        ("2024-02", "2024-02-29", True),
        ("2024-12-31", "2024", False),
        ("gt2024-03-01", {"start": "2024-02-01", "end": "2024-04-01"}, True),
        ("sa2024-03-01", {"start": "2024-02-01", "end": "2024-04-01"}, False),
        ("sa2024-03-01", "2024-03-02", True),
        ("ge2024-03-01", "2024-02-29", False),
        ("le2024-03-01", "2024-03-02", False),
        ("eb2024-03-01", "2024-02-29", True),
    ],
)
def test_date(text: str, value: Any, is_found: bool) -> None:
    assert date_test(text)(value) == is_found
