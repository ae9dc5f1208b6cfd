"""Every route, with every kind of wrong credentials, is refused; what is open is a short list.

The table is made from the routes themselves: a new one is in it without anybody's doing.
"""

import re
import time
from collections.abc import Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient

from carepath.r4.model import RESOURCE_TYPES
from carepath.web import Config
from carepath.web.authorisation import credentials
from carepath.web.authorisation.rights import OF_URL, Right
from carepath.web.authorisation.scopes import Scope
from carepath.web.definitions import DEFINITION_TYPES
from carepath.web.explorer.routes import explorer_routes
from carepath.web.operations.rights import RIGHTS
from carepath.web.operations.table import operations
from carepath.web.rest.route import Route
from carepath.web.routes import routes

ROUTES = [*routes(Config()), *explorer_routes()]
CLOSED = [route for route in ROUTES if route.needs is None or not route.needs.is_open]
CALLS = [(method, route) for route in CLOSED for method in route.methods]
COUNT = iter(range(60_000))
VALUES = {
    "service_id": "walk",
    "resource_type": "Observation",
    "id": "walk",
    "version_id": "1",
    "name": "x.css",
}


def url_of(route: Route) -> str:
    return re.sub(r"<(?:\w+:)?(\w+)>", lambda found: VALUES[found[1]], route.rule)


