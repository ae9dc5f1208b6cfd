"""Which thread answers what, and who is refused because it would wait too long."""

import threading
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from carepath.web import Config
from carepath.web.server.lanes import Lanes, lane_of

APPLY = "/fhir/PlanDefinition/x/$apply"


@pytest.mark.parametrize(
    ("path", "lane"),
    [
        ("/healthz", "watch"),
        ("/readyz", "watch"),
        ("/metrics", "watch"),
        (APPLY, "operation"),
        ("/fhir/$apply-pathways", "operation"),
        ("/fhir/PlanDefinition/x/%24apply", "operation"),
        ("/fhir", "operation"),
        ("/fhir/", "operation"),
        ("/fhirs", "look_up"),
        ("/fhir/PlanDefinition", "operation"),
        ("/fhir/PlanDefinition/", "operation"),
        ("/fhir/PlanDefinition/_search", "operation"),
        ("/fhir/PlanDefinition/x", "look_up"),
        ("/fhir/PlanDefinition/x/_history/1", "look_up"),
        ("/openapi.json", "look_up"),
        ("/", "look_up"),
        ("", "look_up"),
    ],
)
def test_each_url_has_a_lane(path: str, lane: str) -> None:
    assert lane_of(path) == lane


class Client:
    """A connection with one request."""

    def __init__(self, lanes: Lanes, path: str, work: Callable[[], object]) -> None:
        self.requests = [SimpleNamespace(path=path, error=None)]
        self.queued = 0.0
        self.is_done = threading.Event()
        self._lanes = lanes
        self._work = work

    def refuse_load(self) -> None:
        self.requests[0].error = "busy"

    def service(self) -> None:
        with self._lanes.counted(self):
            if self.requests[0].error is None:
                self._work()
        self.is_done.set()


@pytest.fixture
def ask() -> Any:
    return asking(queue_seconds=0.2)


def asking(queue_seconds: float) -> Any:
    """Return what sends a request to the lanes of a worker where one operation runs at once."""
    lanes = Lanes(Config(threads=2, max_applications=1, queue_seconds=queue_seconds))

    def send(path: str, work: Callable[[], object] = lambda: None) -> Client:
        client = Client(lanes, path, work)
        lanes.add_task(client)
        return client

    return SimpleNamespace(send=send, lanes=lanes)


def test_operations_leave_room_for_what_is_quick(ask: Any) -> None:
    end = threading.Event()
    ask.send(APPLY, end.wait)
    late = ask.send(APPLY)
    try:
        for path in ("/healthz", "/fhir/PlanDefinition/x"):
            assert ask.send(path).is_done.wait(5)
        assert not late.is_done.is_set()
        ask.lanes.shed(time.monotonic() + 0.1)
        assert not late.is_done.wait(0.1)
        ask.lanes.shed(time.monotonic() + 0.3)
        assert late.is_done.wait(5)
    finally:
        end.set()
    assert late.requests[0].error == "busy"


def test_who_would_wait_too_long_is_refused_at_once(ask: Any) -> None:
    """By the time that the last operations took, or that those take which run."""
    assert ask.send(APPLY, lambda: time.sleep(2)).is_done.wait(10)
    end = threading.Event()
    ask.send(APPLY, end.wait)
    time.sleep(0.05)
    first, second = ask.send(APPLY), ask.send(APPLY)
    assert second.is_done.wait(5)
    end.set()
    assert first.is_done.wait(5)
    assert [client.requests[0].error for client in (first, second)] == [None, "busy"]


def test_short_operations_may_wait_in_numbers() -> None:
    ask = asking(queue_seconds=5)
    clients = [ask.send(APPLY, lambda: time.sleep(0.001)) for _ in range(50)]
    assert all(client.is_done.wait(10) for client in clients)
    assert [client for client in clients if client.requests[0].error] == []
