"""Which thread answers what: operations have few, health has its own, who would wait is refused."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from waitress.task import ThreadedTaskDispatcher

from carepath.web.config import Config
from carepath.web.http.urls import FHIR

_WATCHED = ("/healthz", "/readyz", "/metrics")
_WORK_OF_PAGES = ("/try", "/fhirpath")
_LONGEST_QUEUE = 1_000
_WEIGHT = 0.2


def lane_of(path: str) -> str:
    """Return the lane of a URL: `watch`, `operation`, or `look_up` for what takes no turn."""
    if path in _WATCHED:
        return "watch"
    # Batches, searches and operations take a turn; a read has a type and an id.
    steps = path.removeprefix(FHIR).strip("/").split("/")
    is_work = "$" in path or "%24" in path or len(steps) == 1 or steps[-1] == "_search"
    is_work = (f"{path}/".startswith(f"{FHIR}/") and is_work) or path.rstrip("/") in _WORK_OF_PAGES
    return "operation" if is_work else "look_up"


class Lanes:
    """The threads of a worker, in three lanes; a connection with a whole request is a task.

    Stands in the place of `waitress.task.ThreadedTaskDispatcher`, and is made of three of them.
    """

    def __init__(self, config: Config) -> None:
        self._at_once = config.max_applications
        self._queue_seconds = config.queue_seconds
        self._lanes = {
            "operation": _threads(self._at_once),
            "look_up": _threads(config.threads - self._at_once),
            "watch": _threads(1),
        }
        self._operations = self._lanes["operation"]
        self._running: list[float] = []
        self._usual = 0.0

    def add_task(self, connection: Any) -> None:
        """Let the first request of a connection be answered, or refused at once."""
        request = connection.requests[0]
        lane = "watch" if request.error else lane_of(request.path)
        if lane == "operation" and self._expected_wait() > self._queue_seconds:
            connection.refuse_load()
            lane = "watch"
        connection.queued = time.monotonic()
        self._lanes[lane].add_task(connection)

    def shed(self, now: float) -> None:
        """Refuse who waits for an operation for too long."""
        waiting = self._operations
        with waiting.lock:
            queue: Any = waiting.queue
            late = [one for one in queue if now > one.queued + self._queue_seconds]
            for one in late:
                queue.remove(one)
        for one in late:
            one.refuse_load()
            self._lanes["watch"].add_task(one)

    @contextmanager
    def counted(self, connection: Any) -> Iterator[None]:
        """Take the time of the block, when it is an operation."""
        request = connection.requests[0]
        if request.error or lane_of(request.path) != "operation":
            yield
            return
        started = time.monotonic()
        self._running.append(started)
        try:
            yield
        finally:
            self._running.remove(started)
            self._usual += (time.monotonic() - started - self._usual) * _WEIGHT

    def _expected_wait(self) -> float:
        """Return how long a new operation waits, as far as the last ones tell."""
        ahead = len(self._operations.queue)
        if ahead >= _LONGEST_QUEUE:
            return float("inf")
        running = list(self._running)
        # When all take longer than usual, that is what is usual now.
        least = time.monotonic() - max(running) if len(running) >= self._at_once else 0.0
        return ahead * max(self._usual, least) / self._at_once


def _threads(count: int) -> ThreadedTaskDispatcher:
    lane = ThreadedTaskDispatcher()
    lane.set_thread_count(count)
    return lane
