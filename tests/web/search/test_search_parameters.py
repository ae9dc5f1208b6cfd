"""Every type of search parameter with its modifiers, prefixes and escapes, as R4 has them.

https://hl7.org/fhir/R4/search.html
"""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from flask.testing import FlaskClient

from carepath.knowledge import Knowledge
from carepath.r4.search import search_parameters
from carepath.web import Config, create_app
from carepath.web.definitions import DEFINITION_TYPES
from carepath.web.search.index import SEARCH_TYPES, parameters

URL = "https://example.org/fhir"
UCUM = "http://unitsofmeasure.org"
PALETTE = f"{URL}/CodeSystem/palette"


def library(id: str, **elements: Any) -> dict[str, Any]:
    head = {"resourceType": "Library", "id": id, "url": f"{URL}/lib/{id}", "status": "draft"}
    return {**head, "type": {"coding": [{"code": "logic-library"}]}, **elements}


def context(code: str, **value: Any) -> dict[str, Any]:
    return {"code": {"system": "urn:usage", "code": code}, **value}


def quantity(value: float, code: str, **elements: Any) -> dict[str, Any]:
    return {"value": value, "system": UCUM, "code": code, "unit": code, **elements}


def concept(code: str, system: str = PALETTE, **elements: Any) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code}], **elements}


def related(kind: str, resource: str) -> dict[str, Any]:
    return {"type": kind, "resource": resource}


VERSIONS = [
    {**library("versions", date=date), "version": version}
    for version, date in (("3", "2026-03-01"), ("2", "2026-02-01"), ("1", "2026-01-01"))
]
DEFINITIONS = [
    library("mg", useContext=[context("dose", valueQuantity=quantity(5.4, "mg"))]),
    library("g", useContext=[context("dose", valueQuantity=quantity(0.0054, "g"))]),
    library("over", useContext=[context("dose", valueQuantity=quantity(9, "mg", comparator=">"))]),
    library(
        "adults",
        useContext=[
            context("age", valueRange={"low": quantity(18, "a")}),
            context("venue", valueCodeableConcept=concept("park", "urn:venues")),
        ],
    ),
    library(
        "school",
        useContext=[
            context("age", valueRange={"low": quantity(6, "a"), "high": quantity(12, "a")}),
            context("venue", valueCodeableConcept=concept("school", "urn:venues")),
        ],
    ),
    library("money", useContext=[context("price", valueQuantity={"value": 5, "unit": "EUR"})]),
    library(
        "colour",
        topic=[concept("scarlet", text="A loud red"), concept("Shout", "urn:topics")],
        jurisdiction=[concept("PL", "urn:iso:std:iso:3166")],
        identifier=[
            {"type": {**concept("MR", "urn:types"), "text": "Record"}, "value": "12|3"},
            {"system": "urn:ids", "value": "a,b"},
        ],
        name="Colour",
        title="Price, $5 | 6 \\ 7",
        publisher="Ministry",
        effectivePeriod={"start": "2026-01-10", "end": "2026-02-10"},
        relatedArtifact=[
            related("composed-of", f"{URL}/lib/mg|1.0.0"),
            related("depends-on", f"{URL}/ValueSet/reds"),
            related("derived-from", f"{URL}/lib/g"),
            related("predecessor", f"{URL}/lib/old"),
            related("successor", f"{URL}/lib/adults"),
        ],
    ),
    library("moment", date="2026-03-01T23:30:00-05:00"),
    library("open", effectivePeriod={"start": "2026-02-01"}),
    {
        "resourceType": "CodeSystem",
        "id": "palette",
        "url": PALETTE,
        "status": "active",
        "content": "complete",
        "hierarchyMeaning": "is-a",
        "concept": [{"code": "red", "concept": [{"code": "scarlet"}]}, {"code": "blue"}],
    },
    {
        "resourceType": "ValueSet",
        "id": "reds",
        "url": f"{URL}/ValueSet/reds",
        "status": "active",
        "compose": {"include": [{"system": PALETTE, "concept": [{"code": "scarlet"}]}]},
    },
    {
        "resourceType": "ValueSet",
        "id": "elsewhere",
        "url": f"{URL}/ValueSet/elsewhere",
        "status": "active",
        "compose": {"include": [{"system": "urn:not-here"}]},
    },
    {
        "resourceType": "ImplementationGuide",
        "id": "guide",
        "url": f"{URL}/ImplementationGuide/guide",
        "status": "draft",
        "name": "Guide",
        "packageId": "x",
        "fhirVersion": ["4.0.1"],
        "definition": {
            "resource": [
                {"reference": {"reference": "Library/mg"}},
                {"reference": {"identifier": {"system": "urn:ids", "value": "i-1"}}},
            ]
        },
    },
    {
        "resourceType": "PlanDefinition",
        "id": "outer",
        "url": f"{URL}/plan/outer",
        "status": "draft",
        "action": [{"definitionCanonical": f"{URL}/plan/inner"}],
    },
    {
        "resourceType": "PlanDefinition",
        "id": "inner",
        "url": f"{URL}/plan/inner",
        "status": "draft",
        "library": [f"{URL}/lib/colour"],
        "action": [
            {"definitionCanonical": f"{URL}/plan/outer"},
            {"definitionCanonical": f"{URL}/activity/a"},
        ],
    },
    {
        "resourceType": "ActivityDefinition",
        "id": "a",
        "url": f"{URL}/activity/a",
        "status": "draft",
        "library": [f"{URL}/lib/mg"],
    },
]


