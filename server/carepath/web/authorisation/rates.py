"""How often a client may ask, counted by all workers together.

https://en.wikipedia.org/wiki/Generic_cell_rate_algorithm

One moment for each client says it all: until when what was asked so far would have taken at the
rate.  Who is further ahead than the burst waits.
"""

import time
from collections.abc import Callable

from carepath.web.authorisation.rights import Grant, Rate
from carepath.web.authorisation.shared_times import SharedTimes
from carepath.web.http.refusals import TooManyRequests


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
        now, each = self._clock(), 1 / rate.per_second
        waits = []

        def change(before: float) -> float:
            until = max(before, now) + each
            wait = until - now - each * rate.burst
            # Rounding makes no wait.
            if wait > each / 1_000:
                waits.append(wait)
                return before
            return until

        self._times.update(name, now, change, evict=True)
        if waits:
            raise TooManyRequests(int(waits[0]) + 1)
