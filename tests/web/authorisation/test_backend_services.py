"""SMART Backend Services: an assertion in, a short-lived token out, and what is refused.

https://hl7.org/fhir/smart-app-launch/STU2.1/backend-services.html
"""

import time
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from known_clients import BASE, bearer, ec_key, rsa_key, signed  # type: ignore[import-not-found]

ENDPOINT = "http://localhost/auth/token"
TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
COUNT = iter(range(1_000_000))


def claims(**more: Any) -> dict[str, Any]:
    told = {
        "iss": "ehr",
        "sub": "ehr",
        "aud": ENDPOINT,
        "exp": int(time.time()) + 240,
        "jti": f"id-{next(COUNT)}",
        **more,
    }
    return {name: value for name, value in told.items() if value is not None}


def ask(client: FlaskClient, assertion: str, **more: Any) -> Any:
    form = {
        "grant_type": "client_credentials",
        "client_assertion_type": TYPE,
        "client_assertion": assertion,
        "scope": "system/PlanDefinition.rs",
        **more,
    }
    return client.post("/auth/token", data={n: v for n, v in form.items() if v is not None})


def test_a_token_is_made_out_and_opens_what_it_says(world: Any, guarded: FlaskClient) -> None:
    for key, algorithm in ((world.ehr, "ES384"), (world.rsa, "RS384")):
        answer = ask(guarded, signed(key, algorithm, claims()))
        told = answer.json
        token = told.pop("access_token")
        assert answer.status_code == 200
        assert answer.headers["Cache-Control"] == "no-store"
        assert told == {
            "token_type": "bearer",
            "expires_in": 300,
            "scope": "system/PlanDefinition.rs",
        }
        read = guarded.get("/fhir/PlanDefinition/walk", headers=bearer(token))
        other = guarded.get("/fhir/Library/needs", headers=bearer(token))
        assert (read.status_code, other.status_code) == (200, 403)
        assert guarded.get("/metrics", headers=bearer(token)).status_code == 403


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "another address": ({"aud": BASE}, "it is made out to another address"),
    "another address below": ({"aud": f"{ENDPOINT}/"}, "it is made out to another address"),
    "no address": ({"aud": None}, "it is made out to another address"),
    "a list of others": ({"aud": [BASE]}, "it is made out to another address"),
    "expired": ({"exp": int(time.time()) - 90}, "it has expired"),
    "no end": ({"exp": None}, "it does not say when it ends, by `exp`"),
    "an end in words": ({"exp": "soon"}, "its `exp` is no moment"),
    "an end beyond all years": ({"exp": 1e300}, "its `exp` is no moment"),
    "a truth as end": ({"exp": True}, "its `exp` is no moment"),
    "for too long": ({"exp": int(time.time()) + 9000}, "it is valid for more than 300 seconds"),
    "from later": ({"nbf": int(time.time()) + 900}, "its `nbf` is in the future"),
    "made later": ({"iat": int(time.time()) + 900}, "its `iat` is in the future"),
    "another subject": ({"sub": "engine"}, "its `sub` is not its `iss`"),
    "no subject": ({"sub": None}, "its `sub` is not its `iss`"),
    "no id": ({"jti": None}, "it has no `jti`"),
    "an empty id": ({"jti": ""}, "it has no `jti`"),
    "a number as id": ({"jti": 7}, "it has no `jti`"),
    "a long id": ({"jti": "x" * 201}, "it has no `jti`"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_an_assertion_must_say(world: Any, guarded: FlaskClient, kind: str) -> None:
    wrong, reason = REFUSED[kind]
    answer = ask(guarded, signed(world.ehr, "ES384", claims(**wrong)))
    assert answer.status_code == 401
    assert answer.json == {
        "error": "invalid_client",
        "error_description": f"The assertion is not accepted: {reason}.",
    }


@pytest.mark.parametrize("seconds", [-59, 359])
def test_clocks_may_differ_by_a_minute(world: Any, guarded: FlaskClient, seconds: int) -> None:
    late = claims(exp=int(time.time()) + seconds, iat=int(time.time()) + 50)
    assert ask(guarded, signed(world.ehr, "ES384", late)).status_code == 200


@pytest.mark.parametrize("issuer", ["engine", "nobody", "", None, 7])
def test_who_has_no_key_gets_no_token(world: Any, guarded: FlaskClient, issuer: Any) -> None:
    answer = ask(guarded, signed(world.ehr, "ES384", claims(iss=issuer, sub=issuer)))
    assert (answer.status_code, answer.json["error"]) == (401, "invalid_client")


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"grant_type": "authorization_code"}, "unsupported_grant_type"),
        ({"grant_type": None}, "unsupported_grant_type"),
        ({"client_assertion_type": "jwt"}, "invalid_request"),
        ({"client_assertion": None}, "invalid_request"),
        ({"client_assertion": ""}, "invalid_request"),
        ({"client_assertion": ["a", "b"]}, "invalid_request"),
        ({"scope": None}, "invalid_scope"),
        ({"scope": "openid"}, "invalid_scope"),
        ({"scope": "patient/*.rs"}, "invalid_scope"),
    ],
)
def test_what_a_request_must_say(
    world: Any, guarded: FlaskClient, form: dict[str, Any], error: str
) -> None:
    answer = ask(guarded, signed(world.ehr, "ES384", claims()), **form)
    assert (answer.status_code, answer.json["error"]) == (400, error)