@pytest.fixture(scope="module")
def shelf() -> FlaskClient:
    return create_app(Config(), Knowledge.of(DEFINITIONS)).test_client()


def found(client: FlaskClient, resource_type: str, query: str, mode: str = "match") -> list[str]:
    response = client.get(f"/fhir/{resource_type}?{query}", headers={"Prefer": "handling=strict"})
    assert response.status_code == 200, response.text
    entries = json.loads(response.data).get("entry", [])
    return [e["resource"]["id"] for e in entries if e["search"]["mode"] == mode]


LIBRARY = [
    # quantity: the number has the precision that it is written with; units of UCUM are converted
    ("context-quantity", "5.4", ["mg"]),
    ("context-quantity", "5", ["mg", "money"]),
    ("context-quantity", f"5.4|{UCUM}|mg", ["g", "mg"]),
    ("context-quantity", f"5400|{UCUM}|ug", ["g", "mg"]),
    ("context-quantity", f"5.41|{UCUM}|mg", []),
    ("context-quantity", f"5.40|{UCUM}|mg", ["g", "mg"]),
    ("context-quantity", f"ne5.4|{UCUM}|mg", ["over"]),
    ("context-quantity", f"gt5.4|{UCUM}|mg", ["over"]),
    ("context-quantity", f"gt5.3|{UCUM}|mg", ["g", "mg", "over"]),
    ("context-quantity", f"ge5.4|{UCUM}|mg", ["g", "mg", "over"]),
    ("context-quantity", f"lt9|{UCUM}|mg", ["g", "mg"]),
    ("context-quantity", f"le9|{UCUM}|mg", ["g", "mg"]),
    ("context-quantity", f"le9.01|{UCUM}|mg", ["g", "mg", "over"]),
    ("context-quantity", f"sa9|{UCUM}|mg", ["over"]),
    ("context-quantity", f"sa8|{UCUM}|mg", ["over"]),
    ("context-quantity", f"eb6|{UCUM}|mg", ["g", "mg"]),
    ("context-quantity", f"ap5.8|{UCUM}|mg", ["g", "mg"]),
    ("context-quantity", f"ap7|{UCUM}|mg", []),
    ("context-quantity", f"5.4|{UCUM}|s", []),
    ("context-quantity", "5.4|urn:other|mg", []),
    ("context-quantity", "5.4||mg", ["mg"]),
    ("context-quantity", "5||EUR", ["money"]),
    ("context-quantity", f"ge20|{UCUM}|a", ["adults"]),
    ("context-quantity", f"sa15|{UCUM}|a", ["adults"]),
    ("context-quantity", f"lt18|{UCUM}|a", ["school"]),
    ("context-quantity", f"9|{UCUM}|a", []),
    ("context-quantity", f"ap9|{UCUM}|a", ["school"]),
    ("context-quantity", f"1e1|{UCUM}|a", ["school"]),
    ("context-quantity", f"5.4|{UCUM}|mg,5||EUR", ["g", "mg", "money"]),
    ("context-quantity:missing", "false", ["adults", "g", "mg", "money", "over", "school"]),
    # composite: both in one and the same context
    ("context-type-quantity", f"dose$5.4|{UCUM}|mg", ["g", "mg"]),
    ("context-type-quantity", "urn:usage|dose$gt5", ["mg", "over"]),
    ("context-type-quantity", f"age$5.4|{UCUM}|mg", []),
    ("context-type-quantity", f"age$ge18|{UCUM}|a", ["adults"]),
    ("context-type-quantity", "price$5,dose$5.4", ["mg", "money"]),
    ("context-type-value", "venue$park", ["adults"]),
    ("context-type-value", "urn:usage|venue$urn:venues|school", ["school"]),
    ("context-type-value", "age$park", []),
    ("context-type-value", "venue$park,venue$school", ["adults", "school"]),
    # token
    ("context", "park", ["adults"]),
    ("context", "mg", []),  # That is the unit of a quantity, and no concept.
    ("context", "urn:venues|", ["adults", "school"]),
    ("context-type", "dose", ["g", "mg", "over"]),
    ("topic", "shout", ["colour"]),
    ("topic", f"{PALETTE}|SCARLET", ["colour"]),
    ("topic:text", "a LOUD", ["colour"]),
    ("topic:in", f"{URL}/ValueSet/reds", ["colour"]),
    ("topic:in", "ValueSet/reds", ["colour"]),
    ("topic:below", f"{PALETTE}|red", ["colour"]),
    ("topic:below", f"{PALETTE}|scarlet", ["colour"]),
    ("topic:below", f"{PALETTE}|blue", []),
    ("topic:above", f"{PALETTE}|scarlet", ["colour"]),
    ("topic:above", f"{PALETTE}|red", []),
    ("topic:not", "shout", ["adults", "g", "mg", "moment", "money", "open", "over", "school"]),
    (
        "topic:not-in",
        f"{URL}/ValueSet/reds",
        ["adults", "g", "mg", "moment", "money", "open", "over", "school"],
    ),
    ("jurisdiction", "urn:iso:std:iso:3166|PL", ["colour"]),
    ("identifier:of-type", "urn:types|MR|12\\|3", ["colour"]),
    ("identifier:of-type", "urn:types|XX|12\\|3", []),
    ("identifier:text", "rec", ["colour"]),
    ("_id", "MG", []),
    ("_id", "mg,g", ["g", "mg"]),
    # what a backslash takes its meaning from
    ("identifier", "12\\|3", ["colour"]),
    ("identifier", "|12\\|3", ["colour"]),
    ("identifier", "urn:ids|a\\,b", ["colour"]),
    ("identifier", "urn:ids|a,b", []),
    ("title", "price\\, \\$5 \\| 6 \\\\ 7", ["colour"]),
    ("title:exact", "Price\\, \\$5 \\| 6 \\\\ 7", ["colour"]),
    ("title", "price\\, $5 | 6", ["colour"]),
    ("publisher", "MIN", ["colour"]),
    ("publisher:contains", "nist", ["colour"]),
    # references and canonicals
    ("composed-of", f"{URL}/lib/mg", ["colour"]),
    ("composed-of", f"{URL}/lib/mg|1.0.0", ["colour"]),
    ("composed-of", f"{URL}/lib/mg|2.0.0", []),
    ("composed-of", "Library/mg", ["colour"]),
    ("composed-of", "mg", ["colour"]),
    ("composed-of:Library", "mg", ["colour"]),
    ("composed-of:PlanDefinition", "mg", []),
    ("composed-of:identifier", "i-1", []),
    ("depends-on", "ValueSet/reds", ["colour"]),
    ("derived-from", "g", ["colour"]),
    ("predecessor", f"{URL}/lib/old", ["colour"]),
    ("successor", "Library/adults", ["colour"]),
    ("successor:missing", "false", ["colour"]),
    # dates, periods, time zones
    ("effective", "2026", ["colour"]),
    ("effective", "2026-01", []),
    ("effective", "ge2026-02-11", ["open"]),
    ("effective", "le2026-01-10", ["colour"]),
    ("effective", "lt2026-01-10", []),
    ("effective", "sa2026-01-31", ["open"]),
    ("effective", "eb2026-02-11", ["colour"]),
    ("effective", "eb2026-02-10", []),
    ("effective", "ap2025-12-20", ["colour"]),
    ("effective", "gt2030", ["open"]),
    ("date", "2026-03-02", ["moment"]),
    ("date", "2026-03-02T04:30Z", ["moment"]),
    ("date", "2026-03-02T04:30:00Z", ["moment"]),
    ("date", "2026-03-01T23:30:00-05:00", ["moment"]),
    ("date", "2026-03-02T08:30:00 04:00", ["moment"]),  # a `+` that was not escaped
    ("date", "ge2026-03-02T08:30+04:00", ["moment"]),
    ("date", "sa2026-03-01", ["moment"]),
    ("date", "eb2026-03-01", []),
    ("date", "9999", []),
    ("date", "ap0001-01-01", []),
    ("date", "ap2026-04-01", ["moment"]),  # thirty days at most lie between them
    ("date", "ap2026-04-02", []),
    ("date", "gt9999-12-31T23:59:59.999999Z", []),
]


