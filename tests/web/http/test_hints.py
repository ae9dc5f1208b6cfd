"""What is not there says what is: a URL, a parameter or a search that somebody expected."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

Make = Callable[..., FlaskClient]


def sentence(response: Any) -> str:
    """Return what the first issue says."""
    text: str = json.loads(response.data)["issue"][0]["diagnostics"]
    return text


@pytest.mark.parametrize(
    ("url", "hint"),
    [
        ("/fhir/$process-message", "Messages are not processed here. Data of a patient go to"),
        ("/fhir/Patient/$process-message", "Messages are not processed here. Data of a patient"),
        ("/fhir/PlanDefinition/walk/apply", "The name of an operation begins with `$`: `PlanDef"),
        ("/fhir/apply-pathways", "The name of an operation begins with `$`: `$apply-pathways`."),
        ("/fhir/Patient/validate", "The name of an operation begins with `$`: `[type]/$validate`"),
        ("/fhir/$validate", "The operation `$validate` is not here but at `[type]/$validate`, `["),
        ("/fhir/$apply", "The operation `$apply` is not here but at `PlanDefinition/$apply`, `Pl"),
        ("/fhir/PlanDefinition/$nothing", "There is no operation `$nothing` here; see `metadata`."),
        ("/fhir/PlanDefinition/_history", "There is a history of one definition: `[type]/[id]/_h"),
        ("/fhir/_history", "There is a history of one definition: `[type]/[id]/_history`."),
        ("/fhir//PlanDefinition/walk", "The URL has two slashes where one may stand."),
        ("/fhir/PlanDefinition/walk/x/y", "There is nothing at this URL below `PlanDefinition`;"),
        (
            "/fhir/CarePlan",
            "This service has no `CarePlan` to offer at this URL; a CarePlan is the",
        ),
        ("/fhir/Patient/1", "This service has no `Patient` to offer at this URL; see `metadata`."),
        (
            "/fhir/PlanDefinition/walk/$aply",
            "There is no operation `$aply` here; see `metadata`. Was",
        ),
        ("/fhir/plandefinition/walk", "There is nothing at this URL. Was `PlanDefinition` meant?"),
        ("/fhir/PlanDefinitions", "There is nothing at this URL. Was `PlanDefinition` meant?"),
        ("/fhir/nowhere", "There is nothing at this URL."),
        ("/nowhere", "There is nothing at this URL."),
    ],
)
def test_a_url_at_which_there_is_nothing(client: FlaskClient, url: str, hint: str) -> None:
    response = client.post(url, json={"resourceType": "Parameters"})
    assert response.status_code == 404
    assert sentence(response).startswith(hint)


def test_a_method_that_is_not_possible_says_what_may_be_meant(client: FlaskClient) -> None:
    response = client.post("/fhir/PlanDefinition/apply", json={"resourceType": "Parameters"})
    told = "The name of an operation begins with `$`: `PlanDefinition/$apply`"
    assert (response.status_code, told in sentence(response)) == (405, True)
    response = client.get("/fhir")
    assert (response.status_code, "`metadata`" in sentence(response)) == (405, True)


def test_no_patient_is_told_in_words(client: FlaskClient) -> None:
    body = {"resourceType": "Bundle", "type": "collection"}
    for url in ("/fhir/PlanDefinition/walk/$apply", "/fhir/$apply-pathways"):
        response = client.post(url, json=body)
        assert response.status_code == 400
        assert sentence(response).startswith("There is no Patient in the parameter `data`; expect")


def test_a_canonical_in_the_place_of_a_definition(client: FlaskClient) -> None:
    part = {"name": "planDefinition", "valueCanonical": "http://x.example/plan"}
    body = {"resourceType": "Parameters", "parameter": [part]}
    response = client.post("/fhir/PlanDefinition/$apply", json=body)
    assert response.status_code == 400
    assert sentence(response).endswith("; its canonical goes into `url` or `canonical`.")


@pytest.mark.parametrize(
    "query",
    [
        "_has:Library:depends-on:url=x",
        "_filter=name eq x",
        "_list=1",
        "_contained=true",
        "unknown.name=x",
        "unknown:exact=x",
        "_query=x",
        "_revinclude=Library:depends-on",
        "_revinclude:iterate=Library:depends-on",
        "_text=x",
        "_content=x",
    ],
)
def test_what_would_select_is_never_ignored(client: FlaskClient, query: str) -> None:
    response = client.get(f"/fhir/PlanDefinition?{query}")
    assert response.status_code == 400
    assert f"`{query.partition('=')[0]}`" in sentence(response)


def test_what_was_ignored_is_told_in_an_entry_with_a_url(client: FlaskClient) -> None:
    first, again, other = (
        json.loads(client.get(f"/fhir/PlanDefinition?{name}=1").data)["entry"][-1]
        for name in ("foo", "foo", "bar")
    )
    assert first["search"] == {"mode": "outcome"}
    assert first["fullUrl"].startswith("urn:uuid:")
    assert first["fullUrl"] == again["fullUrl"] != other["fullUrl"]


def test_a_form_need_not_say_that_it_is_one(client: FlaskClient) -> None:
    """HAPI's client packs the form of a search and leaves out what it is."""
    answer = client.post("/fhir/PlanDefinition/_search", data=b"name=Walk")
    assert json.loads(answer.data) == json.loads(client.get("/fhir/PlanDefinition?name=Walk").data)
    other = client.post(
        "/fhir/PlanDefinition/_search", data=b"{}", content_type="application/fhir+json"
    )
    assert other.status_code == 415
