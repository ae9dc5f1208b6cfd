"""Tokens of ours: short-lived, signed by a key that all workers have.

https://www.rfc-editor.org/rfc/rfc9068.html

A token names client and scopes.  What the client may do beyond is looked up in the registry each
time, so that whoever is taken out of it is out at once.
"""

import json
import os
import secrets
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from carepath.web.authorisation.jwt import Expected, issuer_of, verified
from carepath.web.authorisation.keys import InvalidKeys, Keys
from carepath.web.authorisation.registry import Client, Registry
from carepath.web.authorisation.rights import Grant
from carepath.web.authorisation.scopes import Scope, common, scopes_of, text_of
from carepath.web.authorisation.untrusted import Untrusted
from carepath.web.config import InvalidConfiguration, variable

_ALGORITHM = "ES256"
_KEY_FILE = "token-key.json"


class Tokens:
    """Makes tokens out, and knows them again."""

    def __init__(
        self, registry: Registry, address: str, key: ECKey, clock: Callable[[], float] = time.time
    ) -> None:
        """Take the address of the service, which every token names as issuer and audience."""
        self.seconds = registry.token_seconds
        self.address = address
        self._clients = {client.id: client for client in registry.clients}
        self._key = key
        self._keys = Keys({"keys": [key.as_dict(private=False)]}, "", ())
        self._clock = clock

    def make(self, client: Client, scopes: tuple[Scope, ...]) -> str:
        """Return a new token for a client."""
        now = int(self._clock())
        claims = {
            "iss": self.address,
            "aud": self.address,
            "sub": client.id,
            "client_id": client.id,
            "scope": text_of(scopes),
            "iat": now,
            "exp": now + self.seconds,
            "jti": secrets.token_urlsafe(16),
        }
        head = {"alg": _ALGORITHM, "kid": self._key.kid, "typ": "at+jwt"}
        return jwt.encode(head, claims, self._key, algorithms=[_ALGORITHM])

    def claims_of(self, text: str) -> Any:
        """Return what a token of ours says, None for one of somebody else; raises Untrusted."""
        if not self.address or issuer_of(text) != self.address:
            return None
        expected = Expected(self.address, self.address, (_ALGORITHM,))
        claims = verified(text, self._keys, expected, self._clock())
        # Our clock made it out: it ends when it says so.
        if claims["exp"] <= self._clock():
            raise Untrusted("it has expired", is_expired=True)
        if claims.get("client_id") not in self._clients:
            raise Untrusted("its client is not registered any more")
        return claims

    def grant_of(self, text: str) -> Grant | None:
        """Return what a token of ours gives, None for one of somebody else; raises Untrusted."""
        claims = self.claims_of(text)
        if claims is None:
            return None
        held = self._clients[claims["client_id"]].grant
        return replace(held, scopes=common(scopes_of(claims["scope"]), held.scopes))


def token_key(folder: Path | None) -> ECKey:
    """Return the key of the folder, made when there is none yet; without a folder a new one.

    Raises InvalidConfiguration for a folder that cannot hold it, or holds something else.
    """
    if folder is None:
        return _new()
    path = folder / _KEY_FILE
    try:
        if not path.exists():
            made = json.dumps(_new().as_dict(private=True)).encode()
            _write(path, made)
        key = ECKey.import_key(json.loads(path.read_bytes()))
        # The id is part of the file only as far as it is in the key.
        key.ensure_kid()
        if not key.is_private:
            raise InvalidKeys("no private key")
    except (OSError, ValueError, TypeError, KeyError, JoseError, InvalidKeys) as error:
        name, expected = variable("authorisation_state"), "a folder that holds the key of tokens"
        raise InvalidConfiguration(name, str(folder), expected) from error
    return key


def _new() -> ECKey:
    key = ECKey.generate_key("P-256", private=True)
    key.ensure_kid()
    return key


def _write(path: Path, data: bytes) -> None:
    """Write a file that only its owner reads, whole or not at all."""
    beside = path.with_suffix(".new")
    handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
    beside.replace(path)
