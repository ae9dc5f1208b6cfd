"""A registry with clients of every kind, and what signs for them."""

import base64
import json
import socket
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flask.testing import FlaskClient
from joserfc import jwt
from joserfc.jwk import ECKey, Key, RSAKey

from carepath.knowledge import Knowledge
from carepath.web import Config, create_app
from carepath.web.authorisation.credentials import kept_password, kept_token

BASE = "http://localhost/fhir"
ISSUER = "https://login.example"
PASSWORD, TOKEN = "correct horse", "battery-staple"
SCOPES = "system/*.cruds"


def ec_key(kid: str, curve: str = "P-384") -> ECKey:
    return ECKey.generate_key(curve, {"kid": kid}, private=True)


def rsa_key(kid: str) -> RSAKey:
    return RSAKey.generate_key(2048, {"kid": kid}, private=True)


def key_set(*keys: Key) -> dict[str, Any]:
    return {"keys": [key.as_dict(private=False) for key in keys]}


def signed(key: Key, algorithm: str, claims: dict[str, Any], **head: Any) -> str:
    return jwt.encode(
        {"alg": algorithm, "kid": key.kid, **head}, claims, key, algorithms=[algorithm]
    )


def basic(name: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()}


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@dataclass
class World:
    """Keys, the registry that names them, and applications that use it."""

    folder: Path
    knowledge: Knowledge
    ehr: ECKey = field(default_factory=lambda: ec_key("ehr-1"))
    rsa: RSAKey = field(default_factory=lambda: rsa_key("rsa-1"))
    login: ECKey = field(default_factory=lambda: ec_key("login-1", "P-256"))

    def registry(self, **more: Any) -> dict[str, Any]:
        kept = {"password": kept_password(PASSWORD, bytes(16)), "token": kept_token(TOKEN)}
        rights = "inline-definitions expressions data-endpoint profiles metrics"
        return {
            "clients": [
                {"id": "engine", **kept, "scopes": SCOPES, "rights": rights},
                {"id": "plain", "token": kept_token("plain"), "scopes": SCOPES},
                {"id": "other", "token": kept_token("other"), "scopes": "system/Basic.cruds"},
                {"id": "ehr", "jwks": key_set(self.ehr, self.rsa), "scopes": SCOPES},
            ],
            "issuers": [
                {
                    "issuer": ISSUER,
                    "audience": BASE,
                    "jwks": key_set(self.login),
                    "scopes": "system/PlanDefinition.rs system/Library.r",
                }
            ],
            **more,
        }

    def client(self, registry: dict[str, Any] | None = None, **settings: Any) -> FlaskClient:
        path = self.folder / "registry.json"
        path.write_text(json.dumps(registry or self.registry()), "utf-8")
        given = {"base_url": BASE, "authorisation": str(path), **settings}
        return create_app(Config(**given), self.knowledge).test_client()

    def outside(self, **claims: Any) -> str:
        """Return a token of the outside server; a claim of None is left out."""
        now = int(time.time())
        told = {
            "iss": ISSUER,
            "aud": BASE,
            "sub": "someone",
            "client_id": "app",
            "scope": "system/PlanDefinition.rs",
            "iat": now,
            "exp": now + 60,
            **claims,
        }
        told = {name: value for name, value in told.items() if value is not None}
        return signed(self.login, "ES256", told)


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
    return port
