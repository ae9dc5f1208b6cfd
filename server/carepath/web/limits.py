"""Limits on load: operations at once, time of one operation, requests of one client."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from carepath.deadline import Deadline, OutOfTime, until
from carepath.web.config import Config, InvalidConfiguration, variable
from carepath.web.http.refusals import Busy, TooCostly, TooManyRequests

_RETRY_AFTER = 2
_MAX_CLIENTS = 10_000


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


@dataclass(slots=True)
class _Bucket:
    """What a client has left, and when that was counted."""

    left: float
    at: float


class RateLimit:
    """A token bucket for each client of this worker; the oldest are forgotten."""

    def __init__(
        self, per_second: float, burst: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._per_second = per_second
        self._burst = burst
        self._clock = clock
        self._lock = threading.Lock()
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def take(self, client: str) -> None:
        """Count one request of a client; raise TooManyRequests when its bucket is empty."""
        if not self._per_second:
            return
        now = self._clock()
        with self._lock:
            bucket = self._buckets.pop(client, None) or _Bucket(self._burst, now)
            left = min(self._burst, bucket.left + (now - bucket.at) * self._per_second)
            self._buckets[client] = _Bucket(max(left - 1, 0.0) if left >= 1 else left, now)
            if len(self._buckets) > _MAX_CLIENTS:
                self._buckets.popitem(last=False)
        if left < 1:
            raise TooManyRequests(int((1 - left) / self._per_second) + 1)