@pytest.mark.parametrize(("name", "value", "expected"), LIBRARY)
def test_value(shelf: FlaskClient, name: str, value: str, expected: list[str]) -> None:
    assert found(shelf, "Library", urlencode({name: value})) == expected


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("resource=Library/mg", ["guide"]),
        ("resource=mg", ["guide"]),
        ("resource:Library=mg", ["guide"]),
        ("resource:identifier=urn:ids|i-1", ["guide"]),
        ("resource:identifier=i-2", []),
        ("resource:identifier=i-1&resource=mg", ["guide"]),
    ],
)
def test_references_that_are_no_canonicals(
    shelf: FlaskClient, query: str, expected: list[str]
) -> None:
    assert found(shelf, "ImplementationGuide", query) == expected


@pytest.mark.parametrize(
    ("name", "value", "because"),
    [
        ("context-quantity", "5|mg", "is not a quantity"),
        ("context-quantity", "much", "is not a quantity"),
        ("context-quantity", "1e999", "is not a quantity"),
        ("context-quantity:below", "5", "no such modifier"),
        ("context-type-quantity", "dose", "expected context-type$context-quantity"),
        ("context-type-quantity", "dose$", "expected context-type$context-quantity"),
        ("context-type-quantity", "dose$5$6", "expected context-type$context-quantity"),
        ("context-type-quantity", "dose$much", "is not a quantity"),
        ("context-type-value:missing", "true", "has no modifiers"),
        ("topic:in", f"{URL}/ValueSet/none", "is not here"),
        ("topic:not-in", f"{URL}/ValueSet/elsewhere", "not all of its codes"),
        ("topic:below", "red", "expected system|code"),
        ("topic:below", f"{PALETTE}|green", "expected system|code"),
        ("topic:above", "urn:not-here|red", "expected system|code"),
        ("identifier:of-type", "MR|12", "expected system|code|value"),
        ("composed-of", "|1.0.0", "expected an id"),
        ("composed-of:Nothing", "mg", "no such modifier"),
        ("composed-of.name", "x", "no chained parameters"),
        ("composed-of:Library.name", "x", "no such modifier"),
        ("name", ",", "no value between the commas"),
        ("date", "9999-12-31T23:59:59-12:00", "is not a date"),
        ("date", "2026-02-30", "is not a date"),
        ("date", "2026-02-03T00:00:00+99:99", "is not a date"),
        ("date", "٢٠٢٦", "is not a date"),
        ("_count", "٣", "whole number"),
        ("_sort", "context-quantity", "not a parameter to sort by"),
        ("_sort", "context-type-value", "not a parameter to sort by"),
    ],
)
def test_value_that_cannot_be_used(shelf: FlaskClient, name: str, value: str, because: str) -> None:
    response = shelf.get(f"/fhir/Library?{urlencode({name: value})}")
    issue = json.loads(response.data)["issue"][0]
    assert response.status_code == 400
    assert because in issue["diagnostics"]
    assert name.partition(":")[0].partition(".")[0] in issue["diagnostics"]


