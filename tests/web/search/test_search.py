"""Definitions: read, versions, search.  https://hl7.org/fhir/R4/search.html."""

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
from flask.testing import FlaskClient

URL = "https://example.org/fhir"


def search(client: FlaskClient, url: str, **headers: str) -> dict[str, Any]:
    response = client.get(url, headers={k.replace("_", "-"): v for k, v in headers.items()})
    assert response.status_code == 200, response.data
    body: dict[str, Any] = json.loads(response.data)
    assert (body["resourceType"], body["type"]) == ("Bundle", "searchset")
    return body


def ids(body: dict[str, Any], mode: str = "match") -> list[str]:
    return [
        f"{e['resource']['id']} {e['resource']['version']}"
        for e in body.get("entry", [])
        if e["search"]["mode"] == mode
    ]


NEW, OLD, REST = "walk 1.0.0", "walk 0.9.0", "rest 1.0.0"
ALL = [REST, NEW, OLD]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ALL),
        ("_id=walk", [NEW, OLD]),
        ("_id=walk,rest", ALL),
        ("_id=none", []),
        (f"url={URL}/PlanDefinition/walk", [NEW, OLD]),
        (f"url={URL}/PlanDefinition/wal", []),
        (f"url:below={URL}/PlanDefinition", ALL),
        (f"url:below={URL}/PlanDef", []),
        (f"url:above={URL}/PlanDefinition/walk/further", [NEW, OLD]),
        ("version=0.9.0", [OLD]),
        ("identifier=w-1", [NEW]),
        ("identifier=urn:ids|w-1", [NEW]),
        ("identifier=urn:ids|", [NEW]),
        ("identifier=|w-1", []),
        ("identifier=urn:other|w-1", []),
        ("name=walk", [NEW, OLD]),
        ("name=alk", []),
        ("name:contains=alkp", [NEW, OLD]),
        ("name:exact=WalkPlan", [NEW, OLD]),
        ("name:exact=walkplan", []),
        ("title=ware%20gut", [NEW]),  # neither case nor accents count
        ("title=w%C3%A4re", [NEW]),
        ("description:contains=ADULTS", [NEW]),
        ("description:missing=true", [REST, OLD]),
        ("description:missing=false", [NEW]),
        ("status=draft", [REST]),
        ("status:not=draft", [NEW, OLD]),
        ("status=http://hl7.org/fhir/publication-status|draft", [REST]),
        ("status=draft,active", ALL),
        ("status=draft&name=walk", []),
        ("date=2026-02-03", [NEW]),
        ("date=2026-02", [NEW]),
        ("date=2026", [NEW]),
        ("date=ge2026-02-03", [NEW]),
        ("date=gt2026-02-03", []),
        ("date=lt2026-02-03", []),
        ("date=le2026-02-03", [NEW]),
        ("date=ne2026-02-03", []),
        ("date=sa2026-02-02", [NEW]),
        ("date=eb2026-02-04", [NEW]),
        ("date=ap2026-02-20", [NEW]),
        ("date=2026-02-03T00:00:00Z", []),
        ("topic=exercise", [NEW]),
        ("topic=urn:topics|exercise", [NEW]),
        ("topic:text=exer", [NEW]),
        ("context=park", [NEW]),
        ("context-type=venue", [NEW]),
        (f"depends-on={URL}/ValueSet/colours", [NEW]),
        (f"depends-on={URL}/ValueSet/colours|1.0.0", [NEW]),
        (f"depends-on={URL}/ValueSet/colours|2.0.0", []),
        ("depends-on=ValueSet/colours", [NEW]),
        (f"depends-on={URL}/Library/needs", [NEW]),
        (f"definition={URL}/ActivityDefinition/stroll", [NEW]),
        ("title=a\\,b", []),
    ],
)
def test_search(client: FlaskClient, query: str, expected: list[str]) -> None:
    body = search(client, f"/fhir/PlanDefinition?{query}")
    assert ids(body) == expected
    assert body["total"] == len(expected)


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("_id", [REST, NEW, OLD]),
        ("-_id", [NEW, OLD, REST]),
        ("_id,-_id", [REST, NEW, OLD]),
        ("title", [OLD, REST, NEW]),
        ("-title", [NEW, REST, OLD]),
        ("status,version", [OLD, NEW, REST]),
        ("-status,version", [REST, OLD, NEW]),  # the first one counts most
        ("-date", [NEW, REST, OLD]),  # those without a date come last
        ("date", [NEW, REST, OLD]),
    ],
)
def test_sort(client: FlaskClient, order: str, expected: list[str]) -> None:
    assert ids(search(client, f"/fhir/PlanDefinition?_sort={order}")) == expected


