"""Forged tokens: at the token endpoint, as tokens of another server, as calls of an EHR.

https://www.rfc-editor.org/rfc/rfc8725.html
"""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from joserfc.jwk import Key
from known_clients import (  # type: ignore[import-not-found]
    BASE,
    ISSUER,
    bearer,
    ec_key,
    key_set,
    rsa_key,
    signed,
)

from carepath.web.authorisation.cds_client import CdsClients
from carepath.web.authorisation.keys import Keys
from carepath.web.authorisation.registry import Issuer
from carepath.web.authorisation.replay import Used
from carepath.web.authorisation.rights import Grant
from carepath.web.authorisation.shared_times import SharedTimes
from carepath.web.authorisation.untrusted import Untrusted

ENDPOINT = "http://localhost/auth/token"
TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
COUNT = iter(range(1_000_000))


def encoded(value: Any) -> str:
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def forged(head: dict[str, Any], claims: dict[str, Any], secret: bytes | None = None) -> str:
    """Return a token whose signature is none, or one by a shared secret."""
    text = f"{encoded(head)}.{encoded(claims)}"
    digest = b"" if secret is None else hmac.digest(secret, text.encode(), hashlib.sha256)
    return f"{text}.{encoded(digest)}"


def claims(**more: Any) -> dict[str, Any]:
    ends = int(time.time()) + 240
    return {"iss": "ehr", "sub": "ehr", "aud": ENDPOINT, "exp": ends, "jti": f"a{next(COUNT)}",
            **more}  # fmt: skip


def public(key: Key) -> bytes:
    pem: bytes = key.as_pem(private=False)
    return pem


FORGED: dict[str, Callable[[Any], str]] = {
    "no signature": lambda w: forged({"alg": "none", "kid": "rsa-1"}, claims()),
    "no signature, in other letters": lambda w: forged({"alg": "nOnE", "kid": "rsa-1"}, claims()),
    "no algorithm": lambda w: forged({"kid": "rsa-1"}, claims()),
    "the public key as secret": lambda w: forged(
        {"alg": "HS256", "kid": "rsa-1"}, claims(), public(w.rsa)
    ),
    "the public key as secret, HS384": lambda w: forged(
        {"alg": "HS384", "kid": "ehr-1"}, claims(), public(w.ehr)
    ),
    "an algorithm that is not allowed": lambda w: signed(w.rsa, "RS256", claims()),
    "a key of another kind": lambda w: forged({"alg": "ES384", "kid": "rsa-1"}, claims(), b"x"),
    "another one's key": lambda w: signed(ec_key("ehr-1"), "ES384", claims()),
    "an id of no key": lambda w: signed(ec_key("ehr-2"), "ES384", claims()),
    "an id that is a path": lambda w: signed(ec_key("../../dev/null"), "ES384", claims()),
    "an id that is a query": lambda w: signed(ec_key("x' UNION SELECT 'k"), "ES384", claims()),
    "an id that is empty": lambda w: forged({"alg": "ES384", "kid": ""}, claims(), b""),
    "an id that is a list": lambda w: forged({"alg": "ES384", "kid": ["ehr-1"]}, claims(), b"x"),
    "an id that is null": lambda w: forged({"alg": "ES384", "kid": None}, claims(), b"x"),
    "no id": lambda w: forged({"alg": "ES384"}, claims(), b"x"),
    "keys elsewhere": lambda w: signed(
        w.ehr, "ES384", claims(), jku="https://evil.example/jwks.json"
    ),
    "a certificate elsewhere": lambda w: signed(
        w.ehr, "ES384", claims(), x5u="https://evil.example/cert.pem"
    ),
    "a key of its own": lambda w: signed(
        own := ec_key("ehr-1"), "ES384", claims(), jwk=own.as_dict(private=False)
    ),
    "a critical extension": lambda w: forged(
        {"alg": "ES384", "kid": "ehr-1", "crit": ["b64"], "b64": False}, claims(), b"x"
    ),
    "claims that were changed": lambda w: _changed(signed(w.ehr, "ES384", claims())),
    "a signature that was cut off": lambda w: signed(w.ehr, "ES384", claims())[:-8],
    "an empty signature": lambda w: signed(w.ehr, "ES384", claims()).rpartition(".")[0] + ".",
    "a signature of zeros": lambda w: (
        signed(w.ehr, "ES384", claims()).rpartition(".")[0] + "." + encoded(bytes(96))
    ),
    "claims that are a list": lambda w: f"{encoded({'alg': 'ES384', 'kid': 'ehr-1'})}.W10.eA",
    "five parts": lambda w: "a.b.c.d.e",
    "no token": lambda w: "x",
    "not even letters": lambda w: "\xff.\xff.\xff",
    "very deep": lambda w: f"{encoded({'alg': 'ES384'})}.{encoded(b'[' * 5000)}.eA",
    "very long": lambda w: signed(w.ehr, "ES384", claims(padding="x" * 9_000)),
}


def _changed(token: str) -> str:
    head, body, signature = token.split(".")
    told = json.loads(base64.urlsafe_b64decode(body + "=="))
    return f"{head}.{encoded({**told, 'scope': 'system/*.cruds'})}.{signature}"


@pytest.mark.parametrize("kind", FORGED)
def test_no_forged_assertion_gives_a_token(world: Any, guarded: FlaskClient, kind: str) -> None:
    form = {
        "grant_type": "client_credentials",
        "client_assertion_type": TYPE,
        "client_assertion": FORGED[kind](world),
        "scope": "system/*.rs",
    }
    answer = guarded.post("/auth/token", data=form)
    assert answer.status_code == 401
    assert answer.json["error"] == "invalid_client"
    assert "access_token" not in answer.json


