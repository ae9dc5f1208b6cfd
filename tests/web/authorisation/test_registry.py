"""The registry: what stands in it, and how what cannot be used is refused by its place."""

import json
from pathlib import Path
from typing import Any

import pytest

from carepath.web.authorisation.credentials import kept_token
from carepath.web.authorisation.registry import InvalidRegistry, read_registry
from carepath.web.authorisation.rights import Rate, Right
from carepath.web.authorisation.scopes import Scope, common, scope_of, scopes_of, text_of

CLIENT: dict[str, Any] = {"id": "a", "token": kept_token("a"), "scopes": "system/*.r"}
KEY = {"kty": "EC", "crv": "P-384", "kid": "1"}


def test_a_registry_in_yaml(tmp_path: Path) -> None:
    path = tmp_path / "registry.yaml"
    path.write_text(
        f"""
tokenSeconds: 120
clients:
  - id: engine   # the integration engine
    token: {kept_token("old")}
    nextToken: {kept_token("new")}
    scopes: system/PlanDefinition.rs system/Library.r
    rights: [data-endpoint]
    rate: 2.5
    burst: 10
  - id: gateway
    certificate: CN=gateway,O=Hospital
    scopes: [system/*.read]
""",
        "utf-8",
    )
    registry = read_registry(path)
    engine, gateway = registry.clients
    assert registry.token_seconds == 120
    assert engine.tokens == (kept_token("old"), kept_token("new"))
    assert engine.grant.scopes == (Scope("PlanDefinition", "rs"), Scope("Library", "r"))
    assert engine.grant.rights == {Right.DATA_ENDPOINT}
    assert engine.grant.rate == Rate(2.5, 10)
    assert gateway.certificate == "CN=gateway,O=Hospital"
    assert gateway.grant.scopes == (Scope("*", "rs"),)
    assert not registry.has_keys