@pytest.mark.parametrize(
    "query",
    [
        "date=yesterday",
        "date=2026-13",
        "name:below=x",
        "url:nonsense=x",
        "definition:Library=x",
        "name:not=x",
        "status:missing=maybe",
        "_count=-1",
        "_count=many",
        "_sort=nonsense",
        "_total=exactly",
        "_summary=maybe",
        "_page=nonsense",
        "_page=b2Zmc2V0IC01",
    ],
)
def test_a_search_that_would_answer_something_else_is_refused(
    client: FlaskClient, query: str
) -> None:
    response = client.get(f"/fhir/PlanDefinition?{query}")
    assert response.status_code == 400
    name = query.partition("=")[0].partition(":")[0]
    assert name in json.loads(response.data)["issue"][0]["diagnostics"]


def test_unknown_parameters_are_ignored_and_left_out_of_the_self_link(client: FlaskClient) -> None:
    body = search(
        client, "/fhir/PlanDefinition?status=draft&colour=red&_count=5&_totalMethod=count"
    )
    assert ids(body) == [REST]
    assert body["link"] == [
        {"relation": "self", "url": "http://localhost/fhir/PlanDefinition?status=draft&_count=5"}
    ]
    outcome = [e["resource"] for e in body["entry"] if e["search"]["mode"] == "outcome"]
    assert [i["severity"] for i in outcome[0]["issue"]] == ["warning", "warning"]
    assert "colour" in outcome[0]["issue"][0]["diagnostics"]


def test_prefer_handling_strict_refuses_unknown_parameters(client: FlaskClient) -> None:
    for prefer in (
        "handling=strict",
        "respond-async, handling=strict",
        "return=minimal; handling=strict",
        'handling = "strict"',
    ):
        response = client.get("/fhir/PlanDefinition?colour=red", headers={"Prefer": prefer})
        assert response.status_code == 400
        assert "colour" in json.loads(response.data)["issue"][0]["diagnostics"]
    for prefer in ("handling=lenient", "nonsense=1"):
        response = client.get("/fhir/PlanDefinition?colour=red", headers={"Prefer": prefer})
        assert response.status_code == 200


def test_pages_are_linked_and_cover_everything_once(client: FlaskClient) -> None:
    url: str | None = "/fhir/PlanDefinition?_count=1&_sort=-_id"
    seen: list[str] = []
    first = last = ""
    while url:
        body = search(client, url)
        links = {link["relation"]: link["url"] for link in body["link"]}
        assert body["total"] == 3
        assert links["self"].startswith("http://localhost/fhir/PlanDefinition?")
        assert ("previous" in links) == bool(seen)
        first, last = links["first"], links["last"]
        assert ids(body)
        seen += ids(body)
        url = links.get("next")
    assert seen == [NEW, OLD, REST]
    assert ids(search(client, first)) == [NEW]
    assert ids(search(client, last)) == [REST]


@pytest.mark.parametrize("query", ["_count=0", "_summary=count", "_count=0&_total=none"])
def test_a_count_alone(client: FlaskClient, query: str) -> None:
    body = search(client, f"/fhir/PlanDefinition?{query}")
    assert body["total"] == 3
    assert "entry" not in body


def test_total_none(client: FlaskClient) -> None:
    assert "total" not in search(client, "/fhir/PlanDefinition?_total=none")
    assert search(client, "/fhir/PlanDefinition?_total=estimate")["total"] == 3


def test_page_size_has_a_limit(make_client: Callable[..., FlaskClient]) -> None:
    client = make_client(page_size=2, max_page_size=2)
    for query in ("", "?_count=100"):
        assert len(search(client, f"/fhir/PlanDefinition{query}")["entry"]) == 2


@pytest.mark.parametrize(
    ("include", "expected"),
    [
        ("PlanDefinition:definition", ["stroll 1.0.0"]),
        ("PlanDefinition:depends-on", ["colours 1.0.0", "needs 1.0.0"]),
        ("PlanDefinition:depends-on:Library", ["needs 1.0.0"]),
        ("*", ["stroll 1.0.0", "colours 1.0.0", "needs 1.0.0"]),
    ],
)
def test_include(client: FlaskClient, include: str, expected: list[str]) -> None:
    body = search(client, f"/fhir/PlanDefinition?identifier=w-1&_include={quote(include)}")
    assert ids(body) == [NEW]
    assert sorted(ids(body, "include")) == sorted(expected)
    assert body["total"] == 1


def test_include_that_is_unknown(client: FlaskClient) -> None:
    body = search(client, "/fhir/PlanDefinition?_include=Patient:organization")
    assert "_include" not in body["link"][0]["url"]


