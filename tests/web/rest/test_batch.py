"""A batch: each entry is a request of its own.  https://hl7.org/fhir/R4/http.html#transaction."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from carepath.formats import xml as xml_codec
from carepath.knowledge import Knowledge
from carepath.validation import validate
from carepath.web.rest import batch as batch_module

Json = dict[str, Any]
Make = Callable[..., FlaskClient]
PATIENT = {"resourceType": "Patient", "id": "p", "birthDate": "1980-01-01"}
BUNDLE = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": PATIENT}]}


def entry(method: str, url: str, resource: Any = None, **request: Any) -> Json:
    found: Json = {"request": {"method": method, "url": url, **request}}
    return found if resource is None else {**found, "resource": resource}


def batch(*entries: Any, **elements: Any) -> Json:
    return {"resourceType": "Bundle", "type": "batch", "entry": list(entries), **elements}


def answers(client: FlaskClient, *entries: Any, url: str = "/fhir") -> list[Json]:
    """Return the entries that answer a batch, which is itself a valid Bundle."""
    response = client.post(url, json=batch(*entries))
    assert response.status_code == 200, response.data
    answer = json.loads(response.data)
    assert answer["type"] == "batch-response"
    found: list[Json] = answer["entry"]
    assert len(found) == len(entries)
    heads = [{"response": one["response"]} for one in found]
    about = validate({**answer, "entry": heads}, definitions=Knowledge.of(()))
    assert [issue for issue in about if issue.is_error] == []
    return found


def told(answer: Json) -> str:
    """Return the first sentence of what went wrong."""
    sentence: str = answer["response"]["outcome"]["issue"][0]["diagnostics"]
    return sentence


@pytest.mark.parametrize("url", ["/fhir", "/fhir/"])
def test_each_entry_gets_what_it_would_get_alone(client: FlaskClient, url: str) -> None:
    read, search, applied, checked = answers(
        client,
        entry("GET", "PlanDefinition/walk"),
        entry("GET", "PlanDefinition?_count=1"),
        entry("POST", "PlanDefinition/walk/$apply", BUNDLE),
        entry("POST", "Patient/$validate", {"resourceType": "Patient", "gender": "M"}),
        url=url,
    )
    alone = client.get("/fhir/PlanDefinition/walk")
    assert read["resource"] == json.loads(alone.data)
    assert read["response"]["status"] == "200 OK"
    assert read["response"]["etag"] == alone.headers["ETag"]
    assert read["response"]["lastModified"].startswith("2026-02-03T")
    assert search["resource"] == json.loads(client.get("/fhir/PlanDefinition?_count=1").data)
    alone = client.post("/fhir/PlanDefinition/walk/$apply", json=BUNDLE)
    assert applied == {"resource": json.loads(alone.data), "response": {"status": "200 OK"}}
    assert checked["resource"]["issue"][0]["expression"] == ["Patient.gender"]


@pytest.mark.parametrize(
    ("bad", "status", "sentence"),
    [
        (entry("GET", "PlanDefinition/none"), "404 Not Found", "PlanDefinition"),
        (entry("GET", "Patient/1"), "404 Not Found", "no `Patient`"),
        (entry("DELETE", "PlanDefinition/walk"), "405 Method Not Allowed", "`DELETE`"),
        (entry("PUT", "PlanDefinition/walk", {}), "405 Method Not Allowed", "`PUT`"),
        (entry("GET", "http://elsewhere.example/fhir/Patient/1"), "400 Bad Request", "below"),
        (entry("GET", "//elsewhere.example/Patient/1"), "400 Bad Request", "below"),
        (entry("GET", "http://[x"), "400 Bad Request", "below"),
        (entry("GET", "../metrics"), "404 Not Found", "nothing"),
        (entry("POST", "/", batch()), "400 Bad Request", "another one"),
        (entry("POST", "?x=1", batch()), "400 Bad Request", "another one"),
        (entry("POST", "", batch()), "400 Bad Request", "`request`"),
        (entry("LIST", "PlanDefinition"), "400 Bad Request", "`request`"),
        ({}, "400 Bad Request", "`request`"),
        (7, "400 Bad Request", "`request`"),
        ({"request": {"method": 1, "url": []}}, "400 Bad Request", "`request`"),
        (entry("POST", "Patient/$validate", "text"), "400 Bad Request", "resourceType"),
        (entry("GET", "PlanDefinition?_sort=none"), "400 Bad Request", "_sort"),
        (entry("GET", "PlanDefinition/" + "x" * 9_000), "414 Request-URI Too Long", "longer"),
    ],
)
def test_a_bad_entry_holds_up_no_other(
    client: FlaskClient, bad: Any, status: str, sentence: str
) -> None:
    first, failed, last = answers(
        client, entry("GET", "PlanDefinition/walk"), bad, entry("GET", "PlanDefinition/walk")
    )
    assert first == last
    assert first["resource"]["id"] == "walk"
    assert failed["response"]["status"] == status
    assert sentence in told(failed)
    assert "resource" not in failed


@pytest.mark.parametrize(
    ("url", "same"),
    [
        ("PlanDefinition/walk?_format=xml", "PlanDefinition/walk"),
        ("PlanDefinition?_format=xml&_count=1", "PlanDefinition?_count=1"),
        ("PlanDefinition?title=\u03a9\u20ac", "PlanDefinition?title=%CE%A9%E2%82%AC"),
        ("PlanDefinition?title=a b|c", "PlanDefinition?title=a%20b%7Cc"),
    ],
)
def test_an_odd_query_is_read_as_its_plain_form(client: FlaskClient, url: str, same: str) -> None:
    odd, plain = answers(client, entry("GET", url), entry("GET", same))
    assert odd == plain
    assert odd["response"]["status"] == "200 OK"


def test_only_what_is_below_the_base_is_taken_for_it(client: FlaskClient) -> None:
    (failed,) = answers(client, entry("GET", "http://localhost/fhirPlanDefinition/walk"))
    assert failed["response"]["status"] == "400 Bad Request"
    assert "below" in told(failed)


def test_head_is_answered_without_the_resource(client: FlaskClient) -> None:
    found, missing = answers(
        client, entry("HEAD", "PlanDefinition/walk"), entry("HEAD", "PlanDefinition/none")
    )
    assert found["response"].pop("lastModified").startswith("2026-02-03T")
    tag = client.get("/fhir/PlanDefinition/walk").headers["ETag"]
    assert found == {"response": {"status": "200 OK", "etag": tag}}
    assert missing == {"response": {"status": "404 Not Found"}}


def test_an_absolute_url_below_the_base_is_one(client: FlaskClient) -> None:
    (read,) = answers(client, entry("GET", "http://localhost/fhir/PlanDefinition/walk"))
    assert read["resource"]["id"] == "walk"


def test_a_copy_that_is_known_is_not_sent_again(client: FlaskClient) -> None:
    tag = client.get("/fhir/PlanDefinition/walk").headers["ETag"]
    known, new, *older = answers(
        client,
        entry("GET", "PlanDefinition/walk", ifNoneMatch=tag),
        entry("GET", "PlanDefinition/walk", ifModifiedSince="2026-02-04T00:00:00Z"),
        entry("GET", "PlanDefinition/walk", ifModifiedSince="no time"),
        entry("GET", "PlanDefinition/walk", ifModifiedSince="0001-01-01T00:00:00+14:00"),
        entry("GET", "PlanDefinition/walk", ifModifiedSince="9999-12-31T23:59:59-14:00"),
    )
    assert known["response"]["status"] == new["response"]["status"] == "304 Not Modified"
    assert "resource" not in known
    assert [one["response"]["status"] for one in older] == ["200 OK"] * 3


def test_a_batch_in_xml_is_answered_in_xml(client: FlaskClient) -> None:
    sent = xml_codec.encode(batch(entry("GET", "PlanDefinition/walk"), entry("GET", "Patient/1")))
    answer = client.post("/fhir", data=sent, content_type="application/fhir+xml")
    assert answer.content_type.startswith("application/fhir+xml")
    read, failed = xml_codec.decode(answer.data)["entry"]
    assert read["resource"]["id"] == "walk"
    assert failed["response"]["outcome"]["resourceType"] == "OperationOutcome"


def test_a_batch_of_nothing_is_answered_with_nothing(client: FlaskClient) -> None:
    answer = client.post("/fhir", json={"resourceType": "Bundle", "type": "batch"})
    assert json.loads(answer.data) == {"resourceType": "Bundle", "type": "batch-response"}


@pytest.mark.parametrize(
    ("body", "status", "sentence"),
    [
        ({"resourceType": "Bundle", "type": "transaction"}, 422, "nothing can be done as one"),
        ({"resourceType": "Bundle", "type": "message"}, 422, "Messages are not processed"),
        ({"resourceType": "Bundle", "type": "collection"}, 422, "`PlanDefinition/[id]/$apply`"),
        ({"resourceType": "Bundle"}, 422, "type `batch`"),
        ({"resourceType": "Bundle", "type": ["batch"]}, 422, "type `batch`"),
        (PATIENT, 422, "`[type]/$validate`"),
        (batch(entry={}), 400, "Bundle.entry"),
        (batch(*[{}] * 501), 413, "500"),
    ],
)
def test_what_is_no_batch_is_told_where_it_goes(
    client: FlaskClient, body: Json, status: int, sentence: str
) -> None:
    answer = client.post("/fhir", json=body)
    assert answer.status_code == status
    assert sentence in json.loads(answer.data)["issue"][0]["diagnostics"]


def test_no_body_is_400(client: FlaskClient) -> None:
    assert client.post("/fhir").status_code == 400


def test_a_batch_ends_in_time(make_client: Make) -> None:
    client = make_client(request_seconds=0.000001)
    late = answers(client, *[entry("GET", "PlanDefinition/walk")] * 3)[-1]
    assert late["response"]["status"] == "503 Service Unavailable"
    assert "was stopped after" in told(late)


def test_the_answers_of_a_batch_are_bounded(make_client: Make) -> None:
    client = make_client(max_body_bytes=2_000)
    first, *rest = answers(client, *[entry("GET", "PlanDefinition/walk")] * 4)
    assert first["response"]["status"] == "200 OK"
    assert "larger than a batch may have" in told(rest[-1])


def test_each_entry_counts_for_the_rate_limit(make_client: Make) -> None:
    client = make_client(rate_limit=0.01, rate_burst=2)
    first, second = answers(client, *[entry("GET", "PlanDefinition/walk")] * 2)
    assert first["response"]["status"] == "200 OK"
    assert second["response"]["status"] == "429 Too Many Requests"


def test_batches_wait_for_each_other(make_client: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    client = make_client(max_applications=1, queue_seconds=0.01)
    inner: list[int] = []

    def while_one_runs(*_: Any) -> Json:
        monkeypatch.undo()
        inner.append(client.post("/fhir", json=batch()).status_code)
        return {"response": {"status": "200 OK"}}

    monkeypatch.setattr(batch_module._Answers, "of", while_one_runs)
    assert client.post("/fhir", json=batch({})).status_code == 200
    assert inner == [503]
    assert client.post("/fhir", json=batch()).status_code == 200
