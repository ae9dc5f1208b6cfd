"""Limits: URL, time, load.  Each refusal is a 4xx or 503."""

import cProfile
import json
import threading
import time
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from carepath.web import Config, limits
from carepath.web.config import InvalidConfiguration
from carepath.web.http.refusals import Busy, TooCostly, TooManyRequests
from carepath.web.limits import Gate, RateLimit, Watchdog

Make = Callable[..., FlaskClient]


def test_414_for_a_url(make_client: Make) -> None:
    client = make_client(max_url_bytes=100)
    response = client.get("/fhir/PlanDefinition?name=" + "x" * 200)
    assert response.status_code == 414
    assert "_search" in json.loads(response.data)["issue"][0]["diagnostics"]


def test_429_with_retry_after(make_client: Make) -> None:
    client = make_client(rate_limit=0.5, rate_burst=3)
    statuses = [client.get("/healthz").status_code for _ in range(3)]
    assert statuses == [200, 200, 200]
    response = client.get("/healthz")
    assert response.status_code == 429
    assert int(response.headers["Retry-After"]) in (1, 2, 3)
    assert json.loads(response.data)["issue"][0]["code"] == "throttled"


def test_rate_limit_refills_and_tells_clients_apart() -> None:
    now = [0.0]
    limit = RateLimit(per_second=2, burst=2, clock=lambda: now[0])
    limit.take("a")
    limit.take("a")
    with pytest.raises(TooManyRequests):
        limit.take("a")
    limit.take("b")
    now[0] = 0.5
    limit.take("a")
    with pytest.raises(TooManyRequests):
        limit.take("a")


def test_the_rate_limit_forgets_who_was_quiet_the_longest(monkeypatch: pytest.MonkeyPatch) -> None:
    """The table of clients does not grow without end, and the newest ones stay in it."""
    monkeypatch.setattr(limits, "_MAX_CLIENTS", 2)
    limit = RateLimit(per_second=1, burst=1, clock=lambda: 0.0)
    for client in ("a", "b", "c"):
        limit.take(client)
    with pytest.raises(TooManyRequests):
        limit.take("c")
    limit.take("a")


def test_a_client_is_told_when_to_come_back() -> None:
    limit = RateLimit(per_second=0.1, burst=1, clock=lambda: 0.0)
    limit.take("a")
    with pytest.raises(TooManyRequests) as refusal:
        limit.take("a")
    assert refusal.value.retry_after == 11


def test_whoever_was_quiet_has_no_more_than_the_burst() -> None:
    now = [0.0]
    limit = RateLimit(per_second=1, burst=2, clock=lambda: now[0])
    limit.take("a")
    now[0] = 1000.0
    limit.take("a")
    limit.take("a")
    with pytest.raises(TooManyRequests):
        limit.take("a")


def test_half_of_the_turns_may_wait_for_another_server() -> None:
    gate = Gate(Config(threads=8, max_applications=4))
    for _ in range(3):
        with gate.wait(), gate.wait(), pytest.raises(Busy):
            gate.wait().__enter__()
    with Gate(Config(max_applications=1)).wait():
        pass


def test_the_watchdog_ends_when_there_is_nothing_to_watch(monkeypatch: pytest.MonkeyPatch) -> None:
    """And it is there again for the next operation."""
    monkeypatch.setattr(limits, "_WATCH_SECONDS", 0.001)
    monkeypatch.setattr(limits, "_IDLE_ROUNDS", 2)
    watchdog = Watchdog()
    for _ in range(2):
        before = set(threading.enumerate())
        with pytest.raises(TooCostly), watchdog.watch(0.01):
            spin(20)
        (thread,) = set(threading.enumerate()) - before
        thread.join(5)
        assert not thread.is_alive()


def test_503_with_retry_after_when_all_turns_are_taken(
    make_client: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = make_client(max_applications=1, queue_seconds=0)
    gate = client.application.extensions["carepath"].gate
    with gate.turn():
        response = client.get(
            "/fhir/ValueSet/$expand?url=https://example.org/fhir/ValueSet/colours"
        )
    assert response.status_code == 503
    assert int(response.headers["Retry-After"]) > 0
    assert json.loads(response.data)["issue"][0]["code"] == "transient"
    assert client.get("/fhir/metadata").status_code == 200


def test_a_turn_is_given_back_after_an_error_and_without_one() -> None:
    gate = Gate(Config(max_applications=1, queue_seconds=0))
    for _ in range(3):
        with gate.turn():
            pass
    for _ in range(3):
        with pytest.raises(ValueError, match="x"), gate.turn():
            raise ValueError("x")
    with gate.turn(), pytest.raises(Busy):
        gate.turn().__enter__()


def spin(seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pass


def test_an_operation_is_stopped_when_its_time_is_up() -> None:
    watchdog = Watchdog()
    started = time.monotonic()
    with pytest.raises(TooCostly), watchdog.watch(0.05):
        spin(20)
    assert time.monotonic() - started < 5
    with watchdog.watch(5):  # the next one in the same thread is not hit
        spin(0.3)


def test_the_watchdog_hits_only_the_thread_that_is_late() -> None:
    watchdog = Watchdog()
    ended: list[str] = []

    def work(name: str, allowed: float) -> None:
        try:
            with watchdog.watch(allowed):
                spin(0.6)
            ended.append(f"{name} done")
        except TooCostly:
            ended.append(f"{name} stopped")

    threads = [
        threading.Thread(target=work, args=("late", 0.05)),
        threading.Thread(target=work, args=("fine", 30)),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(ended) == ["fine done", "late stopped"]


def test_an_operation_that_ends_just_when_its_time_is_up() -> None:
    """It is done or stopped; nothing arrives later, and the time of the next one counts."""
    watchdog = Watchdog()
    ended: list[str] = []

    def work(first: float) -> None:
        for n in range(30):
            try:
                with watchdog.watch(0.05):
                    spin(first + n / 500)
                ended.append("done")
            except TooCostly:
                ended.append("stopped")
            spin(0.002)

    threads = [threading.Thread(target=work, args=(n / 50 + 0.02,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ended) == 8 * 30
    assert set(ended) == {"done", "stopped"}


class Stubborn:
    """An object that takes its time to be taken apart, where no exception gets out."""

    def __del__(self) -> None:
        spin(0.5)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_exception_that_is_lost_is_raised_again() -> None:
    watchdog = Watchdog()
    started = time.monotonic()
    with pytest.raises(TooCostly), watchdog.watch(0.05):
        Stubborn()
        spin(20)
    assert time.monotonic() - started < 8


def test_what_was_stopped_leaves_no_trace_in_its_thread() -> None:
    """A profiler sees every step; with a signal left over it would never get to the next one."""
    watchdog = Watchdog()
    with pytest.raises(TooCostly), watchdog.watch(0.05):
        spin(20)
    profile = cProfile.Profile()
    profile.runcall(spin, 0.01)
    assert profile.getstats()


def test_operations_leave_a_thread_for_others() -> None:
    """A deployment where they could not is refused at the start."""
    with pytest.raises(InvalidConfiguration, match="fewer than 2 threads"):
        Gate(Config(threads=2, max_applications=2))
    Gate(Config(threads=2, max_applications=1))
