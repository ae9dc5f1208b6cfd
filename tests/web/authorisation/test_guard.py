"""The guard by itself: forgotten routes, certificates, calls of an EHR, the bound of a client."""

import time
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask, g
from flask.testing import FlaskClient
from known_clients import TOKEN, basic, bearer, ec_key, key_set, signed  # type: ignore[import-not-found]

from carepath.web import Config
from carepath.web.authorisation.credentials import kept_password, kept_token
from carepath.web.authorisation.guard import Guard
from carepath.web.authorisation.rights import Grant, Need, Right, need
from carepath.web.cds_hooks.fhir_server import read_missing
from carepath.web.http.refusals import LoginRequired, NotAllowed

READ = "/fhir/PlanDefinition/walk"
PROXY = {"REMOTE_ADDR": "10.1.2.3"}
ENGINE = {"X-Client-Verify": "SUCCESS", "X-Client-Subject": "CN=engine,O=Hospital"}


def guard_of(client: FlaskClient) -> Guard:
    guard: Guard = client.application.extensions["carepath-guard"]
    return guard


def test_a_route_that_was_forgotten_is_closed_to_everybody(guarded: FlaskClient) -> None:
    guard = guard_of(guarded)
    with pytest.raises(LoginRequired):
        guard.admit(None, {}, {"REMOTE_ADDR": ""})
    everything = {"HTTP_AUTHORIZATION": f"Bearer {TOKEN}", "REMOTE_ADDR": ""}
    with pytest.raises(NotAllowed, match="This needs `a route that is open to somebody`, which"):
        guard.admit(None, {}, everything)
    assert guard.admit(Need(), {}, everything).client == "engine"


def test_all_that_is_needed_is_needed() -> None:
    reads, searches = need("Library", "r"), need("Library", "s")
    both = Need((*reads.scopes, *searches.scopes), (Right.METRICS,))
    grant = Grant("a", reads.scopes, frozenset(Right))
    assert grant.lacks(both, {}) == "system/Library.s"
    assert Grant("a", both.scopes).lacks(both, {}) == "metrics"
    assert Grant("a", both.scopes, frozenset({Right.METRICS})).lacks(both, {}) == ""
    assert both.words == "system/Library.r system/Library.s metrics"


@pytest.fixture
def behind_a_proxy(world: Any) -> FlaskClient:
    clients = [
        {"id": "engine", "certificate": "CN=engine,O=Hospital", "scopes": "system/*.rs"},
        {"id": "reports", "token": kept_token("t"), "scopes": "system/*.rs"},
    ]
    client: FlaskClient = world.client({"clients": clients}, trusted_proxies=("10.0.0.0/8",))
    return client


@pytest.mark.parametrize(
    ("headers", "peer", "status"),
    [
        (ENGINE, "10.1.2.3", 200),
        (ENGINE, "192.0.2.1", 401),
        (ENGINE, "", 401),
        ({**ENGINE, "X-Forwarded-For": "10.1.2.3"}, "192.0.2.1", 401),
        ({**ENGINE, "X-Client-Verify": "FAILED:expired"}, "10.1.2.3", 401),
        ({**ENGINE, "X-Client-Verify": "NONE"}, "10.1.2.3", 401),
        ({**ENGINE, "X-Client-Verify": "success"}, "10.1.2.3", 401),
        ({"X-Client-Subject": "CN=engine,O=Hospital"}, "10.1.2.3", 401),
        ({**ENGINE, "X-Client-Subject": ""}, "10.1.2.3", 401),
        ({**ENGINE, "X-Client-Subject": "CN=engine"}, "10.1.2.3", 401),
        ({**ENGINE, "X-Client-Subject": "CN=engine,O=Hospital,C=XX"}, "10.1.2.3", 401),
        ({**ENGINE, **bearer("t")}, "10.1.2.3", 200),
        ({**ENGINE, **bearer("wrong")}, "10.1.2.3", 401),
    ],
)
def test_certificates(
    behind_a_proxy: FlaskClient, headers: dict[str, str], peer: str, status: int
) -> None:
    answer = behind_a_proxy.get(READ, headers=headers, environ_base={"REMOTE_ADDR": peer})
    assert answer.status_code == status


