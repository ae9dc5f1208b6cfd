"""The guard: who asks, how often, and whether the route may be called by that client.

https://www.rfc-editor.org/rfc/rfc9110.html#name-authentication and
https://www.rfc-editor.org/rfc/rfc6750.html

It stands in front of every route of the table, before a body is read.  A route that names no need
is refused to everybody: what was forgotten is closed.
"""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from carepath.web.authorisation.backend_services import TokenEndpoint
from carepath.web.authorisation.cds_client import SERVICES, CdsClients
from carepath.web.authorisation.certificates import certificate_subject
from carepath.web.authorisation.credentials import Passwords, is_token
from carepath.web.authorisation.grants import BEARER, GRANT, refuse
from carepath.web.authorisation.outside import Outside
from carepath.web.authorisation.rates import Rates
from carepath.web.authorisation.registry import Registry
from carepath.web.authorisation.rights import NOBODY, Grant, Need, Rate
from carepath.web.authorisation.tokens import Tokens
from carepath.web.authorisation.untrusted import Untrusted
from carepath.web.config import Config
from carepath.web.http.refusals import LoginExpired, LoginRequired
from carepath.web.http.urls import client_address, root_of

_BASIC = 'Basic realm="carepath", charset="UTF-8"'

_GUESSES = Rate(0.5, 20)
"""Passwords from one address that are not known yet: 20 at once, then one every two seconds."""


@dataclass(frozen=True)
class Guard:
    """Everything that decides who may do what."""

    config: Config
    registry: Registry
    passwords: Passwords
    tokens: Tokens
    outside: Outside
    rates: Rates
    cds_clients: CdsClients
    token_endpoint: TokenEndpoint

    def admit(self, needed: Need | None, arguments: Mapping[str, Any], environ: Any) -> Grant:
        """Return who asks; raise LoginRequired, NotAllowed or TooManyRequests."""
        if needed is not None and needed.is_open:
            return NOBODY
        grant = environ.get(GRANT) or self.client(environ)
        self.rates.take(grant)
        refuse(grant, Need() if needed is None else needed, arguments, is_closed=needed is None)
        return grant

    def client(self, environ: Mapping[str, Any]) -> Grant:
        """Return who asks; raise LoginRequired for nobody, and for who cannot prove it."""
        scheme, _, value = environ.get("HTTP_AUTHORIZATION", "").strip().partition(" ")
        subject = certificate_subject(self.config, environ)
        if not scheme and subject:
            return self._by_certificate(subject)
        ways = {"basic": self._by_password, "bearer": self._by_token}
        way = ways.get(scheme.lower())
        if way is None:
            reason = "This needs a login." if not scheme else "Only `Basic` and `Bearer` are known."
            raise LoginRequired(reason, (BEARER, _BASIC))
        return way(value.strip(), environ)

    def _by_certificate(self, subject: str) -> Grant:
        for client in self.registry.clients:
            if client.certificate == subject:
                return client.grant
        raise LoginRequired("The certificate is not registered.", (BEARER, _BASIC))

    def _by_password(self, value: str, environ: Mapping[str, Any]) -> Grant:
        """Return whom a name and a password are of."""
        try:
            name, _, password = base64.b64decode(value, validate=True).decode().partition(":")
        except ValueError:
            name = password = ""
        named = [one for one in self.registry.clients if one.id == name and one.password]
        kept = named[0].password if named else ""
        address = f"password from {client_address(self.config, environ)}"
        if not self.passwords.is_right(
            name, password, kept, lambda: self.rates.count(address, _GUESSES)
        ):
            raise LoginRequired("The name or the password is wrong.", (BEARER, _BASIC))
        return named[0].grant

    def _by_token(self, value: str, environ: Mapping[str, Any]) -> Grant:
        """Return whom a token is of: one that does not change, or one that somebody signed."""
        # All are looked at, whichever it is.
        clients = self.registry.clients
        found = [one for one in clients for kept in one.tokens if is_token(value, kept)]
        if found:
            return found[0].grant
        try:
            grant = self._by_signature(value, environ.get("PATH_INFO", ""))
        except Untrusted as error:
            kind = LoginExpired if error.is_expired else LoginRequired
            raise kind(f"The token is not accepted: {error.reason}.", _invalid()) from error
        if grant is None:
            raise LoginRequired("The token is unknown.", _invalid())
        return grant

    def _by_signature(self, value: str, path: str) -> Grant | None:
        """Return whom a signed token is of: ours, an EHR's for this call, another server's."""
        grant = self.tokens.grant_of(value)
        if grant is None and path.startswith(SERVICES):
            root = root_of(self.config.base_url.rstrip("/"))
            grant = self.cds_clients.grant_of(value, root + path)
        return grant if grant is not None else self.outside.grant_of(value)


def _invalid() -> tuple[str, ...]:
    return (f'{BEARER}, error="invalid_token"', _BASIC)
