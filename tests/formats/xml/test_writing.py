"""What XML cannot carry is refused with the place of the element."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carepath.errors import InvalidResource
from carepath.formats import xml as xml_codec


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
        ({"multipleBirthInteger": 10**5000}, "Patient.multipleBirth"),
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


def test_a_nesting_that_python_cannot_follow_is_refused() -> None:
    extension: dict[str, Any] = {"url": "http://example.org"}
    for _ in range(2000):
        extension = {"url": "http://example.org", "extension": [extension]}
    with pytest.raises(InvalidResource):
        xml_codec.encode({"resourceType": "Patient", "extension": [extension]})


NAMES = ["name", "given", "_given", "extension", "url", "text", "div", "contained", "resourceType"]
LEAVES = st.none() | st.booleans() | st.integers() | st.text(max_size=4) | st.just("Patient")
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=3)
    ),
    max_leaves=10,
)


@given(st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=4))
def test_any_json_is_written_as_xml_that_can_be_read_or_refused(elements: dict[str, Any]) -> None:
    try:
        xml = xml_codec.encode({**elements, "resourceType": "Patient"}, pretty=True)
    except InvalidResource as error:
        assert error.issues
    else:
        assert xml_codec.decode(xml)["resourceType"] == "Patient"
