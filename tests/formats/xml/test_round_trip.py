"""Every official example goes from JSON to XML and back without any loss.

https://hl7.org/fhir/R4/xml.html
"""

import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from lxml import etree

from carepath.formats import json as json_codec
from carepath.formats import xml as xml_codec

from ...suites import EXAMPLES, needs

sys.path.insert(0, str(Path(__file__).parent))
from generated import resources

FILES = sorted(EXAMPLES.glob("*.json"))


def in_order(value: Any) -> Any:
    """Return the value with sorted keys: XML has an order of its own, JSON has none."""
    if isinstance(value, dict):
        return {key: in_order(value[key]) for key in sorted(value)}
    return [in_order(one) for one in value] if isinstance(value, list) else value


@needs(EXAMPLES)
def test_all_official_examples_come_back_byte_for_byte() -> None:
    lost = []
    for file in FILES:
        resource = json_codec.decode(file.read_bytes())
        again = xml_codec.decode(xml_codec.encode(resource))
        if json_codec.encode(in_order(again)) != json_codec.encode(in_order(resource)):
            lost.append(file.name)
    assert not lost


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(resources())
def test_any_resource_comes_back_the_same(resource: dict[str, Any]) -> None:
    for pretty in (False, True):
        again = xml_codec.decode(xml_codec.encode(resource, pretty=pretty))
        assert json_codec.encode(in_order(again)) == json_codec.encode(in_order(resource))


def patient(**elements: Any) -> dict[str, Any]:
    return {"resourceType": "Patient", **elements}


DIV = '<div xmlns="http://www.w3.org/1999/xhtml">{}</div>'


@pytest.mark.parametrize(
    "resource",
    [
        pytest.param(patient(), id="nothing but a type"),
        pytest.param(patient(birthDate="1970-03-30", _birthDate={"id": "b"}), id="id"),
        pytest.param(
            patient(_birthDate={"extension": [{"url": "http://x", "valueCode": "unknown"}]}),
            id="extension and no value",
        ),
        pytest.param(
            patient(name=[{"given": [None, "B", "C"], "_given": [{"id": "a"}, None, {"id": "c"}]}]),
            id="null in arrays of primitives",
        ),
        pytest.param(patient(name=[{"text": "line\n\ttab\r & <b> \"'  "}]), id="white space"),
        pytest.param(
            patient(text={"status": "generated", "div": DIV.format("&#160;x<br />\r\n")}),
            id="xhtml",
        ),
        pytest.param(
            patient(text={"status": "empty", "div": DIV.format("<!-- c --><p a='1'/>")}),
            id="quotes",
        ),
        pytest.param(patient(multipleBirthInteger=-3, active=False), id="integer and boolean"),
        pytest.param(patient(contained=[{"resourceType": "Group", "id": "g"}]), id="contained"),
        pytest.param(
            patient(extension=[{"url": "http://x", "id": "e", "valueDecimal": 12}]),
            id="attributes of an extension",
        ),
    ],
)
def test_small_resources_come_back_the_same(resource: dict[str, Any]) -> None:
    assert xml_codec.decode(xml_codec.encode(resource)) == resource
    assert xml_codec.decode(xml_codec.encode(resource, pretty=True)) == resource


@pytest.mark.parametrize(
    "number", ["1.50", "0.10", "-0.0", "1E+2", "1.0E-22", "66.899999999999991", "0"]
)
def test_decimals_are_kept_as_written(number: str) -> None:
    text = f'{{"resourceType":"Observation","valueQuantity":{{"value":{number}}}}}'.encode()
    resource = json_codec.decode(text)
    xml = xml_codec.encode(resource)
    assert f'<value value="{number}"/>'.encode() in xml
    assert json_codec.encode(xml_codec.decode(xml)) == text


def test_elements_stand_in_the_order_of_the_definition() -> None:
    xml = xml_codec.encode({"gender": "male", "id": "1", "active": True, "resourceType": "Patient"})
    assert xml == (
        b'<?xml version="1.0" encoding="UTF-8"?><Patient xmlns="http://hl7.org/fhir">'
        b'<id value="1"/><active value="true"/><gender value="male"/></Patient>'
    )


def test_pretty_indents_and_leaves_the_narrative_alone() -> None:
    div = DIV.format("<p>a</p>\n<p>b</p>")
    xml = xml_codec.encode(patient(text={"status": "generated", "div": div}), pretty=True)
    assert xml.decode().splitlines()[1:4] == [
        '<Patient xmlns="http://hl7.org/fhir">',
        "  <text>",
        '    <status value="generated"/>',
    ]
    assert div in xml.decode()


def test_every_resource_type_has_a_root_in_the_fhir_namespace() -> None:
    root = etree.fromstring(xml_codec.encode({"resourceType": "VisionPrescription"}))
    assert root.tag == "{http://hl7.org/fhir}VisionPrescription"
