"""Formats: Accept, `_format`, Content-Type.  https://hl7.org/fhir/R4/http.html#mime-type."""

import pytest

from carepath.web.http.negotiation import (
    NotAcceptable,
    UnsupportedMediaType,
    answer_format,
    body_format,
)

HAPI = (
    "application/fhir+xml;q=1.0, application/fhir+json;q=1.0, "
    "application/xml+fhir;q=0.9, application/json+fhir;q=0.9"
)
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        pytest.param(None, "json", id="no Accept: JSON"),
        pytest.param("", "json", id="an empty Accept: JSON"),
        pytest.param("*/*", "json", id="anything: JSON"),
        pytest.param("application/*", "json", id="any application type: JSON"),
        pytest.param("application/fhir+json", "json", id="FHIR JSON"),
        pytest.param("application/fhir+xml", "xml", id="FHIR XML"),
        pytest.param("application/json", "json", id="generic JSON means FHIR JSON"),
        pytest.param("text/json", "json", id="text/json"),
        pytest.param("application/xml", "xml", id="generic XML"),
        pytest.param("text/xml", "xml", id="text/xml"),
        pytest.param("application/json+fhir", "json", id="legacy JSON name"),
        pytest.param("application/xml+fhir", "xml", id="legacy XML name"),
        pytest.param("APPLICATION/FHIR+XML", "xml", id="names in any case"),
        pytest.param("application/fhir+json; fhirVersion=4.0", "json", id="fhirVersion 4.0"),
        pytest.param("application/fhir+json; fhirVersion=4.0.1", "json", id="fhirVersion 4.0.1"),
        pytest.param(
            "application/fhir+xml; charset=utf-8; fhirVersion=4.0", "xml", id="Firely .NET"
        ),
        pytest.param("application/fhir+json;charset=utf-8", "json", id="charset"),
        pytest.param(HAPI, "json", id="HAPI: XML first with equal weight, JSON answers"),
        pytest.param(BROWSER, "json", id="a browser: JSON"),
        pytest.param("application/fhir+json;q=0.2, application/fhir+xml", "xml", id="q-values"),
        pytest.param("application/fhir+json;q=0, */*", "xml", id="q=0 excludes"),
        pytest.param("text/turtle, application/fhir+xml;q=0.1", "xml", id="unknown member ignored"),
        pytest.param("application/fhir+json;q=x", "json", id="a q that is no number"),
        pytest.param("application/fhir+xml;q=5, application/json", "json", id="a q above 1 is 1"),
        pytest.param("application/fhir+json;q=NaN", "json", id="nor is this one"),
        pytest.param("application/fhir+json;q=0., */*;q=.5", "xml", id="short forms of numbers"),
        pytest.param("*", "json", id="anything, as old Java clients say it"),
        pytest.param("application/fhir+xml, */*", "xml", id="a name before a range"),
        pytest.param("*/*, application/fhir+xml;q=0.9", "json", id="but only among equals"),
        pytest.param(
            'application/fhir+xml;profile="a,b;q=0", text/turtle', "xml", id="a comma in quotes"
        ),
        pytest.param(
            "application/fhir+json; fhirVersion=5.0, application/fhir+xml",
            "xml",
            id="other version",
        ),
    ],
)
def test_accept(accept: str | None, expected: str) -> None:
    assert answer_format(accept, "", None) == expected


@pytest.mark.parametrize(
    "accept",
    [
        "text/turtle",
        "text/html",
        "application/pdf",
        "application/fhir+json;q=0",
        "application/fhir+json; fhirVersion=5.0",
        "application/fhir+json; fhirVersion=3.0, application/fhir+xml; fhirVersion=3.0",
        ",",
    ],
)
def test_accept_that_cannot_be_met(accept: str) -> None:
    with pytest.raises(NotAcceptable):
        answer_format(accept, "", None)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("json", "json"),
        ("xml", "xml"),
        ("application/fhir+json", "json"),
        ("application/fhir json", "json"),  # `+` is a space in a query
        ("application/fhir xml", "xml"),
        ("application/json", "json"),
        ("text/xml", "xml"),
        ("application/fhir+xml; fhirVersion=4.0", "xml"),
        ("application/fhir xml;fhirVersion=4.0", "xml"),
    ],
)
def test_format_parameter_wins_over_accept(text: str, expected: str) -> None:
    assert answer_format("text/turtle", text, None) == expected


@pytest.mark.parametrize("text", ["ttl", "text/turtle", "html", "jsonx", "json; fhirVersion=5.0"])
def test_format_parameter_that_cannot_be_met(text: str) -> None:
    with pytest.raises(NotAcceptable) as caught:
        answer_format("application/fhir+json", text, None)
    assert caught.value.wanted == f"_format={text}"


@pytest.mark.parametrize("accept", [None, "*/*", "text/html;q=0, */*"])
def test_no_wish_mirrors_the_body(accept: str | None) -> None:
    assert answer_format(accept, "", "application/fhir+xml") == "xml"
    assert answer_format(accept, "", "application/json") == "json"
    assert answer_format(accept, "", "application/x-www-form-urlencoded") == "json"


@pytest.mark.parametrize(
    ("content_type", "expected"),
    [
        ("application/fhir+json", "json"),
        ("application/fhir+json; charset=UTF-8", "json"),
        ("application/json", "json"),
        ("application/xml+fhir", "xml"),
        ('application/fhir+xml; charset="utf-8"; fhirVersion=4.0', "xml"),
    ],
)
def test_content_type(content_type: str, expected: str) -> None:
    assert body_format(content_type) == expected


@pytest.mark.parametrize(
    "content_type",
    [None, "", "text/plain", "application/pdf", "application/fhir+json; fhirVersion=5.0",
     "application/fhir+json; charset=iso-8859-1"],
)  # fmt: skip
def test_content_type_that_cannot_be_read(content_type: str | None) -> None:
    with pytest.raises(UnsupportedMediaType):
        body_format(content_type)


def test_text_plain_is_read_where_the_deployment_says_so() -> None:
    assert body_format("text/plain; charset=utf-8", text_plain=True) == "json"
