"""Assertions that were used: each counts once, at whichever worker it comes.

https://www.rfc-editor.org/rfc/rfc7523.html#section-3
"""

from carepath.web.authorisation.jwt import SKEW_SECONDS
from carepath.web.authorisation.shared_times import Full, SharedTimes
from carepath.web.authorisation.untrusted import Untrusted
from carepath.web.http.refusals import Busy

_RETRY_AFTER = 30


class Used:
    """What was used, until it would not be accepted anyway."""

    def __init__(self, times: SharedTimes) -> None:
        """Take a table that all workers share."""
        self._times = times

    def note(self, issuer: str, identifier: str, expiry: float, now: float) -> None:
        """Note that an assertion is used; raise Untrusted when it was before, Busy without room."""
        until = expiry + SKEW_SECONDS
        try:
            name = f"{issuer}\0{identifier}"
            before = self._times.update(name, now, lambda before: max(before, until))
        except Full:
            raise Busy(_RETRY_AFTER) from None
        if before:
            raise Untrusted("it was used before")
