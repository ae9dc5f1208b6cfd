"""What stays of a resource of the wrong shape, so that its invariants can be evaluated."""

from decimal import Decimal
from typing import Any

import pytest

from carepath.validation.well_shaped import well_shaped

P = {"resourceType": "Patient"}


@pytest.mark.parametrize(
    ("resource", "kept"),
    [
        ({**P, "id": "p", "active": True}, {**P, "id": "p", "active": True}),
        ({**P, "name": [7, {"text": "a"}]}, {**P, "name": [{}, {"text": "a"}]}),
        ({**P, "name": [{"given": ["A", 1, None]}]}, {**P, "name": [{"given": ["A", None, None]}]}),
        ({**P, "name": {"text": "a"}}, P),
        ({**P, "multipleBirthInteger": True}, P),
        ({**P, "multipleBirthInteger": Decimal(2)}, {**P, "multipleBirthInteger": Decimal(2)}),
        ({**P, "multipleBirthInteger": "2"}, P),
        ({**P, "active": 1, "gender": True, "birthDate": 7}, P),
        ({**P, "foo": 1, "_foo": {}}, P),
        ({**P, "_birthDate": {"id": "b", "x": 1}}, {**P, "_birthDate": {"id": "b"}}),
        ({**P, "_birthDate": [1]}, P),
        ({**P, "contained": [P, {"resourceType": "Foo"}, 1]}, {**P, "contained": [P, {}, {}]}),
        ({"resourceType": "Foo", "id": "f"}, {}),
        ([P], {}),
    ],
)
def test_what_is_well_shaped_stays_at_its_place(resource: Any, kept: Any) -> None:
    assert well_shaped(resource) == kept
