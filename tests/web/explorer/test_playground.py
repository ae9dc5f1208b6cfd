"""The FHIRPath playground: values, types, tree, trace, places, and what is wrong with a caret."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from lxml import html
from shown_pages import BROWSER, seen, text_of

OBSERVATION = {
    "resourceType": "Observation",
    "id": "o",
    "status": "final",
    "code": {"text": "<b>size</b>"},
    "valueQuantity": {"value": 3.10, "unit": "cm"},
}


def post(client: FlaskClient, status: int = 200, **fields: Any) -> html.HtmlElement:
    fields.setdefault("data", json.dumps(OBSERVATION))
    return seen(client.post("/fhirpath", data=fields, headers=BROWSER), status)


def rows(tree: html.HtmlElement) -> list[list[str]]:
    return [text_of(row, "./*") for row in tree.xpath("//section[h2/@id='result']//tbody/tr")]


def test_the_form_is_shown_first(shipped: FlaskClient) -> None:
    tree = seen(shipped.get("/fhirpath", headers=BROWSER))
    assert tree.get_element_by_id("expression").text.strip() == (
        "entry.resource.ofType(Observation).value"
    )


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("value.ofType(Quantity).value", [["decimal", "3.1"]]),
        ("status", [["code", "'final'"]]),
        ("code.text", [["string", "'<b>size</b>'"]]),
        ("1 | true", [["System.Integer", "1"], ["System.Boolean", "true"]]),
        ("value.where(unit = 'm')", []),
    ],
)
def test_values_are_shown_with_their_types(
    shipped: FlaskClient, expression: str, expected: list[list[str]]
) -> None:
    tree = post(shipped, expression=expression)
    assert rows(tree) == expected
    assert tree.xpath("//b") == []


def test_tree_trace_and_places_are_shown(shipped: FlaskClient) -> None:
    tree = post(shipped, expression="status.trace('here') = 'final'")
    assert text_of(tree, "//ul[@class='tree']/li")[0] == (
        "Level 1: Binary = status.trace('here') = 'final'"
    )
    assert text_of(tree, "//dl/dt") == ["here"]
    assert text_of(tree, "//dl/dd") == ["'final'"]
    assert text_of(tree, "//h3[text()='Rests on']/following-sibling::ul[1]/li") == [
        "Observation/o Observation.status"
    ]
    assert text_of(tree, "//pre/mark") == ['"status": "final",']


def test_a_caret_stands_where_the_text_is_no_expression(shipped: FlaskClient) -> None:
    tree = post(shipped, 422, expression="status = = 'final'")
    lines = tree.xpath("//pre[@class='caret']")[0].text_content().splitlines()
    assert [line.rstrip() for line in lines] == ["  status = = 'final'", "           ^"]
    assert tree.xpath("//ul[@class='tree']") == []


def test_a_caret_stands_where_evaluation_fails(shipped: FlaskClient) -> None:
    tree = post(shipped, 422, expression="status + 1")
    assert tree.xpath("//pre[@class='caret']")[0].text_content().splitlines()[-1].strip() == "^"
    assert text_of(tree, "//ul[@class='tree']/li")


def test_the_static_check_warns(shipped: FlaskClient) -> None:
    tree = post(shipped, expression="stateless")
    assert "stateless" in text_of(tree, "//li[@class='is-warning']")[0]


def test_an_example_and_no_resource_will_do(shipped: FlaskClient) -> None:
    tree = post(shipped, expression="entry.count()", example="message", data="")
    assert rows(tree)[0][1] == str(len(json.loads(tree.get_element_by_id("data").text)["entry"]))
    edited = post(shipped, expression="id", example="message", shown="message")
    assert rows(edited)[0][1] == "'o'"
    assert rows(post(shipped, expression="1 + 1", data=""))[0] == ["System.Integer", "2"]


@pytest.mark.parametrize(
    ("fields", "status", "said"),
    [
        ({"expression": "1", "data": "{"}, 400, "The input cannot be read"),
        ({"expression": "1", "example": "none"}, 400, "The parameter `example` is `none`"),
        ({"expression": "1" * 10_001}, 400, "10000 at most"),
        ({"expression": "(" * 4_000 + "1" + ")" * 4_000}, 422, "at most 100 levels"),
        ({"expression": ".".join(["not()"] * 1_500)}, 422, "at most 150 operators"),
        ({"expression": "(1 | 2).repeat($this + 1)"}, 422, "has more than 20000 items"),
    ],
)
def test_what_is_wrong_is_said(
    shipped: FlaskClient, fields: dict[str, str], status: int, said: str
) -> None:
    tree = post(shipped, status, **fields)
    assert said in " ".join(text_of(tree, "//div[@role='alert']//li"))


def test_many_values_are_counted_and_few_shown(shipped: FlaskClient) -> None:
    expression = f"'{'x' * 600}'.toChars()"
    tree = post(shipped, expression=expression)
    assert "600 values, of which 500 are shown" in tree.text_content()
    assert len(rows(tree)) == 500


@pytest.mark.parametrize("times", [1, 2, 500])
def test_a_page_has_room_for_so_much(shipped: FlaskClient, times: int) -> None:
    name = "x" * 1_000_000
    data = json.dumps({"resourceType": "Patient", "name": [{"family": name}]})
    expression = f"'{'a' * times}'.toChars().select(%resource.name.family.trace('t'))"
    tree = post(shipped, expression=expression, data=data)
    assert rows(tree) == [["string", "'" + "x" * 999_999 + "\u2026"]]
    assert text_of(tree, "//dd") == rows(tree)[0][1:]
    told = [text for text in text_of(tree, "//p[@class='muted']") if "shown" in text]
    more = [f"{times} values, of which 1 is shown", "There is more than is shown."]
    assert told == (more if times > 1 else [])


def test_the_moment_is_that_of_the_service(service_of: Callable[..., FlaskClient]) -> None:
    assert rows(post(service_of(), expression="today()"))[0][1] == "2026-11-27"