@pytest.mark.parametrize("resource_type", DEFINITION_TYPES)
def test_every_parameter_of_r4_that_an_expression_describes_is_there(resource_type: str) -> None:
    defined = {c for c, p in search_parameters(resource_type).items() if p.expression}
    assert set(parameters(resource_type)) == defined
    assert {p.type for p in parameters(resource_type).values()} <= SEARCH_TYPES
    contexts = {"context", "context-quantity", "context-type", "context-type-quantity",
                "context-type-value"}  # fmt: skip
    assert contexts <= defined


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("_include=PlanDefinition:definition", ["inner"]),
        ("_include:iterate=PlanDefinition:definition", ["inner", "a"]),
        ("_include:recurse=PlanDefinition:definition", ["inner", "a"]),
        (
            "_include:iterate=PlanDefinition:definition&_include:iterate=PlanDefinition:depends-on",
            ["inner", "a", "colour"],
        ),
        (
            "_include=PlanDefinition:definition&_include:iterate=ActivityDefinition:depends-on",
            ["inner"],
        ),
        ("_include=PlanDefinition:*", ["inner"]),
        ("_include:iterate=*", ["inner", "a", "colour", "mg", "reds", "g", "adults"]),
        ("_include:iterate=PlanDefinition:definition:ActivityDefinition", []),
    ],
)
def test_include_again_and_again(shelf: FlaskClient, query: str, expected: list[str]) -> None:
    """Each once, though the two plans lead to each other, and never the match itself."""
    query = f"_id=outer&{query}"
    assert sorted(found(shelf, "PlanDefinition", query, "include")) == sorted(expected)
    assert found(shelf, "PlanDefinition", query) == ["outer"]


