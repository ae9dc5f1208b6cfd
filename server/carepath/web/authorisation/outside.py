"""Tokens of other servers: an identity provider that the registry names.

https://openid.net/specs/openid-connect-core-1_0.html and https://www.rfc-editor.org/rfc/rfc9068.html

A token gives what its `scope` says, as far as the registry gives it to that issuer.
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from carepath.web.authorisation.jwt import OPENID, Expected, issuer_of, verified
from carepath.web.authorisation.keys import NoKeys
from carepath.web.authorisation.registry import Issuer
from carepath.web.authorisation.rights import Grant
from carepath.web.authorisation.scopes import common, scopes_of
from carepath.web.authorisation.untrusted import Untrusted
from carepath.web.http.refusals import Busy

_RETRY_AFTER = 10


class Outside:
    """The servers whose tokens count."""

    def __init__(self, issuers: Iterable[Issuer], clock: Callable[[], float] = time.time) -> None:
        """Take those that the registry names."""
        self._issuers = {one.issuer: one for one in issuers}
        self._clock = clock

    def grant_of(self, text: str) -> Grant | None:
        """Return what a token gives, None for one of an issuer that nobody knows.

        Raises Untrusted for a token that is not accepted, and Busy when keys cannot be read.
        """
        issuer = self._issuers.get(issuer_of(text))
        if issuer is None:
            return None
        expected = Expected(issuer.issuer, issuer.audience, OPENID)
        try:
            claims = verified(text, issuer.keys, expected, self._clock())
        except NoKeys:
            raise Busy(_RETRY_AFTER) from None
        name = claims.get("client_id", claims.get("azp", claims.get("sub")))
        if not isinstance(name, str) or not name:
            raise Untrusted("it does not say whose it is")
        scopes = common(scopes_of(_words(claims.get("scope"))), issuer.grant.scopes)
        return replace(issuer.grant, client=f"{issuer.issuer} {name}", scopes=scopes)


def _words(value: Any) -> str:
    """Return scopes, which some write as a text and some as a list."""
    if isinstance(value, list):
        return " ".join(word for word in value if isinstance(word, str))
    return value if isinstance(value, str) else ""
