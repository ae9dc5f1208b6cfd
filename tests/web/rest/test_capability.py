"""Every line of the CapabilityStatement is true: each is taken at its word and tried."""

import json
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from flask.testing import FlaskClient

from carepath.knowledge import Knowledge
from carepath.r4.model import RESOURCE_TYPES
from carepath.r4.search import search_parameters
from carepath.validation import check_structure
from carepath.web import Config, create_app
from carepath.web.definitions import DEFINITION_TYPES
from carepath.web.operations.table import BINDINGS, operations
from carepath.web.search.index import includes, parameters
from carepath.web.search.values import modifiers

from ...suites import EXAMPLES, missing


@cache
def statement() -> dict[str, Any]:
    client = create_app(Config()).test_client()
    body: dict[str, Any] = json.loads(client.get("/fhir/metadata").data)
    return body


@pytest.fixture(scope="module")
def shipped() -> FlaskClient:
    """The service with the content that it ships."""
    return create_app(Config()).test_client()


REST = statement()["rest"][0]
RESOURCES = {resource["type"]: resource for resource in REST["resource"]}
HELD = {name: resource for name, resource in RESOURCES.items() if "interaction" in resource}


def test_it_is_a_valid_capability_statement_of_an_r4_instance() -> None:
    body = statement()
    assert [i for i in check_structure(body) if i.is_error] == []
    assert (body["fhirVersion"], body["kind"], body["status"]) == ("4.0.1", "instance", "active")
    assert body["implementation"] == {"description": "Carepath", "url": "http://localhost/fhir"}
    assert REST["mode"] == "server"


@pytest.mark.parametrize("fmt", statement()["format"])
def test_format(shipped: FlaskClient, fmt: str) -> None:
    for url, headers in ((f"/fhir/metadata?_format={quote(fmt)}", {}),
                         ("/fhir/metadata", {"Accept": fmt})):  # fmt: skip
        if headers and "/" not in fmt:
            continue
        response = shipped.get(url, headers=headers)
        assert response.status_code == 200
        assert ("json" in fmt) == (response.mimetype == "application/fhir+json")
        assert ("xml" in fmt) == (response.mimetype == "application/fhir+xml")


def test_nothing_is_advertised_that_is_not_there() -> None:
    assert set(HELD) == set(DEFINITION_TYPES)
    assert set(RESOURCES) == set(RESOURCE_TYPES)
    assert REST["interaction"] == [{"code": "batch"}]
    assert "messaging" not in statement()
    assert "security" not in REST
    for resource in HELD.values():
        codes = {interaction["code"] for interaction in resource["interaction"]}
        assert codes == {"read", "vread", "history-instance", "search-type"}


@pytest.mark.parametrize("resource_type", DEFINITION_TYPES)
def test_interactions(resource_type: str) -> None:
    """A server with one example of the type: every interaction answers with it."""
    client, example = _client_with_example(resource_type)
    url = f"/fhir/{resource_type}/{example['id']}"
    read = client.get(url)
    assert (read.status_code, read.json["id"]) == (200, example["id"])  # type: ignore[index]
    version_id = json.loads(read.data)["meta"]["versionId"]
    assert client.get(f"{url}/_history/{version_id}").data == read.data
    assert json.loads(client.get(f"{url}/_history").data)["total"] == 1
    found = json.loads(client.get(f"/fhir/{resource_type}?_id={example['id']}").data)
    assert found["total"] == 1
    again = client.get(url, headers={"If-None-Match": read.headers["ETag"]})
    assert again.status_code == 304  # conditionalRead


@cache
def _examples(resource_type: str) -> tuple[dict[str, Any], ...]:
    """The official examples of a type, those with the most elements first."""
    if not EXAMPLES.is_dir():
        pytest.skip(missing(EXAMPLES))
    found = [
        resource
        for path in sorted(EXAMPLES.glob(f"{resource_type.lower()}-*.json"))
        if (resource := json.loads(path.read_text("utf-8")))["resourceType"] == resource_type
    ]
    return tuple(sorted(found, key=len, reverse=True))


@cache
def _client_with_examples(resource_type: str) -> FlaskClient:
    return create_app(Config(), Knowledge.of(_examples(resource_type))).test_client()


def _client_with_example(resource_type: str) -> tuple[FlaskClient, dict[str, Any]]:
    examples = _examples(resource_type)
    if not examples:
        body = {"resourceType": resource_type, "id": "x", "url": "urn:x", "status": "draft"}
        examples = (body,)
    client = create_app(Config(), Knowledge.of([examples[0]])).test_client()
    return client, examples[0]


PARAMETERS = [
    (name, parameter["name"])
    for name, resource in HELD.items()
    for parameter in resource["searchParam"]
]


VALUES = {"date": "2026-01-01", "quantity": "5", "composite": "focus$5"}
STANDARD = "http://hl7.org/fhir/ValueSet/publication-status"
MODIFIED = {"missing": "true", "of-type": "a|b|c", "in": STANDARD, "not-in": STANDARD}