def test_include_does_not_go_together_with_summary_text(shelf: FlaskClient) -> None:
    response = shelf.get("/fhir/PlanDefinition?_summary=text&_include=*")
    assert response.status_code == 400


def test_the_order_is_the_same_whatever_the_order_of_equals(shelf: FlaskClient) -> None:
    for order in ("status", "-status", "status,status", "status,-status"):
        assert found(shelf, "Library", f"_sort={order}") == found(shelf, "Library", "")
    by_date = found(shelf, "Library", "_sort=-date")
    assert by_date == ["moment", *(id for id in found(shelf, "Library", "") if id != "moment")]


def pages(client: FlaskClient, url: str) -> Iterator[dict[str, Any]]:
    following: str | None = url
    while following:
        page: dict[str, Any] = json.loads(client.get(following).data)
        yield page
        following = next((k["url"] for k in page["link"] if k["relation"] == "next"), None)


def test_pages_can_be_followed_at_another_process(shelf: FlaskClient) -> None:
    """Nothing of a page is kept in the service."""
    first = next(pages(shelf, "/fhir/Library?_count=4&status=draft&_sort=_id"))
    other = create_app(Config(), Knowledge.of(DEFINITIONS)).test_client()
    following = next(k["url"] for k in first["link"] if k["relation"] == "next")
    seen = [first, *pages(other, following)]
    ids = [entry["resource"]["id"] for page in seen for entry in page["entry"]]
    assert ids == sorted(ids) == found(shelf, "Library", "_sort=_id")
    assert [len(page["entry"]) for page in seen] == [4, 4, 1]


def test_links_repeat_what_the_search_was_done_by(shelf: FlaskClient) -> None:
    query = (
        "colour=red&status=draft,active&name:missing=true&_sort=-_id&_count=2&_total=estimate"
        "&_elements=status&_format=json&_pretty=true&empty="
    )
    body = json.loads(shelf.get(f"/fhir/Library?{query}").data)
    kept = (
        "status=draft%2Cactive&name%3Amissing=true&_sort=-_id&_count=2&_total=estimate"
        "&_elements=status&_format=json&_pretty=true"
    )
    links = {link["relation"]: link["url"] for link in body["link"]}
    assert links["self"] == f"http://localhost/fhir/Library?{kept}"
    assert links["next"].startswith(f"http://localhost/fhir/Library?{kept}&_page=")
    second = json.loads(shelf.get(links["next"]).data)
    assert second["link"][0]["url"] == links["next"]


