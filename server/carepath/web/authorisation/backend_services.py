"""The token endpoint: a client shows that it has its key, and gets a short-lived token.

https://hl7.org/fhir/smart-app-launch/STU2.1/backend-services.html and
https://www.rfc-editor.org/rfc/rfc7523.html
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from carepath.web.authorisation.jwt import (
    ASSERTION_SECONDS,
    Expected,
    identifier,
    issuer_of,
    verified,
)
from carepath.web.authorisation.keys import NoKeys
from carepath.web.authorisation.registry import Client, Registry
from carepath.web.authorisation.replay import Used
from carepath.web.authorisation.scopes import common, scopes_of, text_of
from carepath.web.authorisation.smart_configuration import GRANT_TYPE, SMART
from carepath.web.authorisation.tokens import Tokens
from carepath.web.authorisation.untrusted import TokenRefused, Untrusted
from carepath.web.http.refusals import Busy

_ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_RETRY_AFTER = 10


@dataclass(frozen=True)
class TokenEndpoint:
    """What answers requests for tokens."""

    registry: Registry
    tokens: Tokens
    used: Used
    address: str
    """The URL of the endpoint, to which an assertion is made out."""
    clock: Callable[[], float] = time.time

    def answer(self, form: Sequence[tuple[str, str]]) -> dict[str, Any]:
        """Return a token for who has a key; raises TokenRefused, or Busy when keys are away."""
        given = _once(form)
        if given.get("grant_type") != GRANT_TYPE:
            raise TokenRefused("unsupported_grant_type", f"`grant_type` must be `{GRANT_TYPE}`.")
        if given.get("client_assertion_type") != _ASSERTION_TYPE:
            reason = f"`client_assertion_type` must be `{_ASSERTION_TYPE}`."
            raise TokenRefused("invalid_request", reason)
        if not given.get("client_assertion"):
            raise TokenRefused("invalid_request", "`client_assertion` is missing.")
        client = self._client(given["client_assertion"])
        scopes = common(scopes_of(given.get("scope", "")), client.grant.scopes)
        if not scopes:
            raise TokenRefused("invalid_scope", "`scope` names nothing that this client may have.")
        return {
            "access_token": self.tokens.make(client, scopes),
            "token_type": "bearer",
            "expires_in": self.tokens.seconds,
            "scope": text_of(scopes),
        }

    def _client(self, assertion: str) -> Client:
        """Return who signed an assertion, which counts once."""
        name = issuer_of(assertion)
        found = [client for client in self.registry.clients if client.id == name]
        keys = found[0].keys if found else None
        if keys is None:
            raise TokenRefused("invalid_client", "The client is not registered with keys.")
        now = self.clock()
        expected = Expected(name, self.address, SMART, ASSERTION_SECONDS)
        try:
            claims = verified(assertion, keys, expected, now)
            if claims.get("sub") != name:
                raise Untrusted("its `sub` is not its `iss`")
            self.used.note(name, identifier(claims), claims["exp"], now)
        except Untrusted as error:
            reason = f"The assertion is not accepted: {error.reason}."
            raise TokenRefused("invalid_client", reason) from error
        except NoKeys:
            raise Busy(_RETRY_AFTER) from None
        return found[0]


def _once(form: Sequence[tuple[str, str]]) -> Mapping[str, str]:
    """Return the parameters of a form; raise for one that is given twice."""
    given: dict[str, str] = {}
    for name, value in form:
        if name in given:
            raise TokenRefused("invalid_request", f"`{name[:40]}` is given twice.")
        given[name] = value
    return given