@pytest.mark.parametrize("kind", FORGED)
def test_no_forged_token_opens_anything(world: Any, guarded: FlaskClient, kind: str) -> None:
    answer = guarded.get("/fhir/PlanDefinition/walk", headers=bearer(FORGED[kind](world)))
    assert answer.status_code == 401
    assert answer.json["issue"][0]["code"] in ("login", "expired")


OUTSIDE: dict[str, Callable[[Any], str]] = {
    "no signature": lambda w: forged(
        {"alg": "none", "kid": "login-1"}, json.loads(_body(w.outside()))
    ),
    "the public key as secret": lambda w: forged(
        {"alg": "HS256", "kid": "login-1"}, json.loads(_body(w.outside())), public(w.login)
    ),
    "a key of the registry's client": lambda w: signed(
        w.ehr, "ES384", json.loads(_body(w.outside()))
    ),
    "keys elsewhere": lambda w: signed(
        w.login, "ES256", json.loads(_body(w.outside())), jku="https://evil.example/jwks"
    ),
    "an address that begins alike": lambda w: w.outside(aud=f"{BASE}.evil.example"),
    "an issuer that begins alike": lambda w: w.outside(iss=f"{ISSUER}.evil.example"),
    "made out to the token endpoint": lambda w: w.outside(aud=ENDPOINT),
    "no address": lambda w: w.outside(aud=None),
    "for years": lambda w: w.outside(exp=int(time.time()) + 10**8),
    "from later": lambda w: w.outside(iat=int(time.time()) + 120),
    "nobody's": lambda w: w.outside(client_id=None, sub=None),
    "of our own name": lambda w: w.outside(iss=BASE),
}


def _body(token: str) -> bytes:
    return base64.urlsafe_b64decode(token.split(".")[1] + "==")


@pytest.mark.parametrize("kind", OUTSIDE)
def test_no_forged_token_of_another_server(world: Any, guarded: FlaskClient, kind: str) -> None:
    token = OUTSIDE[kind](world)
    answer = guarded.get("/fhir/PlanDefinition/walk", headers=bearer(token))
    assert answer.status_code == 401


def test_a_token_of_another_server(world: Any, guarded: FlaskClient) -> None:
    def status(path: str, **more: Any) -> int:
        answer = guarded.get(f"/fhir/{path}", headers=bearer(world.outside(**more)))
        return int(answer.status_code)

    plan, plans, library = "PlanDefinition/walk", "PlanDefinition", "Library/needs"
    assert [status(path) for path in (plan, plans, library)] == [200, 200, 403]
    # No more than the registry gives to its issuer, however much it says.
    wide = "openid system/*.cruds"
    assert [status(p, scope=wide) for p in (plan, library, "ValueSet/colours")] == [200, 200, 403]
    assert status(plan, scope=["user/PlanDefinition.r"]) == 200
    assert [status(plan, scope=scope) for scope in ("openid", "", None, 7)] == [403] * 4
    assert status(plan, aud=["https://other.example", BASE]) == 200


URL = "https://pathways.example/cds-services/plan"


def cds(key: Key, **more: Any) -> str:
    told = {"iss": "https://ehr.example", "aud": URL, "exp": int(time.time()) + 200,
            "iat": int(time.time()), "jti": f"c{next(COUNT)}", **more}  # fmt: skip
    return signed(key, "ES384" if key.key_type == "EC" else "RS384", told)


@pytest.fixture(scope="module")
def ehr() -> tuple[CdsClients, Key]:
    key = ec_key("cds-1")
    keys = Keys(key_set(key, rsa_key("cds-2")), "", ())
    issuer = Issuer("https://ehr.example", keys, "", Grant("https://ehr.example"))
    return CdsClients([issuer], Used(SharedTimes(64))), key


def test_a_call_of_an_ehr_counts_once_and_at_its_url(ehr: tuple[CdsClients, Key]) -> None:
    clients, key = ehr
    token = cds(key)
    assert clients.grant_of(token, URL) == Grant("https://ehr.example")
    with pytest.raises(Untrusted, match="it was used before"):
        clients.grant_of(token, URL)
    assert clients.grant_of(cds(key, iss="https://other.example"), URL) is None


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"aud": f"{URL}/"}, "another address"),
        ({"aud": URL.replace("https", "http")}, "another address"),
        ({"aud": "https://pathways.example"}, "another address"),
        ({"aud": URL.replace("plan", "other")}, "another address"),
        ({"exp": int(time.time()) - 90}, "has expired"),
        ({"exp": int(time.time()) + 9_000}, "more than 300 seconds"),
        ({"jti": None}, "no `jti`"),
    ],
)
def test_a_call_that_is_made_out_wrongly(
    ehr: tuple[CdsClients, Key], wrong: dict[str, Any], reason: str
) -> None:
    clients, key = ehr
    with pytest.raises(Untrusted, match=reason):
        clients.grant_of(cds(key, **wrong), URL)


@pytest.mark.parametrize("key", [ec_key("cds-1"), ec_key("cds-3"), rsa_key("cds-2")])
def test_a_call_that_somebody_else_signed(ehr: tuple[CdsClients, Key], key: Key) -> None:
    with pytest.raises(Untrusted):
        ehr[0].grant_of(cds(key), URL)
