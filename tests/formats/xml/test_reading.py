"""XML that is odd is read, XML that is wrong or hostile is refused with its place."""

import contextlib
import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carepath.errors import MalformedInput
from carepath.formats import xml as xml_codec
from carepath.validation import check_structure

START = '<Patient xmlns="http://hl7.org/fhir">'


def read(inner: str) -> dict[str, Any]:
    return xml_codec.decode(f"{START}{inner}</Patient>".encode())


def test_comments_and_instructions_are_ignored() -> None:
    inner = '<!-- b --><active value="true"/></Patient>'
    document = f'<?xml-stylesheet href="a.xsl"?><!-- a -->{START}{inner}'
    assert xml_codec.decode(document.encode()) == {"resourceType": "Patient", "active": True}


def test_a_byte_order_mark_and_a_schema_location_are_ignored() -> None:
    document = (
        "\ufeff<?xml version='1.0' encoding='UTF-8'?>"
        '<Patient xmlns="http://hl7.org/fhir" xmlns:x="http://www.w3.org/2001/XMLSchema-instance" '
        'x:schemaLocation="http://hl7.org/fhir ../../schema/patient.xsd"/>'
    )
    assert xml_codec.decode(document.encode()) == {"resourceType": "Patient"}


def test_prefixes_are_read_and_do_not_stay_in_the_narrative() -> None:
    document = (
        '<f:Patient xmlns:f="http://hl7.org/fhir" xmlns:h="http://www.w3.org/1999/xhtml">'
        '<f:text><f:status value="generated"/><h:div><h:p>x</h:p></h:div></f:text></f:Patient>'
    )
    assert xml_codec.decode(document.encode())["text"] == {
        "status": "generated",
        "div": '<div xmlns="http://www.w3.org/1999/xhtml"><p>x</p></div>',
    }


@pytest.mark.parametrize(
    "inner",
    [
        lambda: "<name/>" * 1_500_000,
        lambda: "<name" + "".join(f" a{n}=''" for n in range(1_500_000)) + "/>",
    ],
    ids=["elements", "attributes"],
)
def test_too_many_nodes_are_counted_before_there_is_a_tree(inner: Callable[[], str]) -> None:
    text = inner()
    started = time.process_time()
    with pytest.raises(MalformedInput, match="more than 1500000 elements and attributes"):
        read(text)
    assert time.process_time() - started < 2


def test_narratives_of_several_resources_are_not_mixed_up() -> None:
    def with_text(name: str, text: str) -> str:
        div = f'<div xmlns="http://www.w3.org/1999/xhtml">{text}</div>'
        return f'<{name}><text><status value="generated"/>{div}</text></{name}>'

    inner = "".join(
        f"<entry><resource>{with_text('Patient', text)}</resource></entry>" for text in "ab"
    )
    document = f'<Bundle xmlns="http://hl7.org/fhir">{inner}</Bundle>'
    texts = [one["resource"]["text"]["div"] for one in xml_codec.decode(document.encode())["entry"]]
    assert texts == [f'<div xmlns="http://www.w3.org/1999/xhtml">{text}</div>' for text in "ab"]


@pytest.mark.parametrize(
    ("inner", "expected"),
    [
        ('<active value="maybe"/>', {"active": "maybe"}),
        ('<multipleBirthInteger value="1.5"/>', {"multipleBirthInteger": "1.5"}),
        ('<birthDate value=""/>', {"birthDate": ""}),
        ("<birthDate/>", {"_birthDate": {}}),
        ("<contact/>", {"contact": [{}]}),
        ('<foo value="1"/><foo><bar/></foo>', {"foo": [{}, {}]}),
        ("<name><given><foo/></given></name>", {"name": [{"_given": [{"foo": [{}]}]}]}),
        ('<gender value="male"/><gender value="other"/>', {"gender": ["male", "other"]}),
        ('<birthDate id="a"/><birthDate/>', {"_birthDate": [{"id": "a"}, {}]}),
        ("<maritalStatus/><maritalStatus/>", {"maritalStatus": [{}, {}]}),
    ],
)
def test_a_wrong_value_is_left_to_the_structure_check(inner: str, expected: dict[str, Any]) -> None:
    assert read(inner) == {"resourceType": "Patient", **expected}


def test_what_is_left_to_the_structure_check_is_reported_all_at_once() -> None:
    resource = read(
        '<gender value="male"/><gender value="M"/><birthDate value="1970-02-30"/><foo value="1"/>'
        '<name><bar/><given value="A"><baz/></given></name><maritalStatus/><maritalStatus/>'
    )
    assert sorted(issue.expression[0] for issue in check_structure(resource)) == [
        "Patient.birthDate",
        "Patient.foo",
        "Patient.gender",
        "Patient.maritalStatus",
        "Patient.name[0].bar",
        "Patient.name[0].given[0].baz",
    ]


