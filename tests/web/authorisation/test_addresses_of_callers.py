"""No URL that a caller names anywhere makes the service ask somebody who is not on its list.

Made from the parameters of all operations and the headers of tokens; whoever connects is seen.
"""

import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient
from known_clients import bearer, signed  # type: ignore[import-not-found]

from carepath.web.operations.model import Operation, Parameter
from carepath.web.operations.table import operations

HOSTILE = (
    "http://169.254.169.254/latest/meta-data/",
    "http://127.0.0.1:22/",
    "http://[::ffff:169.254.169.254]/",
    "http://2852039166/",
    "http://listed.example@evil.example/fhir",
    "http://evil.example/fhir",
    "file:///etc/passwd",
)
TEXTS = {"uri", "canonical", "string", "code", "url"}
DEFINITION = {"id": "sent", "url": "http://sent.example/x", "status": "draft"}


@pytest.fixture
def connections(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """Return whom the service tried to reach."""
    tried: list[Any] = []

    def seen(*arguments: Any, **_: Any) -> Any:
        tried.append(arguments)
        raise OSError("nobody is reached in this test")

    monkeypatch.setattr(socket, "getaddrinfo", seen)
    monkeypatch.setattr(socket, "create_connection", seen)
    monkeypatch.setattr(socket.socket, "connect", seen)
    yield tried


def value(parameter: Parameter, url: str) -> dict[str, Any] | None:
    """Return a parameter that leads to a URL; None for one that cannot."""
    if parameter.type in TEXTS:
        return {"value" + parameter.type[0].upper() + parameter.type[1:]: url}
    if parameter.type == "Endpoint":
        return {"resource": {"resourceType": "Endpoint", "address": url}}
    if parameter.name == "artifactEndpointConfiguration":
        return {"part": [{"name": "endpointUri", "valueUri": url}]}
    if parameter.type == "PlanDefinition":
        plan = {**DEFINITION, "library": [url], "action": [{"definitionCanonical": url}]}
        return {"resource": {"resourceType": "PlanDefinition", **plan}}
    if parameter.type == "ActivityDefinition":
        return {"resource": {"resourceType": "ActivityDefinition", **DEFINITION, "profile": url}}
    if parameter.type == "ValueSet":
        compose = {"include": [{"valueSet": [url]}, {"system": url}]}
        return {"resource": {"resourceType": "ValueSet", **DEFINITION, "compose": compose}}
    if parameter.type in ("Resource", "Bundle"):
        patient = {
            "resourceType": "Patient",
            "id": "p",
            "meta": {"profile": [url]},
            "photo": [{"url": url}],
            "generalPractitioner": [{"reference": url}],
        }
        bundle = {
            "resourceType": "Bundle",
            "type": "collection",
            "link": [{"relation": "next", "url": url}],
            "entry": [{"fullUrl": url, "resource": patient}],
        }
        return {"resource": bundle if parameter.type == "Bundle" else patient}
    return None


CASES = [
    pytest.param(operation, parameter, id=f"{operation.id} {parameter.name}")
    for operation in operations()
    for parameter in operation.parameters
    if value(parameter, "") is not None
]


@pytest.mark.parametrize(("operation", "parameter"), CASES)
def test_no_parameter_leads_elsewhere(
    guarded: FlaskClient, connections: list[Any], operation: Operation, parameter: Parameter
) -> None:
    _, _, path = next(operation.paths())
    url = "/fhir" + path.replace("<resource_type:resource_type>", "Patient")
    patient = {"resourceType": "Bundle", "type": "collection", "entry": [
        {"resource": {"resourceType": "Patient", "id": "p"}}]}  # fmt: skip
    given = [{"name": "data", "resource": patient}] if parameter.name != "data" else []
    for hostile in HOSTILE:
        one = {"name": parameter.name, **(value(parameter, hostile) or {})}
        body = {"resourceType": "Parameters", "parameter": [*given, one]}
        answer = guarded.post(url, json=body, headers=bearer("battery-staple"))
        assert answer.status_code < 500, answer.get_data(as_text=True)
        assert answer.status_code not in (401, 403)
    assert connections == []


@pytest.mark.parametrize("name", ["jku", "x5u", "iss", "kid"])
def test_no_part_of_a_token_leads_elsewhere(
    world: Any, guarded: FlaskClient, connections: list[Any], name: str
) -> None:
    # The library makes no token whose `jku` is a file.
    for hostile in HOSTILE[:-1]:
        claims = {"iss": "ehr", "sub": "ehr", "aud": "http://localhost/auth/token",
                  "jti": hostile, "exp": int(time.time()) + 200}  # fmt: skip
        head = {name: hostile} if name != "iss" else {}
        token = signed(world.ehr, "ES384", claims | ({"iss": hostile} if not head else {}), **head)
        form = {
            "grant_type": "client_credentials",
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": token,
            "scope": "system/*.rs",
        }
        assert guarded.post("/auth/token", data=form).status_code == 401
        assert guarded.get("/fhir/PlanDefinition", headers=bearer(token)).status_code == 401
    assert connections == []


def test_whoever_connects_is_seen(world: Any, connections: list[Any]) -> None:
    """The tests above can fail: a server on the list is asked."""
    client = world.client(data_endpoint_hosts=("listed.example",), data_endpoint_retries=0)
    endpoint = {"resourceType": "Endpoint", "address": "http://listed.example/fhir"}
    body = {"resourceType": "Parameters", "parameter": [
        {"name": "dataEndpoint", "resource": endpoint},
        {"name": "subject", "valueString": "Patient/1"}]}  # fmt: skip
    url = "/fhir/PlanDefinition/walk/$apply"
    answer = client.post(url, json=body, headers=bearer("battery-staple"))
    assert answer.status_code == 503
    assert connections != []
