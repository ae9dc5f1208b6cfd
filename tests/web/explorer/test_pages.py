"""Front page, pathways and API: what is on them, who gets them, and that text stays text."""

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from shown_pages import BROWSER, seen, text_of

from carepath.knowledge import Knowledge, top_level_plans

PLANS = [plan["id"] for plan in Knowledge.shipped().all("PlanDefinition")]
HOSTILE = "<script>alert('x')</script>\"'&"


def test_the_front_page_shows_every_pathway(shipped: FlaskClient) -> None:
    tree = seen(shipped.get("/", headers=BROWSER))
    entries = [plan["title"] for plan in top_level_plans(Knowledge.shipped())]
    assert text_of(tree, "//article//h3") == entries
    linked = {a.removeprefix("/pathways/") for a in tree.xpath("//h3/a/@href | //h4/a/@href")}
    assert linked == set(PLANS)
    pictures = {src.split("/")[2] for src in tree.xpath("//img/@src")}
    assert pictures == set(PLANS)


@pytest.mark.parametrize(
    "accept",
    [
        None,
        "*/*",
        "application/fhir+json",
        "application/json, text/html;q=0.5",
        "text/html, */*",
        "text/html;q=0.4, */*;q=0.5",
        "application/fhir+xml;q=0.9, */*;q=0.1",
    ],
)
def test_who_prefers_no_page_gets_what_was_there_before(
    shipped: FlaskClient, service_of: Callable[..., FlaskClient], accept: str | None
) -> None:
    headers = {} if accept is None else {"Accept": accept}
    without = service_of(explorer=False)
    for path in ("/", "/nothing", "/fhir", "/fhir/Nothing"):
        one, other = (client.get(path, headers=headers) for client in (shipped, without))
        told = (one.status_code, one.content_type, one.data)
        assert told == (other.status_code, other.content_type, other.data)


def test_nothing_under_fhir_becomes_a_page(shipped: FlaskClient) -> None:
    for path in ("/fhir/metadata", "/fhir/PlanDefinition/none", "/fhir/none", "/openapi.json"):
        assert "html" not in (shipped.get(path, headers=BROWSER).content_type or "")


def test_the_explorer_can_be_switched_off(service_of: Callable[..., FlaskClient]) -> None:
    client = service_of(explorer=False)
    for path in ("/", "/pathways/x", "/try", "/fhirpath", "/api", "/assets/explorer.css"):
        answer = client.get(path, headers=BROWSER)
        assert (answer.status_code, answer.json["resourceType"]) == (404, "OperationOutcome")


@pytest.mark.parametrize("id", PLANS)
def test_a_pathway_shows_scope_table_conflicts_and_statements(
    shipped: FlaskClient, id: str
) -> None:
    plan = Knowledge.shipped().plan(id)
    tree = seen(shipped.get(f"/pathways/{id}", headers=BROWSER))
    assert text_of(tree, "//h1") == [plan["title"]]
    rows = tree.xpath("//section[h2/@id='table']//tbody/tr")
    assert len(rows) == _count(plan)
    assert [svg.get("role") for svg in tree.xpath("//main//svg")] == ["group", "group"]
    cited = set(tree.xpath("//td/a[starts-with(@href, '#statement-')]/text()"))
    assert set(text_of(tree, "//dl[@class='statements']/dt[@id]")) == cited
    assert "Its text is not here." not in tree.text_content()


def _count(element: dict[str, Any]) -> int:
    return sum(1 + _count(action) for action in element.get("action", ()))


def test_a_picture_is_a_file_with_a_tag(shipped: FlaskClient) -> None:
    first = shipped.get(f"/pathways/{PLANS[0]}/drawing.svg")
    assert (first.status_code, first.content_type) == (200, "image/svg+xml")
    assert first.headers["Content-Security-Policy"] == "default-src 'none'"
    tag = first.headers["ETag"]
    again = shipped.get(f"/pathways/{PLANS[0]}/drawing.svg", headers={"If-None-Match": tag})
    assert (again.status_code, again.data) == (304, b"")


def test_an_unknown_pathway_is_told_in_the_words_of_the_service(shipped: FlaskClient) -> None:
    tree = seen(shipped.get("/pathways/none", headers=BROWSER), 404)
    said = "The PlanDefinition with id or canonical `none` was not found."
    assert text_of(tree, "//div[@role='alert']//p") == [said]


def test_an_unknown_address_is_a_page_for_people(shipped: FlaskClient) -> None:
    tree = seen(shipped.get("/nothing", headers=BROWSER), 404)
    assert text_of(tree, "//div[@role='alert']//p") == ["There is nothing at this URL."]


def test_a_host_that_is_none_is_refused_on_a_page(shipped: FlaskClient) -> None:
    answer = shipped.get("/", headers={**BROWSER, "Host": "a b"})
    seen(answer, 400)


def test_another_method_is_refused(shipped: FlaskClient) -> None:
    answer = shipped.post("/api", headers=BROWSER)
    seen(answer, 405)
    assert answer.headers["Allow"] == "GET, HEAD, OPTIONS"


def test_what_content_says_stays_text(service_of: Callable[..., FlaskClient]) -> None:
    plan = {
        "resourceType": "PlanDefinition",
        "id": "hostile",
        "status": "draft",
        "title": HOSTILE,
        "description": HOSTILE,
        "action": [
            {
                "title": HOSTILE,
                "description": HOSTILE,
                "condition": [
                    {
                        "kind": "applicability",
                        "expression": {"language": "text/fhirpath", "expression": HOSTILE},
                    }
                ],
                "documentation": [{"type": "documentation", "label": HOSTILE}],
            }
        ],
    }
    client = service_of(plan)
    for path in ("/", "/pathways/hostile"):
        tree = seen(client.get(path, headers=BROWSER))
        assert tree.xpath("//script[not(@src)]") == []
        assert HOSTILE in tree.text_content()


def test_a_plan_without_url_and_title_has_a_page(service_of: Callable[..., FlaskClient]) -> None:
    plan = {"resourceType": "PlanDefinition", "id": "bare", "status": "draft"}
    client = service_of(plan)
    assert text_of(seen(client.get("/", headers=BROWSER)), "//h3/a | //h4/a") == ["bare"]
    assert text_of(seen(client.get("/pathways/bare", headers=BROWSER)), "//h1") == ["bare"]


def test_the_api_page_tells_of_every_endpoint(shipped: FlaskClient) -> None:
    tree = seen(shipped.get("/api", headers=BROWSER))
    paths = shipped.get("/openapi.json").json["paths"]
    expected = sorted((m.upper(), path) for path, methods in paths.items() for m in methods)
    summaries = tree.xpath("//details/summary")
    found = sorted((s.findtext("span"), s.findtext("code")) for s in summaries)
    assert found == expected


def test_links_keep_what_a_proxy_puts_before_the_path(
    service_of: Callable[..., FlaskClient],
) -> None:
    client = service_of(base_url="https://host.example/inside/fhir")
    tree = seen(client.get("/", headers=BROWSER))
    assert tree.xpath("//link[@rel='stylesheet']/@href") == ["/inside/assets/explorer.css"]