@pytest.mark.parametrize(
    ("inner", "where"),
    [
        ("<_foo/>", "line 1, `Patient._foo`"),
        ('<resourceType value="Group"/>', "line 1, `Patient.resourceType`"),
        ('<active><value value="true"/></active>', "line 1, `Patient.active.value`"),
        ('<name/>\n<name><id value="x"/></name>', "line 2, `Patient.name[1].id`"),
        ('<div xmlns="http://www.w3.org/1999/xhtml"/>', "line 1, `Patient.div`"),
        ('<name foo="1"/>', "line 1, `Patient.name[0]`"),
        ("text", "line 1, `Patient`"),
        (
            '<contact><name xmlns="urn:other"/></contact>',
            "line 1, `Patient.contact[0].{urn:other}name`",
        ),
        ("<contained/>", "line 1, `Patient.contained[0]`"),
        ("<contained><Foo/></contained>", "line 1, `Patient.contained[0]`"),
        ("<contained><Group/><Group/></contained>", "line 1, `Patient.contained[0]`"),
        ("<text><div/></text>", "line 1, `Patient.text.div`"),
        (
            f"<extension url='u'><valueDecimal value='{'9' * 200}'/></extension>",
            "line 1, `Patient.extension[0].valueDecimal`",
        ),
        (
            "<extension url='u'><valueDecimal value='1E9999'/></extension>",
            "line 1, `Patient.extension[0].valueDecimal`",
        ),
    ],
)
def test_what_has_no_place_in_the_resource_is_refused_with_its_place(
    inner: str, where: str
) -> None:
    with pytest.raises(MalformedInput) as caught:
        read(inner)
    assert caught.value.where == where


ENTITIES = "".join(f'<!ENTITY e{n + 1} "&e{n};&e{n};&e{n};">' for n in range(20))


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ("", "not valid XML, Document is empty"),
        ("<Patient", "not valid XML"),
        ("<Patient/>", "is not an R4 resource"),
        ('<Foo xmlns="http://hl7.org/fhir"/>', "is not an R4 resource"),
        (f"<!DOCTYPE Patient>{START}</Patient>", "document type"),
        (
            f"<!-- x -->\n<!DOCTYPE a [<!ENTITY e0 'x'>{ENTITIES}]>{START}&e20;</Patient>",
            "document type",
        ),
        (
            f"<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]>{START}&x;</Patient>",
            "document type",
        ),
        (f'{START}<birthDate value="&e1;"/></Patient>', "not valid XML, Entity 'e1' not defined"),
        (f"{START}{'<extension>' * 70}{'</extension>' * 70}</Patient>", "deeper than 64"),
        (
            f"{START}{'<contained><Group>' * 40}{'</Group></contained>' * 40}</Patient>",
            "deeper than 64",
        ),
        (f"{START}{'<extension>' * 5000}", "Excessive depth"),
        (f"<?xml version='1.0' encoding='utf-16'?>{START}</Patient>", "another encoding"),
        (f"<?xml version='1.0' encoding='iso-8859-1'?>{START}</Patient>", "another encoding"),
        (
            f"<?xml version='1.1'?>{START}<language value='&#1;'/></Patient>",
            "invalid xmlChar value",
        ),
        (f"{START}</Patient>{START}</Patient>", "Extra content"),
        (
            f"{START}<xi:include xmlns:xi='http://www.w3.org/2001/XInclude' href='x'/></Patient>",
            "not an element of Patient",
        ),
        ("\0", "not valid XML"),
    ],
)
def test_unsafe_documents_are_refused(document: str, reason: str) -> None:
    with pytest.raises(MalformedInput) as caught:
        xml_codec.decode(document.encode())
    assert reason in caught.value.reason


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "iso-8859-1"])
def test_bytes_that_are_not_utf_8_are_refused(encoding: str) -> None:
    document = f"<?xml version='1.0' encoding='utf-8'?>{START}<language value='é'/></Patient>"
    with pytest.raises(MalformedInput):
        xml_codec.decode(document.encode(encoding))


MANY = " ".join(f"a{number}='1'" for number in range(50_000))
QUOTES = "'x' " * 50_000


@pytest.mark.parametrize(
    "document",
    [
        pytest.param("<?a ?>" * 100_000 + "x", id="instructions and no root"),
        pytest.param("<!-- a -->" * 100_000 + "x", id="comments and no root"),
        pytest.param("<!--" * 100_000, id="comments that do not end"),
        pytest.param(" \n" * 100_000 + "x", id="white space and no root"),
        pytest.param("<!-- a -->" * 100_000 + "<!DOCTYPE", id="a document type after comments"),
        pytest.param(
            f"{START}<name {MANY}/></Patient>",
            id="attributes",
        ),
        pytest.param(
            '<f:Patient xmlns:f="http://hl7.org/fhir" xmlns:h="http://www.w3.org/1999/xhtml">'
            f"<f:text><h:div {MANY}/></f:text></f:Patient>",
            id="attributes of a narrative with a prefix",
        ),
        pytest.param(f"{START}<name a={QUOTES}/></Patient>", id="quotes"),
    ],
)
def test_a_hostile_document_is_refused_at_once(document: str) -> None:
    start = time.process_time()
    with pytest.raises(MalformedInput):
        xml_codec.decode(document.encode())
    assert time.process_time() - start < 1


PIECES = st.sampled_from(
    [
        START,
        "</Patient>",
        "<name>",
        "</name>",
        '<given value="A"/>',
        '<extension url="u">',
        "</extension>",
        "<contained>",
        "</contained>",
        "<Patient>",
        '<div xmlns="http://www.w3.org/1999/xhtml">',
        "<text>",
        "</text>",
        "</div>",
        "<div/>",
        "<![CDATA[<!-- ]]>",
        "<!-- -->",
        "<?pi?>",
        "&amp;",
        "&#0;",
        "&x;",
        "<!DOCTYPE a>",
        'xmlns:x="y"',
        "<x:y/>",
        "]]>",
        "\x00",
        "é",
        '<valueDecimal value="1e5"/>',
    ]
)


@given(st.lists(PIECES, max_size=12).map("".join) | st.text(max_size=60))
def test_any_text_is_read_or_refused(inner: str) -> None:
    for document in (inner, f"{START}{inner}</Patient>"):
        with contextlib.suppress(MalformedInput):
            assert xml_codec.decode(document.encode())["resourceType"]


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    with contextlib.suppress(MalformedInput):
        xml_codec.decode(data)
