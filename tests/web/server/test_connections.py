"""Connections: whoever does nothing holds up nobody, and every end is a clean one."""

import json
import os
import resource
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from .raw import (
    GET,
    LENGTH,
    PARAMETERS,
    POST,
    answers,
    connect,
    seconds_to_answer,
    wait_until,
    workers,
)

VERSIONS = POST % b"/fhir/$versions" + LENGTH % len(PARAMETERS) + PARAMETERS


@pytest.fixture(scope="module")
def single(serve: Callable[..., Any]) -> Iterator[Any]:
    """A service with one worker: what holds it up holds up everybody."""
    with serve(CAREPATH_WORKERS="1") as one:
        yield one


@pytest.mark.parametrize("sent", [b"", b"GARBAGE\r\n\r\n"], ids=["silent", "refused"])
def test_clients_that_only_stay_hold_up_nobody(single: Any, sent: bytes) -> None:
    with ExitStack() as stack:
        for _ in range(200):
            stack.enter_context(connect(single.root)).sendall(sent)
        assert seconds_to_answer(single.root) < 3


@contextmanager
def few_descriptors(count: int) -> Iterator[None]:
    """Let a process that is started meanwhile open so many files at most."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (count, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_more_connections_than_a_worker_can_hold(serve: Callable[..., Any]) -> None:
    """The oldest idle ones make room; no worker dies of a lack of descriptors."""
    with ExitStack() as stack:
        with few_descriptors(200):
            one = stack.enter_context(serve(CAREPATH_WORKERS="1"))
        for _ in range(300):
            stack.enter_context(connect(one.root))
        assert seconds_to_answer(one.root) < 3
        one.stop()
    assert len([line for line in one.lines if "Booting worker" in line["message"]]) == 1


@pytest.mark.parametrize(
    ("head", "sent", "told"),
    [
        (POST % b"/fhir/$nope" + LENGTH % 1000, b" " * 1000, (404, "keep-alive")),
        (POST % b"/fhir/metadata" + LENGTH % 1000, b" " * 1000, (405, "keep-alive")),
        (POST % b"/fhir/$versions" + LENGTH % 3, b"{x}", (400, "keep-alive")),
        (POST % b"/fhir/$nope" + LENGTH % 1_000_000, b" " * 1_000_000, (404, "keep-alive")),
        (POST % b"/fhir/$versions" + LENGTH % 40_000_000, b" " * 40_000_000, (413, "close")),
        (
            POST % b"/fhir/$versions" + b"Transfer-Encoding: chunked\r\n\r\n",
            (b"%x\r\n%s\r\n" % (1_000_000, b" " * 1_000_000)) * 40,
            (413, "close"),
        ),
        (POST % b"/fhir/$versions" + b"Transfer-Encoding: chunked\r\n\r\n", b"x", (400, "close")),
    ],
    ids=["404", "405", "400", "404 large", "413", "413 chunked", "400 chunked"],
)
def test_a_refusal_before_the_body_is_read(
    single: Any, head: bytes, sent: bytes, told: tuple[int, str]
) -> None:
    """The client can send it all and gets the whole answer; the connection goes on or says not."""
    goes_on = told[1] == "keep-alive"
    with connect(single.root) as connection:
        connection.sendall(head + sent + (VERSIONS if goes_on else b"\r\n"))
        if goes_on:
            assert answers(connection, 2) == [told, (200, "keep-alive")]
        else:
            assert answers(connection, 1) == [told]
            assert connection.recv(1) == b""


def test_requests_sent_without_waiting_are_answered_in_order(single: Any) -> None:
    bad = POST % b"/fhir/$versions" + LENGTH % 3 + b"{x}"
    with connect(single.root) as connection:
        connection.sendall(VERSIONS + bad + GET + VERSIONS)
        statuses = [status for status, _ in answers(connection, 4)]
    assert statuses == [200, 400, 200, 200]


def test_who_does_not_read_gets_one_answer_and_no_more(serve: Callable[..., Any]) -> None:
    """Else the answers to all that was asked at once would lie in the memory, for each client."""
    large = b"GET /fhir/PlanDefinition?_include=*&_count=500 HTTP/1.1\r\nHost: a\r\n\r\n"
    figure = 'carepath_requests_total{method="GET",route="/fhir/PlanDefinition",status="200"}'
    with serve(CAREPATH_WORKERS="1") as one, connect(one.root) as connection:
        connection.sendall(large * 30)
        time.sleep(2)
        figures = httpx.get(f"{one.root}/metrics").text
        begun = float(figures.partition(figure)[2].split()[0])
        statuses = [status for status, _ in answers(connection, 30)]
    # As many as the buffers of the system take.
    assert begun < 20
    assert statuses == [200] * 30


def test_an_answer_that_is_not_read_ends_its_connection(serve: Callable[..., Any]) -> None:
    large = b"GET /fhir/PlanDefinition?_include=*&_count=500 HTTP/1.1\r\nHost: a\r\n\r\n"
    with serve(CAREPATH_WORKERS="1", CAREPATH_BODY_SECONDS="0.1") as one, socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect((urlsplit(one.root).hostname, urlsplit(one.root).port))
        client.sendall(large * 30)
        pid = workers(one)[0]
        wait_until(lambda: descriptors(pid, "socket:") >= 2)
        busy = descriptors(pid, "socket:")
        wait_until(lambda: descriptors(pid, "socket:") < busy)


def descriptors(pid: int, kind: str) -> int:
    """Return how many open files of a kind a process has."""
    found = 0
    for path in Path(f"/proc/{pid}/fd").iterdir():
        try:
            found += os.readlink(path).startswith(kind)
        except FileNotFoundError:
            continue
    return found


def test_a_body_that_ends_too_early_is_refused(single: Any) -> None:
    """What came is valid by itself; that it is all is for the length to say."""
    with connect(single.root) as connection:
        connection.sendall(POST % b"/fhir/$versions" + LENGTH % 99 + PARAMETERS)
        connection.shutdown(socket.SHUT_WR)
        received = b"".join(iter(lambda: connection.recv(65_536), b""))
    assert received.startswith(b"HTTP/1.1 400 ")
    assert b"the body broke off after 29 of 99 bytes" in received


def test_a_client_that_leaves_in_the_middle_of_an_answer(
    single: Any, examples: dict[str, bytes]
) -> None:
    body = examples["mcode-collection"]
    for _ in range(20):
        with connect(single.root) as connection:
            plan = POST % b"/fhir/PlanDefinition/mst-pathway/$apply"
            connection.sendall(plan + LENGTH % len(body) + body)
            connection.recv(1)
    assert seconds_to_answer(single.root) < 3


def test_an_operation_that_takes_too_long_gives_its_thread_back(
    serve: Callable[..., Any], examples: dict[str, bytes]
) -> None:
    patients = [{"resource": {"resourceType": "Patient", "id": f"p{n}"}} for n in range(5000)]
    many = {"resourceType": "Bundle", "type": "collection", "entry": patients}
    few = json.loads(examples["suspected-collection"])
    limits = {"CAREPATH_REQUEST_SECONDS": "0.5", "CAREPATH_MAX_APPLICATIONS": "1"}
    with (
        serve(CAREPATH_WORKERS="1", **limits) as one,
        httpx.Client(base_url=one.base, timeout=30) as client,
    ):
        for _ in range(3):
            started = time.monotonic()
            late = client.post("$apply-pathways", json=many)
            assert time.monotonic() - started < 5
            assert (late.status_code, late.json()["issue"][0]["code"]) == (422, "too-costly")
            assert client.post("PlanDefinition/mst-pathway/$apply", json=few).is_success
