"""What XML cannot carry is refused with the place of the element."""

from typing import Any

import pytest

from carepath import xml_codec
from carepath.errors import InvalidResource


@pytest.mark.parametrize(
    ("elements", "expression"),
    [
        ({"foo": 1}, "Patient"),
        ({"_name": {}}, "Patient"),
        ({"name": {"family": "A"}}, "Patient.name"),
        ({"birthDate": ["1970"]}, "Patient.birthDate"),
        ({"birthDate": {"a": 1}}, "Patient.birthDate"),
        ({"_birthDate": "x"}, "Patient.birthDate"),
        ({"_birthDate": {"value": "x"}}, "Patient.birthDate"),
        ({"name": [{"given": ["a\x00"]}]}, "Patient.name[0].given[0]"),
        ({"name": ["x"]}, "Patient.name[0]"),
        ({"contained": [{"resourceType": "Foo"}]}, "Patient.contained[0]"),
        ({"text": {"div": "no markup"}}, "Patient.text.div"),
        ({"text": {"div": "<p/>"}}, "Patient.text.div"),
        (
            {"text": {"div": "<!DOCTYPE a><div xmlns='http://www.w3.org/1999/xhtml'/>"}},
            "Patient.text.div",
        ),
        ({"resourceType": "Foo"}, "Resource"),
        ({"resourceType": ["x"]}, "Resource"),
    ],
)
def test_what_xml_cannot_carry_is_refused(elements: dict[str, Any], expression: str) -> None:
    with pytest.raises(InvalidResource) as caught:
        xml_codec.encode({"resourceType": "Patient", **elements})
    assert [issue.expression for issue in caught.value.issues] == [(expression,)]