@pytest.mark.parametrize(("resource_type", "code"), PARAMETERS, ids=lambda v: v)
def test_search_parameter(resource_type: str, code: str) -> None:
    """As the R4 registry defines it, and not ignored: strict handling takes it."""
    listed = next(p for p in RESOURCES[resource_type]["searchParam"] if p["name"] == code)
    known = search_parameters(resource_type)[code]
    assert (listed["type"], listed["definition"]) == (known.type, known.url)
    client = _client_with_examples(resource_type)
    strict = {"Prefer": "handling=strict"}
    value = VALUES.get(known.type, "nowhere")
    response = client.get(f"/fhir/{resource_type}?{code}={value}", headers=strict)
    assert response.status_code == 200
    assert code in json.loads(response.data)["link"][0]["url"]
    for modifier in modifiers(known.type):
        text = MODIFIED.get(modifier, value)
        response = client.get(f"/fhir/{resource_type}?{code}:{modifier}={text}", headers=strict)
        # What needs terminology is refused where the code system is not loaded, never ignored.
        assert response.status_code == (400 if modifier in ("above", "below") and
                                        known.type == "token" else 200)  # fmt: skip
    if known.type == "composite":
        return
    present = client.get(f"/fhir/{resource_type}?{code}:missing=false&_summary=count")
    absent = client.get(f"/fhir/{resource_type}?{code}:missing=true&_summary=count")
    total = json.loads(present.data)["total"] + json.loads(absent.data)["total"]
    assert total == len(
        {(e.get("url", e["id"]), e.get("version")) for e in _examples(resource_type)}
    )


REQUIRED = ("_id", "url", "version", "identifier", "name", "title", "description", "status", "date",
            "context", "topic")  # fmt: skip
DEPENDENCIES = ("composed-of", "depends-on", "derived-from", "predecessor", "successor")


@pytest.mark.parametrize("resource_type", DEFINITION_TYPES)
def test_the_parameters_that_a_repository_needs_are_listed(resource_type: str) -> None:
    """Those that R4 defines for the type at all: some have no identifier or no topic."""
    wanted = {*REQUIRED, *DEPENDENCIES} & set(search_parameters(resource_type))
    assert wanted <= set(parameters(resource_type))
    assert {"url", "version", "name", "status"} <= wanted


INCLUDES = [
    (name, value)
    for name, resource in RESOURCES.items()
    for value in resource.get("searchInclude", ())
]


@pytest.mark.parametrize(("resource_type", "value"), INCLUDES, ids=lambda v: v)
def test_include(resource_type: str, value: str) -> None:
    assert value in includes(resource_type)
    client = _client_with_examples(resource_type)
    strict = {"Prefer": "handling=strict"}
    response = client.get(f"/fhir/{resource_type}?_include={value}&_count=2", headers=strict)
    assert response.status_code == 200
    assert quote(value, safe="") in json.loads(response.data)["link"][0]["url"]


OPERATIONS = [
    (name, operation["name"], operation["definition"])
    for name, resource in (*RESOURCES.items(), ("", REST))
    for operation in resource.get("operation", ())
]


@pytest.mark.parametrize(("resource_type", "code", "url"), OPERATIONS, ids=lambda v: v[-40:])
def test_operation(shipped: FlaskClient, resource_type: str, code: str, url: str) -> None:
    """Its definition can be read at the URL, and every endpoint that it names is there."""
    definition = json.loads(shipped.get(urlsplit(url).path).data)
    assert (definition["resourceType"], definition["code"]) == ("OperationDefinition", code)
    target = resource_type or "Patient"
    endpoints = {
        "system": f"/fhir/${code}",
        "type": f"/fhir/{target}/${code}",
        "instance": f"/fhir/{target}/x/${code}",
    }
    for level, endpoint in endpoints.items():
        if definition[level]:
            assert "POST" in shipped.options(endpoint).headers["Allow"]


def test_an_operation_of_all_types_is_listed_at_each_and_not_at_the_system() -> None:
    names = {
        name: [operation["name"] for operation in one["operation"]]
        for name, one in (*RESOURCES.items(), ("", REST))
    }
    assert {name for name, found in names.items() if found.count("validate") == 1} == {*RESOURCES}
    assert "validate" not in names[""]
    assert names["Patient"] == ["validate"]


def test_every_operation_is_advertised_and_every_definition_has_a_function() -> None:
    advertised = {url.rpartition("/")[2] for _, _, url in OPERATIONS}
    assert advertised == {operation.id for operation in operations()}
    shipped = {o["id"] for o in Knowledge.shipped().all("OperationDefinition")}
    assert shipped == {binding.id for binding in BINDINGS}


def test_instantiates_the_shareable_repository_as_far_as_it_goes() -> None:
    wanted = {"url", "version", "identifier", "name", "title", "description", "status"}
    for resource_type in ("PlanDefinition", "ActivityDefinition", "Library"):
        resource = RESOURCES[resource_type]
        assert {"read", "search-type"} <= {i["code"] for i in resource["interaction"]}
        assert wanted <= {p["name"] for p in resource["searchParam"]}
    assert statement()["instantiates"] == [
        "http://hl7.org/fhir/uv/crmi/CapabilityStatement/crmi-shareable-artifact-repository"
    ]


def test_every_operation_and_endpoint_is_in_the_manual() -> None:
    page = (Path(__file__).parents[3] / "docs/http-api.md").read_text("utf-8")
    for operation in operations():
        assert f"| `${operation.code}` | `{operation.id}` |" in page
        for name in operation.terms.refused if operation.code == "apply" else ():
            assert name in page or name == "artifactEndpointConfiguration"
    for name in (*DEFINITION_TYPES, "/healthz", "/readyz", "/metrics", "/openapi.json"):
        assert f"`{name}`" in page or f"GET {name}`" in page