def called(
    client: FlaskClient, method: str, route: Route, headers: dict[str, str], **more: Any
) -> Any:
    # From an address of its own each time: who guesses from one address is slowed down.
    peer = {"REMOTE_ADDR": f"10.0.{next(COUNT) // 250}.{next(COUNT) % 250}"}
    return client.open(url_of(route), method=method, headers=headers, environ_base=peer, **more)


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def wrong(world: Any) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield credentials that no route may take."""
    now = int(time.time())
    yield "none", {}
    yield "empty", {"Authorization": ""}
    yield "scheme", {"Authorization": "Digest username=engine"}
    yield "password", {"Authorization": "Basic ZW5naW5lOndyb25n"}
    yield "unknown token", bearer("unknown")
    yield "expired", bearer(world.outside(exp=now - 61))
    yield "audience", bearer(world.outside(aud="https://elsewhere.example/fhir"))
    yield "issuer", bearer(world.outside(iss="https://elsewhere.example"))
    yield "no end", bearer(world.outside(exp=None))
    yield (
        "certificate of nobody's proxy",
        {
            "X-Client-Verify": "SUCCESS",
            "X-Client-Subject": "CN=engine",
        },
    )


def test_what_is_open_is_known() -> None:
    opened = {route.rule for route in ROUTES if route.needs is not None and route.needs.is_open}
    assert opened == {
        "/healthz",
        "/readyz",
        "/openapi.json",
        "/fhir/metadata",
        "/fhir/$versions",
        "/cds-services",
        "/auth/token",
        "/.well-known/smart-configuration",
        "/fhir/.well-known/smart-configuration",
        "/",
        "/assets/<name>",
        "/pathways/<fhir_id:id>",
        "/pathways/<fhir_id:id>/drawing.svg",
        "/api",
        "/docs/<path:name>",
    }


def test_every_route_names_what_it_needs() -> None:
    assert [route.rule for route in ROUTES if route.needs is None] == []


def test_who_is_wrong_gets_nowhere(
    world: Any, guarded: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A wrong password stays wrong, and is so in less time.
    monkeypatch.setitem(credentials._ROUNDS, "n", 2)
    let_in = [
        (kind, method, route.rule)
        for kind, headers in wrong(world)
        for method, route in CALLS
        if not _asks_for_a_login(called(guarded, method, route, headers))
    ]
    assert let_in == []


def _asks_for_a_login(answer: Any) -> bool:
    schemes = [line.split()[0] for line in answer.headers.getlist("WWW-Authenticate")]
    told = answer.get_data(as_text=True)
    return (
        answer.status_code == 401
        and schemes == ["Bearer", "Basic"]
        and ("OperationOutcome" in told or told.startswith("<!DOCTYPE html>"))
    )


def test_who_has_other_scopes_is_told_which_is_needed(guarded: FlaskClient) -> None:
    let_in = []
    for method, route in CALLS:
        assert route.needs is not None
        if not route.needs.scopes:
            continue
        answer = called(guarded, method, route, bearer("other"))
        needed = "|".join(re.escape(f"system/{_named(one)}") for one in route.needs.scopes)
        if answer.status_code != 403 or not re.search(needed, answer.get_data(as_text=True)):
            let_in.append((method, route.rule, answer.status_code))
    assert let_in == []


def _named(scope: Scope) -> Scope:
    return scope._replace(resource_type=scope.resource_type.replace(OF_URL, "Observation"))


def test_who_has_no_right_of_its_own_is_refused(guarded: FlaskClient) -> None:
    of_rights = [(m, r) for m, r in CALLS if r.needs is not None and r.needs.rights]
    assert {route.rule for _, route in of_rights} == {"/metrics", "/fhirpath"}
    statuses = [called(guarded, m, r, bearer("plain")).status_code for m, r in of_rights]
    assert set(statuses) == {403}


def test_who_has_all_gets_past_the_guard(guarded: FlaskClient) -> None:
    """The tables above can fail: with the right credentials no route asks for a login."""
    allowed = {"Authorization": "Bearer battery-staple"}
    refused = [
        (method, route.rule)
        for method, route in CALLS
        if called(guarded, method, route, allowed).status_code in (401, 403)
    ]
    assert refused == []


def test_what_is_open_asks_nobody(guarded: FlaskClient) -> None:
    asked = [
        route.rule
        for route in ROUTES
        if route not in CLOSED and called(guarded, "GET", route, {}).status_code in (401, 403)
    ]
    assert asked == []


def test_every_parameter_that_brings_more_than_data_needs_a_right() -> None:
    """A definition, a server or a profile in a parameter is a right of its own."""
    given = {p for operation in operations() for p in operation.parameters}
    more = {
        parameter.name
        for parameter in given
        if parameter.type in {*DEFINITION_TYPES, "Endpoint"}
        or parameter.name in ("definitions", "profile", "artifactEndpointConfiguration")
    }
    assert more == {parameter.name for parameter in given} & RIGHTS.keys()


ENDPOINT = {
    "resourceType": "Endpoint",
    "status": "active",
    "connectionType": {"code": "hl7-fhir-rest"},
    "payloadType": [{"text": "any"}],
    "address": "http://x",
}
VALUES_OF = {
    "planDefinition": {"resource": {"resourceType": "PlanDefinition", "status": "draft"}},
    "activityDefinition": {"resource": {"resourceType": "ActivityDefinition", "status": "draft"}},
    "valueSet": {"resource": {"resourceType": "ValueSet", "status": "draft"}},
    "definitions": {"resource": {"resourceType": "Bundle", "type": "collection"}},
    "profile": {"valueCanonical": "http://hl7.org/fhir/StructureDefinition/vitalsigns"},
    "artifactEndpointConfiguration": {"part": [{"name": "endpointUri", "valueUri": "http://x"}]},
    **{name: {"resource": ENDPOINT} for name in RIGHTS if name.endswith("Endpoint")},
}
WITH_RIGHTS = [
    pytest.param(route, parameter.name, id=f"{route.rule} {parameter.name}")
    for route in CLOSED
    if route.operation is not None
    for parameter in route.operation.supported(route.level)
    if parameter.name in RIGHTS
]


@pytest.mark.parametrize(("route", "name"), WITH_RIGHTS)
def test_a_parameter_with_a_right_of_its_own(guarded: FlaskClient, route: Route, name: str) -> None:
    body = {"resourceType": "Parameters", "parameter": [{"name": name, **VALUES_OF[name]}]}
    answer = called(guarded, "POST", route, bearer("plain"), json=body)
    assert answer.status_code == 403
    assert f"`{RIGHTS[name]}`" in answer.json["issue"][0]["diagnostics"]
    allowed = {"Authorization": "Bearer battery-staple"}
    assert called(guarded, "POST", route, allowed, json=body).status_code not in (401, 403)


def test_a_profile_to_be_checked_needs_a_right(guarded: FlaskClient) -> None:
    profile = {"resourceType": "StructureDefinition", "status": "draft"}
    url = "/fhir/StructureDefinition/$validate"
    statuses = [
        guarded.post(url, json=profile, headers=bearer(token)).status_code
        for token in ("plain", "battery-staple")
    ]
    assert statuses == [403, 200]


def test_data_of_the_deployments_own_server_need_a_right(world: Any) -> None:
    client = world.client(data_endpoint="http://records.example/fhir")
    url = "/fhir/PlanDefinition/walk/$apply?subject=Patient/1"
    answer = client.get(url, headers=bearer("plain"))
    assert answer.status_code == 403
    assert "`data-endpoint`" in answer.json["issue"][0]["diagnostics"]


def test_all_rights_are_held_to_something() -> None:
    of_routes = {r for route in CLOSED if route.needs is not None for r in route.needs.rights}
    assert of_routes | set(RIGHTS.values()) == set(Right)


def test_a_batch_is_as_much_as_its_entries(guarded: FlaskClient) -> None:
    urls = ("PlanDefinition/walk", "metadata", "PlanDefinition", "Basic/x")
    entries = [{"request": {"method": "GET", "url": url}} for url in urls]
    body = {"resourceType": "Bundle", "type": "batch", "entry": entries}
    assert guarded.post("/fhir", json=body).status_code == 401
    told = {}
    for token in ("other", "plain"):
        answer = guarded.post("/fhir", json=body, headers=bearer(token))
        told[token] = [one["response"]["status"][:3] for one in answer.json["entry"]]
    assert told == {"other": ["403", "200", "403", "404"], "plain": ["200", "200", "200", "404"]}


def test_a_type_in_the_url_is_the_type_of_the_scope(guarded: FlaskClient) -> None:
    answers = {
        name: guarded.post(
            f"/fhir/{name}/$validate", json={"resourceType": name}, headers=bearer("other")
        ).status_code
        for name in ("Basic", "Patient")
    }
    assert answers == {"Basic": 200, "Patient": 403}
    assert {"Basic", "Patient"} <= RESOURCE_TYPES