def test_the_certificate_of_a_batch_counts_for_its_entries(behind_a_proxy: FlaskClient) -> None:
    entries = [{"request": {"method": "GET", "url": "PlanDefinition/walk"}}]
    body = {"resourceType": "Bundle", "type": "batch", "entry": entries}
    answer = behind_a_proxy.post("/fhir", json=body, headers=ENGINE, environ_base=PROXY)
    assert answer.json["entry"][0]["response"]["status"] == "200 OK"


def test_the_token_of_an_ehr_opens_its_call_and_nothing_else(world: Any) -> None:
    key = ec_key("cds")
    known = {"issuer": "https://ehr.example", "jwks": key_set(key),
             "scopes": "system/PlanDefinition.r"}  # fmt: skip
    guard = guard_of(world.client({"cdsClients": [known]}))

    def grant(path: str, jti: str, url: str = "") -> Grant:
        now = int(time.time())
        told = {"iss": "https://ehr.example", "aud": url or f"http://localhost{path}",
                "exp": now + 100, "iat": now, "jti": jti}  # fmt: skip
        environ = {
            "HTTP_AUTHORIZATION": f"Bearer {signed(key, 'ES384', told)}",
            "PATH_INFO": path,
            "HTTP_HOST": "evil.example",
            "REMOTE_ADDR": "",
        }
        return guard.admit(need("PlanDefinition", "r"), {}, environ)

    assert grant("/cds-services/plan", "1").client == "https://ehr.example"
    assert grant("/cds-services/plan/feedback", "2").client == "https://ehr.example"
    for path, jti, url in (
        ("/cds-services/plan", "1", ""),
        ("/cds-services/plan", "3", "http://localhost/cds-services/other"),
        ("/cds-services/plan", "4", "http://evil.example/cds-services/plan"),
        ("/fhir/PlanDefinition/walk", "5", ""),
    ):
        with pytest.raises(LoginRequired):
            grant(path, jti, url)


def test_the_openapi_document_says_where_to_log_in(guarded: FlaskClient) -> None:
    made = guarded.get("/openapi.json").json
    assert made["components"]["securitySchemes"] == {
        "basic": {"type": "http", "scheme": "basic"},
        "bearer": {"type": "http", "scheme": "bearer"},
    }
    asked = {path for path, methods in made["paths"].items() for one in methods.values()
             if "security" in one}  # fmt: skip
    assert {"/fhir/PlanDefinition/{id}", "/fhir", "/metrics", "/auth/introspect"} <= asked
    assert asked.isdisjoint({"/fhir/metadata", "/healthz", "/auth/token", "/openapi.json"})


def test_a_call_of_cds_hooks_reads_elsewhere_by_a_right_of_its_own() -> None:
    told = {"fhir_server": "http://records.example/fhir", "token": "t", "patient": "p"}
    request: Any = SimpleNamespace(**told)
    with Flask("none").app_context():
        g.grant = Grant("ehr", need("PlanDefinition", "r").scopes)
        with pytest.raises(NotAllowed, match="This needs `data-endpoint`"):
            read_missing(request, {}, {}, SimpleNamespace(config=Config()))  # type: ignore[arg-type]


def test_a_password_goes_with_its_name(world: Any) -> None:
    clients = [
        {"id": name, "password": kept_password(f"of {name}", bytes(16)), "scopes": "system/*.rs"}
        for name in ("a", "b")
    ]
    client = world.client({"clients": clients})

    def status(name: str, password: str) -> int:
        return int(client.get(READ, headers=basic(name, password)).status_code)

    assert [status("a", "of a"), status("b", "of b")] == [200, 200]
    assert [status(*pair) for pair in (("a", "of b"), ("b", "of a"), ("c", "of a"))] == [401] * 3


def test_who_asks_too_often_waits(world: Any) -> None:
    clients = [
        {"id": "a", "token": kept_token("a"), "scopes": "system/*.rs", "rate": 0.01, "burst": 2},
        {"id": "b", "token": kept_token("b"), "scopes": "system/*.rs"},
    ]
    client = world.client({"clients": clients})
    statuses = [client.get(READ, headers=bearer("a")).status_code for _ in range(3)]
    assert statuses == [200, 200, 429]
    waiting = client.get(READ, headers=bearer("a"))
    assert int(waiting.headers["Retry-After"]) > 1
    assert client.get(READ, headers=bearer("b")).status_code == 200
    assert client.get("/fhir/metadata", headers=bearer("a")).status_code == 200