@pytest.mark.parametrize(
    ("document", "place", "said"),
    [
        ([], "the file", "it must be an object"),
        ({"client": []}, "client", "it is unknown; known are cdsClients, clients, issuers"),
        ({"tokenSeconds": 5}, "tokenSeconds", "10 to 3600"),
        ({"tokenSeconds": True}, "tokenSeconds", "a number of seconds"),
        ({"tokenSeconds": None}, "tokenSeconds", "a number of seconds"),
        ({"clients": [1]}, "clients[0]", "it must be an object"),
        ({"clients": [{}]}, "clients[0].id", "it must be a text"),
        ({"clients": [{**CLIENT, "id": "a:b"}]}, "clients[0].id", "a name without colon"),
        ({"clients": [CLIENT, CLIENT]}, "clients[1].id", "`a` stands there twice"),
        ({"clients": [{**CLIENT, "tokens": "x"}]}, "clients[0].tokens", "it is unknown"),
        ({"clients": [{**CLIENT, "token": "my secret"}]}, "clients[0].token", "never the secret"),
        ({"clients": [{**CLIENT, "password": "my secret"}]}, "clients[0].password", "never"),
        ({"clients": [{"id": "a", "scopes": "system/*.r"}]}, "clients[0]", "it needs one of"),
        ({"clients": [{**CLIENT, "scopes": ""}]}, "clients[0].scopes", "a list of texts"),
        ({"clients": [{**CLIENT, "scopes": []}]}, "clients[0].scopes", "scopes such as"),
        ({"clients": [{**CLIENT, "scopes": "patient/*.r"}]}, "clients[0].scopes", "patient/*.r"),
        ({"clients": [{**CLIENT, "scopes": "system/Plan.r"}]}, "clients[0].scopes", "Plan.r"),
        ({"clients": [{**CLIENT, "scopes": "system/*."}]}, "clients[0].scopes", "system/*."),
        ({"clients": [{**CLIENT, "rights": ["all"]}]}, "clients[0].rights", "not `all`"),
        ({"clients": [{**CLIENT, "rights": [1]}]}, "clients[0].rights", "a list of texts"),
        ({"clients": [{**CLIENT, "rate": 0}]}, "clients[0].rate", "above 0"),
        ({"clients": [{**CLIENT, "burst": 0}]}, "clients[0].burst", "above 0"),
        ({"clients": [{**CLIENT, "jwks": {"keys": []}}]}, "clients[0].jwks", "1 to 50 keys"),
        ({"clients": [{**CLIENT, "jwks": {"keys": [KEY]}}]}, "clients[0].jwks", "cannot be read"),
        ({"clients": [{**CLIENT, "jwks": {"keys": [{"kty": "oct", "k": "AA", "kid": "1"}]}}]},
         "clients[0].jwks", "no key of kind EC or RSA"),
        ({"clients": [{**CLIENT, "jwks": {"keys": [{**KEY, "d": "x"}]}}]},
         "clients[0].jwks", "a private key"),
        ({"clients": [{**CLIENT, "jwksUrl": "https://a.example/k"}]},
         "clients[0].jwksUrl", "must stand in `jwksHosts`"),
        ({"issuers": [{"issuer": "https://x", "scopes": "system/*.r", "audience": "y"}]},
         "issuers[0]", "it needs `jwks` or `jwksUrl`"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_named(tmp_path: Path, document: Any, place: str, said: str) -> None:
    path = tmp_path / "registry.json"
    path.write_text(json.dumps(document), "utf-8")
    with pytest.raises(InvalidRegistry) as caught:
        read_registry(path)
    assert caught.value.element == place
    assert said in caught.value.reason
    assert "my secret" not in str(caught.value)


@pytest.mark.parametrize("data", [b"", b"{", b"\xff", b'{"clients": [], "clients": []}'])
def test_a_file_that_cannot_be_read(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "registry.json"
    path.write_bytes(data)
    with pytest.raises(InvalidRegistry):
        read_registry(path)


@pytest.mark.parametrize(
    "url",
    [
        "http://keys.example/jwks",
        "https://me@keys.example/jwks",
        "https://keys.example/jwks?x=1",
        "https://keys.example:8443/jwks",
        "https://keys.example.evil/jwks",
        "https://evil.example/keys.example",
        "https://169.254.169.254/latest",
        "file:///etc/passwd",
        "ftp://keys.example/jwks",
    ],
)
def test_an_address_of_keys_that_is_not_on_the_list(tmp_path: Path, url: str) -> None:
    path = tmp_path / "registry.json"
    document = {"jwksHosts": ["keys.example"], "clients": [{**CLIENT, "jwksUrl": url}]}
    path.write_text(json.dumps(document), "utf-8")
    with pytest.raises(InvalidRegistry) as caught:
        read_registry(path)
    assert caught.value.element == "clients[0].jwksUrl"


@pytest.mark.parametrize(
    ("text", "scope"),
    [
        ("system/PlanDefinition.rs", Scope("PlanDefinition", "rs")),
        ("user/*.cruds", Scope("*", "cruds")),
        ("system/*.read", Scope("*", "rs")),
        ("system/Library.write", Scope("Library", "cud")),
        ("system/*.*", Scope("*", "cruds")),
        ("patient/PlanDefinition.rs", None),
        ("system/PlanDefinition.sr", None),
        ("system/PlanDefinition.", None),
        ("system/Plan.r", None),
        ("system/Observation.rs?category=laboratory", None),
        ("openid", None),
        ("system/*.r system/*.s", None),
    ],
)
def test_scopes(text: str, scope: Scope | None) -> None:
    assert scope_of(text) == scope


@pytest.mark.parametrize(
    ("held", "asked", "covers"),
    [
        ("system/Library.rs", "system/Library.s", True),
        ("system/Library.r", "system/Library.s", False),
        ("system/*.r", "system/Library.r", True),
        ("system/*.r", "system/Library.rs", False),
        ("system/Library.cruds", "system/ValueSet.r", False),
        ("system/Library.cruds", "system/*.r", False),
    ],
)
def test_what_a_scope_covers(held: str, asked: str, covers: bool) -> None:
    (one,), (other,) = scopes_of(held), scopes_of(asked)
    assert one.covers(other) is covers


def test_what_two_sides_have_in_common() -> None:
    asked = scopes_of("system/*.rs system/Patient.c openid")
    held = scopes_of("system/PlanDefinition.cruds system/Library.r user/PlanDefinition.r")
    assert text_of(common(asked, held)) == "system/PlanDefinition.rs system/Library.r"
    assert common(held, asked) == common(asked, held)
    assert common(asked, ()) == ()