@pytest.mark.parametrize("where", ["query", "form"])
def test_a_query_must_be_utf_8(shelf: FlaskClient, where: str) -> None:
    if where == "query":
        response = shelf.get("/fhir/Library?name=%ff")
    else:
        form = "application/x-www-form-urlencoded"
        response = shelf.post("/fhir/Library/_search", data=b"name=%ff", content_type=form)
    assert response.status_code == 400


@pytest.mark.parametrize(
    "form",
    [
        b"name=" + b"x" * 200_000,
        b"name=" + b"x," * 1_001,
        b"&".join(b"name:missing=true" for _ in range(1_001)),
        b"name=x" + b"&a=1" * 1_000,
    ],
    ids=["bytes", "alternatives", "filters", "fields"],
)
def test_a_search_of_any_size_is_answered_or_refused_at_once(
    shelf: FlaskClient, form: bytes
) -> None:
    kind = "application/x-www-form-urlencoded"
    response = shelf.post("/fhir/Library/_search", data=form, content_type=kind)
    assert response.status_code == 413
    assert json.loads(response.data)["issue"][0]["code"] == "too-long"


def test_a_search_ends_when_it_takes_too_long() -> None:
    """A deployment may hold value sets of any size."""
    codes = [{"code": f"c{index}"} for index in range(20_000)]
    include = [{"system": "urn:many", "concept": codes}]
    many = {"resourceType": "ValueSet", "id": "many", "url": "urn:vs", "status": "draft",
            "compose": {"include": include}}  # fmt: skip
    client = create_app(Config(request_seconds=1.0), Knowledge.of([many])).test_client()
    wanted = ",".join(f"x{index}" for index in range(1_000))
    response = client.post("/fhir/ValueSet/_search", data={"code": wanted})
    assert response.status_code == 422
    assert json.loads(response.data)["issue"][0]["code"] == "too-costly"
    assert client.get("/fhir/ValueSet?code=c1&_summary=count").json == {
        "resourceType": "Bundle",
        "type": "searchset",
        "total": 1,
        "link": [
            {"relation": "self", "url": "http://localhost/fhir/ValueSet?code=c1&_summary=count"}
        ],
    }


def test_a_form_says_how_it_wants_to_be_answered(shelf: FlaskClient) -> None:
    """What holds for the URL holds for the form: `_format`, `_pretty`, `_summary`."""
    url = "/fhir/Library/_search"
    xml = shelf.post(url, data={"_format": "xml", "_summary": "count"})
    assert xml.content_type == "application/fhir+xml; charset=utf-8"
    pretty = shelf.post(url, data={"_pretty": "true", "_summary": "count"})
    assert b"\n  " in pretty.data
    refused = shelf.post(url, data={"_format": "ttl"})
    assert refused.status_code == 406
    first = shelf.post(f"{url}?_format=json", data={"_format": "xml"})
    assert first.content_type == "application/fhir+json; charset=utf-8"
    form = "application/x-www-form-urlencoded"
    several = shelf.post(url, data=b"_format=xml&_format=json&_count=0", content_type=form)
    assert several.content_type == "application/fhir+xml; charset=utf-8"


@pytest.mark.parametrize("code", [quote(c) for c in ("\x01", "\ufffe", "\x0b")])
def test_characters_that_xml_does_not_have(shelf: FlaskClient, code: str) -> None:
    for name in ("date", "_sort", f"title:{code}", "name", "_elements", code):
        response = shelf.get(f"/fhir/Library?{name}={code}&_format=xml")
        assert response.status_code in (200, 400)
        assert response.data.startswith(b"<?xml")


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("_at=2026-01-15", ["1"]),
        ("_at=2026-02", ["2"]),
        ("_at=2026", ["3", "2", "1"]),
        ("_at=2026-02-01T00:00:00Z", ["2"]),
        ("_at=2025", []),
        ("_since=2026-02-01", ["3", "2"]),
        ("_since=2026-01-15&_at=2026-02-15", ["2"]),
    ],
)
def test_history_by_time(query: str, expected: list[str]) -> None:
    client = create_app(Config(), Knowledge.of(VERSIONS)).test_client()
    body = json.loads(client.get(f"/fhir/Library/versions/_history?{query}").data)
    assert [e["resource"]["version"] for e in body.get("entry", [])] == expected
    assert body["total"] == len(expected)
