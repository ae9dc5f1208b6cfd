"""From a JSON path to FHIRPath and the type of what stands there.

https://hl7.org/fhir/R4/fhirpath.html#simple
"""

from typing import Any

import pytest

from carepath.validation.structure.locations import place_of

NAME = {"given": ["A", "B"], "_given": [None, {"extension": [{"url": "u", "valueCode": "c"}]}]}
RESOURCE: dict[str, Any] = {
    "resourceType": "Patient",
    "name": [NAME],
    "multipleBirthInteger": 2,
    "_birthDate": {"id": "b"},
    "contained": [{"resourceType": "Device"}, {"resourceType": "Foo"}],
    "an `odd` \\ name": 1,
}


@pytest.mark.parametrize(
    ("path", "expression", "type_name", "value"),
    [
        ([], "Patient", "Patient", RESOURCE),
        (["name"], "Patient.name", "HumanName", [NAME]),
        (["name", 0, "given", 1], "Patient.name[0].given[1]", "string", "B"),
        (["name", 0, "_given", 1], "Patient.name[0].given[1]", "Element", NAME["_given"][1]),
        (
            ["name", 0, "_given", 1, "extension", 0, "valueCode"],
            "Patient.name[0].given[1].extension[0].value",
            "code",
            "c",
        ),
        (["name", 0, "given", 7], "Patient.name[0].given[7]", "string", None),
        (["multipleBirthInteger"], "Patient.multipleBirth", "integer", 2),
        (["_birthDate", "id"], "Patient.birthDate.id", "string", "b"),
        (["contained", 0], "Patient.contained[0]", "Device", {"resourceType": "Device"}),
        (["contained", 1], "Patient.contained[1]", "Resource", {"resourceType": "Foo"}),
        (["foo"], "Patient.foo", "", None),
        (["an `odd` \\ name"], "Patient.`an \\`odd\\` \\\\ name`", "", 1),
    ],
)
def test_place(path: list[Any], expression: str, type_name: str, value: Any) -> None:
    place = place_of(RESOURCE, path)
    assert (place.expression, place.type, place.value) == (expression, type_name, value)
