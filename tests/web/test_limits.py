"""Limits: URL, time, load.  Each refusal is a 4xx or 503."""

import json
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from carepath.deadline import check
from carepath.web import Config, limits
from carepath.web.config import InvalidConfiguration
from carepath.web.http.refusals import Busy, TooCostly, TooManyRequests
from carepath.web.limits import Gate, RateLimit

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
    now = [0.0]
    limit = RateLimit(per_second=1, burst=1, clock=lambda: now[0])
    for client in ("a", "b", "c"):
        now[0] += 0.1
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


def test_a_body_that_is_refused_anyway_waits_for_no_turn(make_client: Make) -> None:
    client = make_client(max_applications=1, queue_seconds=0, max_body_bytes=100)
    gate = client.application.extensions["carepath"].gate
    with gate.turn():
        response = client.post("/fhir/ValueSet/$expand", data=b"x" * 101)
    assert response.status_code == 413


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


def test_an_operation_is_stopped_when_its_time_is_up() -> None:
    """Where it looks at the clock; its turn is free again, and the next one has all its time."""
    now = [0.0]
    gate = Gate(Config(max_applications=1, queue_seconds=0, request_seconds=25), lambda: now[0])
    in_time = []
    for number in range(3):
        with pytest.raises(TooCostly, match="after 25 seconds"), gate.turn():
            now[0] += 24.9
            check()
            in_time.append(number)
            now[0] += 0.1
            check()
    assert in_time == [0, 1, 2]
    now[0] += 1000
    check()


def test_operations_leave_a_thread_for_others() -> None:
    """A deployment where they could not is refused at the start."""
    with pytest.raises(InvalidConfiguration, match="fewer than 2 threads"):
        Gate(Config(threads=2, max_applications=2))
    Gate(Config(threads=2, max_applications=1))
