"""Connections: whoever does nothing holds up nobody, and every end is a clean one."""

import json
import os
import resource
import signal
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

GET = b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"
POST = b"POST %s HTTP/1.1\r\nHost: a\r\nContent-Type: application/fhir+json\r\n"
LENGTH = b"Content-Length: %d\r\n\r\n"
PARAMETERS = b'{"resourceType":"Parameters"}'
VERSIONS = POST % b"/fhir/$versions" + LENGTH % len(PARAMETERS) + PARAMETERS


def connect(root: str) -> socket.socket:
    parts = urlsplit(root)
    return socket.create_connection((parts.hostname, parts.port), timeout=30)


def answers(connection: socket.socket, count: int) -> list[tuple[int, str]]:
    """Read so many answers whole; return the status and the Connection header of each."""
    stream = connection.makefile("rb")
    found = []
    for _ in range(count):
        lines = list(iter(stream.readline, b"\r\n"))
        headers = dict(line.decode().lower().strip().split(": ", 1) for line in lines[1:])
        stream.read(int(headers["content-length"]))
        found.append((int(lines[0].split()[1]), headers.get("connection", "keep-alive")))
    return found


def seconds_to_answer(root: str) -> float:
    started = time.monotonic()
    assert httpx.get(f"{root}/healthz", timeout=30).is_success
    return time.monotonic() - started


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


class Load:
    """Sixteen clients that apply a plan again and again, half of them on lasting connections."""

    def __init__(self, root: str, body: bytes) -> None:
        self.root = root
        self.request = POST % b"/fhir/PlanDefinition/mst-pathway/$apply" + LENGTH % len(body) + body
        self.seen: Counter[str] = Counter()
        self._is_over = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(n % 2,)) for n in range(16)]

    def __enter__(self) -> "Load":
        for thread in self._threads:
            thread.start()
        while sum(self.seen.values()) < 32:
            time.sleep(0.05)
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        for thread in self._threads:
            thread.join()

    def _run(self, requests_of_a_connection: int) -> None:
        while not self._is_over.is_set():
            try:
                connection = connect(self.root)
            except ConnectionRefusedError:
                self.seen["refused"] += 1
                time.sleep(0.02)
                continue
            with connection:
                self._post(connection, requests_of_a_connection * 5 + 1)

    def _post(self, connection: socket.socket, times: int) -> None:
        for _ in range(times):
            try:
                connection.sendall(self.request)
                status, goes_on = answers(connection, 1)[0]
            except (OSError, IndexError, KeyError) as error:
                self.seen[f"no answer: {type(error).__name__}"] += 1
                return
            self.seen[str(status)] += 1
            if goes_on == "close":
                return


def workers(server: Any) -> list[int]:
    pid = server.process.pid
    return [int(p) for p in Path(f"/proc/{pid}/task/{pid}/children").read_text("utf-8").split()]


def ctrl_c(server: Any) -> None:
    """Do as a terminal does: tell all processes."""
    for pid in (*workers(server), server.process.pid):
        os.kill(pid, signal.SIGINT)


@pytest.mark.parametrize(
    "stop",
    [lambda server: server.process.send_signal(signal.SIGTERM), ctrl_c],
    ids=["SIGTERM", "Ctrl-C"],
)
def test_a_stop_under_load_answers_all_who_have_come(
    serve: Callable[..., Any], examples: dict[str, bytes], stop: Callable[[Any], None]
) -> None:
    with serve() as one, Load(one.root, examples["suspected-collection"]) as load:
        stop(one)
        assert one.process.wait(timeout=20) == 0
        while not load.seen["refused"]:
            time.sleep(0.05)
    assert set(load.seen) == {"200", "refused"}


def test_new_workers_under_load_lose_no_request(
    serve: Callable[..., Any], examples: dict[str, bytes]
) -> None:
    with serve() as one, Load(one.root, examples["suspected-collection"]) as load:
        before = workers(one)
        one.process.send_signal(signal.SIGHUP)
        wait_until(lambda: not set(before) & set(workers(one)))
        done = load.seen["200"]
        wait_until(lambda: load.seen["200"] > done + 32)
    assert set(load.seen) == {"200"}


def test_a_worker_that_is_killed_is_replaced(serve: Callable[..., Any]) -> None:
    with serve() as one:
        # The first worker answers, and the server is ready, before the second one is there.
        wait_until(lambda: len(workers(one)) == 2)
        before = workers(one)
        os.kill(before[0], signal.SIGKILL)
        wait_until(lambda: len(set(workers(one)) - set(before)) == 1)
        assert seconds_to_answer(one.root) < 10
        assert len(workers(one)) == 2


def wait_until(is_so: Callable[[], bool]) -> None:
    for _ in range(600):
        if is_so():
            return
        time.sleep(0.05)
    raise AssertionError("it did not come to pass within half a minute")


def test_idle_connections_do_not_delay_a_stop(serve: Callable[..., Any]) -> None:
    with serve() as one, ExitStack() as stack:
        for sent in (b"", b"GARBAGE\r\n\r\n", GET):
            stack.enter_context(connect(one.root)).sendall(sent)
        time.sleep(0.3)
        started = time.monotonic()
        assert one.stop() == 0
        assert time.monotonic() - started < 8


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
