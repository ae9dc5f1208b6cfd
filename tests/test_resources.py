"""Elements of any form are read without an error: what is none yields nothing."""

from typing import Any

import pytest

from carepath.resources import codings, concept_text

CODING = {"system": "urn:x", "code": "1", "display": "One"}


@pytest.mark.parametrize(
    ("concept", "found", "text"),
    [
        ({"coding": [CODING, {"code": "2"}], "text": "first"}, [CODING, {"code": "2"}], "first"),
        ({"coding": [7, None, [CODING], CODING]}, [CODING], "One"),
        ({"coding": CODING}, [], ""),
        ({"coding": 7}, [], ""),
        ({"coding": True}, [], ""),
        ({"coding": "1"}, [], ""),
        ({"coding": None}, [], ""),
        ({}, [], ""),
        ([CODING], [], ""),
        ("1", [], ""),
        (None, [], ""),
    ],
)
def test_codings(concept: Any, found: list[Any], text: str) -> None:
    assert list(codings(concept)) == found
    assert concept_text(concept) == text