def test_a_body_that_is_no_form(guarded: FlaskClient) -> None:
    answer = guarded.post("/auth/token", json={"grant_type": "client_credentials"})
    assert (answer.status_code, answer.json["error"]) == (400, "invalid_request")


def test_scopes_are_no_more_than_the_registry_gives(world: Any) -> None:
    registry = world.registry()
    registry["clients"][3]["scopes"] = "system/PlanDefinition.rs system/Library.r"
    client = world.client(registry)
    answer = ask(client, signed(world.ehr, "ES384", claims()), scope="system/*.cruds openid")
    assert answer.json["scope"] == "system/PlanDefinition.rs system/Library.r"


def test_an_assertion_counts_once(world: Any, guarded: FlaskClient) -> None:
    assertion = signed(world.ehr, "ES384", claims())
    statuses = [ask(guarded, assertion).status_code for _ in range(3)]
    assert statuses == [200, 401, 401]
    again = ask(guarded, signed(world.rsa, "RS384", claims(jti=f"id-{next(COUNT) - 1}")))
    assert again.json["error_description"].endswith("it was used before.")


def test_a_token_means_nothing_after_its_time_or_its_client(world: Any) -> None:
    client = world.client(world.registry(tokenSeconds=10), authorisation_state=str(world.folder))
    token = ask(client, signed(world.ehr, "ES384", claims())).json["access_token"]
    url = "/fhir/PlanDefinition/walk"
    assert client.get(url, headers=bearer(token)).status_code == 200
    guard = client.application.extensions["carepath-guard"]
    guard.tokens._clock = lambda: time.time() + 11
    late = client.get(url, headers=bearer(token))
    assert (late.status_code, late.json["issue"][0]["code"]) == (401, "expired")
    registry = world.registry()
    del registry["clients"][3]
    registry["clients"][0]["jwks"] = world.registry()["clients"][3]["jwks"]
    without = world.client(registry, authorisation_state=str(world.folder))
    refused = without.get(url, headers=bearer(token))
    assert refused.status_code == 401
    assert "its client is not registered any more" in refused.get_data(as_text=True)


def test_the_key_of_tokens_outlives_a_restart(world: Any, tmp_path: Any) -> None:
    first, second = (world.client(authorisation_state=str(tmp_path)) for _ in range(2))
    assertion = signed(world.ehr, "ES384", claims())
    token = ask(first, assertion).json["access_token"]
    url = "/fhir/PlanDefinition/walk"
    assert second.get(url, headers=bearer(token)).status_code == 200
    assert ask(second, assertion).status_code == 401, "used before the restart"
    assert world.client().get(url, headers=bearer(token)).status_code == 401
    assert (tmp_path / "token-key.json").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "used-assertions").stat().st_mode & 0o777 == 0o600


def test_introspection(world: Any, guarded: FlaskClient) -> None:
    token = ask(guarded, signed(world.ehr, "ES384", claims())).json["access_token"]
    assert guarded.post("/auth/introspect", data={"token": token}).status_code == 401
    login = bearer("plain")
    told = guarded.post("/auth/introspect", data={"token": token}, headers=login).json
    assert {n: told[n] for n in ("active", "client_id", "scope", "iss", "aud", "token_type")} == {
        "active": True,
        "client_id": "ehr",
        "scope": "system/PlanDefinition.rs",
        "iss": BASE,
        "aud": BASE,
        "token_type": "bearer",
    }
    for unknown in (f"{token}x", "", "battery-staple", world.outside(iss=BASE)):
        given = {"token": unknown}
        answer = guarded.post("/auth/introspect", data=given, headers=login)
        assert (answer.status_code, answer.json) == (200, {"active": False})


def test_what_clients_learn_before_they_log_in(guarded: FlaskClient) -> None:
    told = guarded.get("/.well-known/smart-configuration")
    assert told.headers["Content-Type"] == "application/json"
    assert told.json == guarded.get("/fhir/.well-known/smart-configuration").json
    assert told.json["token_endpoint"] == ENDPOINT
    assert told.json["introspection_endpoint"] == "http://localhost/auth/introspect"
    assert told.json["token_endpoint_auth_methods_supported"] == ["private_key_jwt"]
    assert told.json["token_endpoint_auth_signing_alg_values_supported"] == ["ES384", "RS384"]
    crossing = guarded.get(
        "/.well-known/smart-configuration", headers={"Origin": "https://page.example"}
    )
    assert crossing.headers["Access-Control-Allow-Origin"] == "*"
    security = guarded.get("/fhir/metadata").json["rest"][0]["security"]
    codes = [service["coding"][0]["code"] for service in security["service"]]
    assert codes == ["SMART-on-FHIR", "OAuth", "Basic"]
    uris = {part["url"]: part["valueUri"] for part in security["extension"][0]["extension"]}
    assert uris["token"] == ENDPOINT


def test_without_a_registry_there_is_nothing(make_client: Callable[..., FlaskClient]) -> None:
    client = make_client()
    assert client.get("/.well-known/smart-configuration").status_code == 404
    assert client.post("/auth/token").status_code == 404
    assert client.post("/auth/introspect").status_code == 404
    assert "security" not in client.get("/fhir/metadata").json["rest"][0]


def test_a_key_of_another_client_is_none(world: Any, guarded: FlaskClient) -> None:
    for key, algorithm in ((ec_key("ehr-1"), "ES384"), (rsa_key("rsa-1"), "RS384")):
        answer = ask(guarded, signed(key, algorithm, claims()))
        assert (answer.status_code, answer.json["error"]) == (401, "invalid_client")
