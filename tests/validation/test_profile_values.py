"""`fixed[x]` is exactly so, `pattern[x]` may have more; paths of discriminators pick values."""

from typing import Any

import pytest

from carepath.validation.profiles.slicing import Surroundings, select, steps_of
from carepath.validation.profiles.values import equals, matches
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
AROUND = Surroundings(
    find_profile=lambda _: None,
    resolve=lambda item: PATIENT if item.members["reference"] == "Patient/p" else None,
    target_type=lambda _: "",
    type_of_profile=lambda _: "",
    conforms=lambda _item, _node: True,
    conforms_to=lambda _item, _canonical: True,
)


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
    found = select(root_item(RESOURCE), steps_of(path), AROUND)
    assert [item.value for item in found] == values
