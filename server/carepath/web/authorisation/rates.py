"""How often a client may ask, counted by all workers together.

https://www.rfc-editor.org/rfc/rfc6585.html#section-4
"""

import time
from collections.abc import Callable

from carepath.web.authorisation.rights import Grant, Rate
from carepath.web.http.refusals import TooManyRequests
from carepath.web.shared_times import SharedTimes


class Rates:
    """The bound of each client."""

    def __init__(self, times: SharedTimes, clock: Callable[[], float] = time.monotonic) -> None:
        """Take a table that all workers share; the clock is the machine's, not a process's."""
        self._times = times
        self._clock = clock

    def take(self, grant: Grant) -> None:
        """Count one request of a client; raise TooManyRequests when there are too many."""
        if grant.rate is not None:
            self.count(f"client {grant.client}", grant.rate)

    def count(self, name: str, rate: Rate) -> None:
        """Count one request under a name; raise TooManyRequests when there are too many."""
        wait = self._times.wait(name, rate.per_second, rate.burst, self._clock())
        if wait:
            raise TooManyRequests(int(wait) + 1)
