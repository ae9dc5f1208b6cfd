"""`fixed[x]` is exactly so, `pattern[x]` may have more; paths of discriminators pick values."""

from typing import Any

import pytest

from carepath.knowledge import Knowledge
from carepath.validation.profiles.slicing import select, steps_of
from carepath.validation.profiles.values import equals, matches
from carepath.validation.validate import profile_walk
from carepath.validation.walker import root_item

AB = {"a": 1, "b": [1, 2]}


@pytest.mark.parametrize(
    ("value", "other", "is_equal", "is_match"),
    [
        (AB, AB, True, True),
        ({**AB, "c": 1}, AB, False, True),
        ({"a": 1}, AB, False, False),
        ([1, 2, 3], [1, 2], False, True),
        ([1, 2], [1, 2, 3], False, False),
        ([2, 1], [1, 2], False, True),
        ([1, 1], [1, 2], False, False),
        (1, True, False, False),
        (True, 1, False, False),
        (0, False, False, False),
        (True, True, True, True),
        ("a", "a", True, True),
        ("a", ["a"], False, False),
        ({"coding": [{"code": "y"}, {"code": "x", "system": "s"}]}, {"coding": [{"code": "x"}]},
         False, True),
    ],
)  # fmt: skip
def test_fixed_and_pattern(value: Any, other: Any, is_equal: bool, is_match: bool) -> None:
    assert (equals(value, other), matches(value, other)) == (is_equal, is_match)


RESOURCE = {
    "resourceType": "Observation",
    "extension": [{"url": "urn:a", "valueCode": "x"}, {"url": "urn:b", "valueCode": "y"}],
    "subject": {"reference": "Patient/p"},
    "valueQuantity": {"value": 1, "code": "mm"},
}
PATIENT = {"resourceType": "Patient", "gender": "other"}
BUNDLE = {"resourceType": "Bundle", "entry": [{"fullUrl": "Patient/p", "resource": PATIENT}]}


@pytest.mark.parametrize(
    ("path", "values"),
    [
        ("$this", [RESOURCE]),
        ("value.code", ["mm"]),
        ("value.ofType(Quantity).code", ["mm"]),
        ("value.ofType(Range)", []),
        ("extension('urn:b').value", ["y"]),
        ("extension.value", ["x", "y"]),
        ("subject.resolve().gender", ["other"]),
        ("performer.resolve()", []),
    ],
)
def test_what_the_path_of_a_discriminator_leads_to(path: str, values: list[Any]) -> None:
    walk = profile_walk(BUNDLE, Knowledge.of(()))
    found = select(root_item(RESOURCE), steps_of(path), walk)
    assert [item.value for item in found] == values
