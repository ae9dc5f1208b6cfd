"""Calls of an EHR to CDS Hooks: a token that it signs for exactly the URL that it calls.

https://cds-hooks.hl7.org/2.0/#trusting-cds-clients

The issuer is one of the registry, the key is found by `kid` among its own, and a token counts once.
"""

import time
from collections.abc import Callable, Iterable

from carepath.web.authorisation.jwt import (
    ASSERTION_SECONDS,
    Expected,
    identifier,
    issuer_of,
    verified,
)
from carepath.web.authorisation.keys import NoKeys
from carepath.web.authorisation.registry import Issuer
from carepath.web.authorisation.replay import Used
from carepath.web.authorisation.rights import Grant
from carepath.web.authorisation.smart_configuration import SMART
from carepath.web.http.refusals import Busy

SERVICES = "/cds-services/"
"""What stands before the names of services; elsewhere such a token means nothing."""
_RETRY_AFTER = 10


class CdsClients:
    """The EHRs whose calls count."""

    def __init__(
        self, issuers: Iterable[Issuer], used: Used, clock: Callable[[], float] = time.time
    ) -> None:
        """Take those that the registry names, and the table of what was used."""
        self._issuers = {one.issuer: one for one in issuers}
        self._used = used
        self._clock = clock

    def grant_of(self, text: str, url: str) -> Grant | None:
        """Return what a call may do, None for an issuer that nobody knows.

        `url` is the one that was called, as clients write it.  Raises Untrusted for a token that
        is not accepted, and Busy when keys cannot be read.
        """
        issuer = self._issuers.get(issuer_of(text))
        if issuer is None:
            return None
        now = self._clock()
        expected = Expected(issuer.issuer, url, SMART, ASSERTION_SECONDS)
        try:
            claims = verified(text, issuer.keys, expected, now)
        except NoKeys:
            raise Busy(_RETRY_AFTER) from None
        self._used.note(f"cds {issuer.issuer}", identifier(claims), claims["exp"], now)
        return issuer.grant
