"""Limits on load: operations at once, time of one operation, requests of one client."""

import ctypes
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from carepath.web.config import Config, InvalidConfiguration, variable
from carepath.web.http.refusals import Busy, TooCostly, TooManyRequests

_RETRY_AFTER = 2
_WATCH_SECONDS = 0.1
_AGAIN_SECONDS = 1.0
_STEPS = 10
_IDLE_ROUNDS = 100
_MAX_CLIENTS = 10_000


class _Expired(BaseException):
    """Raised inside a thread whose time is up; not an Exception, so that no step swallows it."""


class Watchdog:
    """Stops operations that take too long, from a thread of its own.

    A Python thread cannot be ended from outside, but an exception can be raised in it.  It arrives
    a few steps later, so a block that has just ended waits these steps for it.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._ends: dict[int, float] = {}
        self._thread: threading.Thread | None = None
        self._idle_rounds = 0

    @contextmanager
    def watch(self, seconds: float) -> Iterator[None]:
        """Raise TooCostly in this thread when the block takes longer than `seconds`."""
        me = threading.get_ident()
        self._begin(me, seconds)
        try:
            try:
                yield
            finally:
                self._end(me)
                # What was raised just before arrives here, and not in a later request.
                for _ in range(_STEPS):
                    pass
        except _Expired:
            self._end(me)
            raise TooCostly(seconds) from None

    def _begin(self, ident: int, seconds: float) -> None:
        with self._lock:
            self._ends[ident] = self._clock() + seconds
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="watchdog", daemon=True)
                self._thread.start()

    def _end(self, ident: int) -> None:
        with self._lock:
            self._ends.pop(ident, None)

    def _run(self) -> None:
        while self._is_needed():
            time.sleep(_WATCH_SECONDS)
            self._fire()

    def _is_needed(self) -> bool:
        """Tell whether to go on; after some idle rounds the thread ends, and says so."""
        with self._lock:
            self._idle_rounds = 0 if self._ends else self._idle_rounds + 1
            if self._idle_rounds > _IDLE_ROUNDS:
                self._thread = None
            return self._thread is not None

    def _fire(self) -> None:
        """Raise the exception in each thread whose time is up; again, if it goes on regardless.

        What is raised while an object is taken apart is lost: Python lets nothing out of there.
        """
        now = self._clock()
        with self._lock:
            for ident, end in self._ends.items():
                if end < now:
                    self._ends[ident] = now + _AGAIN_SECONDS
                    ctypes.pythonapi.PyThreadState_SetAsyncExc(
                        ctypes.c_ulong(ident), ctypes.py_object(_Expired)
                    )


class Gate:
    """Lets a bounded number of operations run at once, each for a bounded time."""

    def __init__(self, config: Config) -> None:
        if config.max_applications >= config.threads:
            # Else operations take all threads, and nothing is left for what is quick.
            name, expected = variable("max_applications"), f"fewer than {config.threads} threads"
            raise InvalidConfiguration(name, config.max_applications, expected)
        self._turns = threading.BoundedSemaphore(config.max_applications)
        # Whoever waits for another server keeps a turn; the other half works meanwhile.
        self._waits = threading.BoundedSemaphore(max(1, config.max_applications // 2))
        self._queue_seconds = config.queue_seconds
        self._seconds = config.request_seconds
        self._watchdog = Watchdog()

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for a turn and keep it for the block; raise Busy or TooCostly."""
        if not self._turns.acquire(timeout=self._queue_seconds):
            raise Busy(_RETRY_AFTER)
        try:
            with self._watchdog.watch(self._seconds):
                yield
        finally:
            self._turns.release()

    @contextmanager
    def wait(self) -> Iterator[None]:
        """Let the block wait for another server; raise Busy when half of the turns do so."""
        if not self._waits.acquire(blocking=False):
            raise Busy(_RETRY_AFTER)
        try:
            yield
        finally:
            self._waits.release()


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