def test_search_by_form_is_search_by_url(client: FlaskClient) -> None:
    form = client.post("/fhir/PlanDefinition/_search", data={"status": "draft", "_count": "5"})
    both = client.post("/fhir/PlanDefinition/_search?_count=5", data={"status": "draft"})
    url = search(client, "/fhir/PlanDefinition?status=draft&_count=5")
    assert json.loads(form.data) == url
    assert ids(json.loads(both.data)) == [REST]
    assert client.post("/fhir/PlanDefinition/_search").status_code == 200


def test_a_form_must_be_a_form(client: FlaskClient) -> None:
    url = "/fhir/PlanDefinition/_search"
    assert client.post(url, json={"status": "draft"}).status_code == 415
    assert client.post(url, content_type="application/fhir+json").status_code == 415
    broken = client.post(url, data=b"name=%ff", content_type="application/x-www-form-urlencoded")
    assert broken.status_code == 400


def test_read_gives_the_newest_version_and_vread_each(client: FlaskClient) -> None:
    read = json.loads(client.get("/fhir/PlanDefinition/walk").data)
    assert read["version"] == "1.0.0"
    history = json.loads(client.get("/fhir/PlanDefinition/walk/_history").data)
    assert (history["type"], history["total"]) == ("history", 2)
    for entry in history["entry"]:
        version_id = entry["resource"]["meta"]["versionId"]
        again = client.get(f"/fhir/PlanDefinition/walk/_history/{version_id}")
        assert json.loads(again.data) == entry["resource"]
        assert again.headers["ETag"] == entry["response"]["etag"] == f'W/"{version_id}"'
    old = json.loads(client.get("/fhir/PlanDefinition/walk/_history/0.9.0").data)
    assert old["title"] == "An older walk"


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["1.0.0", "0.9.0"]),
        ("_count=1", ["1.0.0"]),
        ("_since=2026-02-03T00:00:00Z", ["1.0.0", "0.9.0"]),
        ("_since=2026-02-03T00:00:01Z", ["0.9.0"]),
        ("_at=2025", []),
        ("_at=2026-02-03", ["1.0.0"]),
        ("_at=2026-04-01", ["1.0.0"]),
        ("_since=2030-01-01", []),
        ("colour=red", ["1.0.0", "0.9.0"]),
    ],
)
def test_history(client: FlaskClient, query: str, expected: list[str]) -> None:
    """The newer version has a date, the older one counts from when it was loaded."""
    response = client.get(f"/fhir/PlanDefinition/walk/_history?{query}")
    assert response.status_code == 200
    body = json.loads(response.data)
    assert [e["resource"]["version"] for e in body.get("entry", [])] == expected
    assert body["total"] == (2 if query == "_count=1" else len(expected))


def test_pages_of_a_history(client: FlaskClient) -> None:
    url = "http://localhost/fhir/PlanDefinition/walk/_history"
    body = json.loads(client.get(f"{url}?_count=1&colour=red&_format=json").data)
    links = {link["relation"]: link["url"] for link in body["link"]}
    assert links["self"] == f"{url}?_count=1&_format=json"
    second = json.loads(client.get(links["next"]).data)
    assert [e["resource"]["version"] for e in second["entry"]] == ["0.9.0"]
    none = json.loads(client.get(f"{url}?_count=0").data)
    assert (none["total"], none.get("entry")) == (2, None)
    for broken in ("_since=yesterday", "_at=2026-13", "_count=-1", "_page=x", "_since=%ff"):
        assert client.get(f"{url}?{broken}").status_code == 400


def test_summary_and_elements(client: FlaskClient) -> None:
    url = "/fhir/CodeSystem/palette"
    tag = {
        "system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue",
        "code": "SUBSETTED",
    }
    summary = json.loads(client.get(f"{url}?_summary=true").data)
    assert "concept" not in summary
    assert summary["title"] == "Palette"
    elements = json.loads(client.get(f"{url}?_elements=title,CodeSystem.url").data)
    assert set(elements) == {"resourceType", "id", "meta", "url", "title", "status", "content"}
    path = json.loads(client.get(f"{url}?_elements=concept.code,Library.title").data)
    assert set(path) == {"resourceType", "id", "meta", "concept", "status", "content"}
    text = json.loads(client.get(f"{url}?_summary=text").data)
    assert set(text) == {"resourceType", "id", "meta", "status", "content"}
    for part in (summary, elements, text):
        assert tag.items() <= part["meta"]["tag"][0].items()
    data = json.loads(client.get(f"{url}?_summary=data").data)
    assert data["concept"]
    whole = json.loads(client.get(f"{url}?_summary=false").data)
    assert "tag" not in whole["meta"]
    assert client.get(f"{url}?_summary=maybe").status_code == 400
    found = search(client, "/fhir/CodeSystem?_elements=title")
    assert "concept" not in found["entry"][0]["resource"]
