"""A stop loses nobody who has come, and no worker that ends takes a request with it."""

import os
import signal
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import pytest

from .raw import GET, LENGTH, POST, answers, connect, seconds_to_answer, wait_until, workers


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


def test_a_stop_answers_those_in_the_queue_of_a_worker(serve: Callable[..., Any]) -> None:
    """Who was let in by the system, and was not yet seen by a worker, has come, too."""
    with serve(CAREPATH_WORKERS="1") as one, ExitStack() as stack:
        worker = workers(one)[0]
        os.kill(worker, signal.SIGSTOP)
        waiting = [stack.enter_context(connect(one.root)) for _ in range(5)]
        for connection in waiting:
            connection.sendall(GET)
        one.process.send_signal(signal.SIGTERM)
        time.sleep(0.2)  # the master tells its worker
        os.kill(worker, signal.SIGCONT)
        statuses = [answers(connection, 1)[0][0] for connection in waiting]
        assert one.stop() == 0
    assert statuses == [200] * 5


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


def test_idle_connections_do_not_delay_a_stop(serve: Callable[..., Any]) -> None:
    with serve() as one, ExitStack() as stack:
        for sent in (b"", b"GARBAGE\r\n\r\n", GET):
            stack.enter_context(connect(one.root)).sendall(sent)
        time.sleep(0.3)
        started = time.monotonic()
        assert one.stop() == 0
        assert time.monotonic() - started < 8
