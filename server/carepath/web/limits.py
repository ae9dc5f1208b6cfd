"""Limits on load: operations at once, time of one operation, requests of one client."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from carepath.deadline import Deadline, OutOfTime, until
from carepath.web.config import Config, InvalidConfiguration, variable
from carepath.web.http.refusals import Busy, TooCostly, TooManyRequests
from carepath.web.shared_times import SharedTimes

_RETRY_AFTER = 2
_MAX_CLIENTS = 16_384


class Gate:
    """Lets a bounded number of operations run at once, each for a bounded time.

    Nobody interrupts an operation: its loops look at the clock, and end it where they stand.
    """

    def __init__(self, config: Config, clock: Callable[[], float] = time.monotonic) -> None:
        if config.max_applications >= config.threads:
            # Else operations take all threads, and nothing is left for what is quick.
            name, expected = variable("max_applications"), f"fewer than {config.threads} threads"
            raise InvalidConfiguration(name, config.max_applications, expected)
        self._turns = threading.BoundedSemaphore(config.max_applications)
        # Whoever waits for another server keeps a turn; the other half works meanwhile.
        half = max(1, config.max_applications // 2)
        self._waits = threading.BoundedSemaphore(half)
        # Entries of batches take turns of their own: single requests go on beside them.
        self._batches = threading.BoundedSemaphore(half)
        self._queue_seconds = config.queue_seconds
        self._seconds = config.request_seconds
        self._clock = clock

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for a turn and keep it for the block; raise Busy or TooCostly."""
        try:
            with (
                _taken(self._turns, self._queue_seconds),
                until(Deadline.after(self._seconds, self._clock)),
            ):
                yield
        except OutOfTime:
            raise TooCostly(self._seconds) from None

    @contextmanager
    def wait(self) -> Iterator[None]:
        """Let the block wait for another server; raise Busy when half of the turns do so."""
        with _taken(self._waits, 0):
            yield

    @contextmanager
    def batch(self) -> Iterator[None]:
        """Let the block answer a batch; raise Busy when half as many run as there are turns."""
        with _taken(self._batches, self._queue_seconds):
            yield


@contextmanager
def _taken(places: threading.BoundedSemaphore, seconds: float) -> Iterator[None]:
    """Keep a place for the block; raise Busy when none is free in so many seconds."""
    if not places.acquire(timeout=seconds):
        raise Busy(_RETRY_AFTER)
    try:
        yield
    finally:
        places.release()


class RateLimit:
    """How often one address may ask, counted by all workers together; the quietest are forgotten.

    It is made before the workers are forked: they share its table.
    """

    def __init__(
        self, per_second: float, burst: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._per_second = per_second
        self._burst = burst
        self._clock = clock
        self._times = SharedTimes(_MAX_CLIENTS) if per_second else None

    def take(self, client: str) -> None:
        """Count one request of a client; raise TooManyRequests when there are too many."""
        if self._times is None:
            return
        wait = self._times.wait(client, self._per_second, self._burst, self._clock())
        if wait:
            raise TooManyRequests(int(wait) + 1)
