"""Limits: body, gunzip, entries, nesting, URL, time, load.  Each refusal is a 4xx or 503."""

import cProfile
import gzip
import io
import json
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from carepath.errors import MalformedInput
from carepath.web import Config, body
from carepath.web.limits import Gate, RateLimit, Watchdog
from carepath.web.refusals import Busy, TooCostly, TooLarge, TooManyRequests

Make = Callable[..., FlaskClient]
APPLY = "/fhir/PlanDefinition/walk/$apply"
JSON = {"content_type": "application/fhir+json"}
SMALL = Config(max_body_bytes=100, max_expanded_bytes=1000)


def read(data: bytes, encoding: str = "", declared: int | None = -1) -> bytes:
    length = len(data) if declared == -1 else declared
    return body.read(io.BytesIO(data), length, encoding, SMALL)


@pytest.mark.parametrize("declared", [-1, None], ids=["declared length", "chunked"])
def test_body_up_to_the_limit(declared: int | None) -> None:
    assert read(b"x" * 100, declared=declared) == b"x" * 100
    with pytest.raises(TooLarge):
        read(b"x" * 101, declared=declared)


def test_gzip_in_is_bounded() -> None:
    assert read(gzip.compress(b"y" * 1000), "gzip") == b"y" * 1000
    assert read(gzip.compress(b"y" * 10), "X-GZIP") == b"y" * 10
    assert read(gzip.compress(b"a") + gzip.compress(b"b"), "gzip") == b"ab"
    with pytest.raises(TooLarge):
        read(gzip.compress(b"y" * 1001), "gzip")
    with pytest.raises(TooLarge):
        read(gzip.compress(b"y" * 600) * 2, "gzip")


def test_gzip_of_many_members_takes_linear_time() -> None:
    large = Config(max_body_bytes=20_000_000)
    data = gzip.compress(b"") * 200_000
    started = time.process_time()
    assert body.read(io.BytesIO(data), len(data), "gzip", large) == b""
    assert time.process_time() - started < 3


def test_a_body_shorter_than_it_says() -> None:
    with pytest.raises(MalformedInput, match="broke off after 3 of 9 bytes"):
        read(b"abc", declared=9)


@pytest.mark.parametrize(
    "data",
    [
        b"no gzip",
        gzip.compress(b"abc")[:-3],
        gzip.compress(b"abc") + b"x",
        gzip.compress(b"abc") + gzip.compress(b"d")[:5],
        gzip.compress(b"abc")[:-8] + bytes(4) + gzip.compress(b"abc")[-4:],
        gzip.compress(b"abc")[:-4] + bytes(4),
        b"",
    ],
    ids=["not gzip", "cut off", "text after it", "second cut off", "checksum", "length", "nothing"],
)
def test_gzip_that_is_broken(data: bytes) -> None:
    with pytest.raises(MalformedInput):
        read(data, "gzip")


def refused(client: FlaskClient, status: int, code: str, **request: Any) -> dict[str, Any]:
    """Send a body to `$apply`, expect a refusal, and that the next request works."""
    response = client.post(APPLY, **request)
    assert response.status_code == status, response.data
    issue: dict[str, Any] = json.loads(response.data)["issue"][0]
    assert issue["code"] == code
    assert client.get("/healthz").status_code == 200
    return issue


def test_413_for_a_body(make_client: Make) -> None:
    client = make_client(max_body_bytes=100)
    refused(client, 413, "too-long", data=b'"' + b"x" * 200 + b'"', **JSON)


def test_413_for_a_body_after_gunzip(make_client: Make) -> None:
    client = make_client(max_expanded_bytes=1000)
    bomb = gzip.compress(b" " * 100_000)
    refused(client, 413, "too-long", data=bomb, headers={"Content-Encoding": "gzip"}, **JSON)


def test_413_for_entries_names_the_element(make_client: Make, bundle: Any) -> None:
    client = make_client(max_entries=2)
    three = bundle(*[{"resourceType": "Patient", "id": f"p{n}"} for n in range(3)])
    assert refused(client, 413, "too-long", json=three)["expression"] == ["Bundle.entry"]
    inside = {"resourceType": "Parameters", "parameter": [{"name": "data", "resource": three}]}
    issue = refused(client, 413, "too-long", json=inside)
    assert issue["expression"] == ["Parameters.parameter[0].resource.entry"]


def test_400_for_nesting(make_client: Make) -> None:
    client = make_client(max_depth=10)
    deep = b'{"resourceType":"Bundle","x":' + b"[" * 20 + b"]" * 20 + b"}"
    refused(client, 400, "structure", data=deep, **JSON)


def test_414_for_a_url(make_client: Make) -> None:
    client = make_client(max_url_bytes=100)
    response = client.get("/fhir/PlanDefinition?name=" + "x" * 200)
    assert response.status_code == 414
    assert "_search" in json.loads(response.data)["issue"][0]["diagnostics"]


def test_415_for_a_content_encoding(client: FlaskClient) -> None:
    refused(client, 415, "not-supported", data=b"x", headers={"Content-Encoding": "br"}, **JSON)


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


def test_a_turn_is_given_back_after_an_error() -> None:
    gate = Gate(Config(max_applications=1, queue_seconds=0))
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
