"""What a worker takes, and what it does without: bodies on their way, temporary files, signals."""

import json
import os
import signal
import socket
import struct
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

LARGEST = 500_000
HEAD = (
    b"POST /fhir/$versions HTTP/1.1\r\nHost: a\r\nContent-Type: application/fhir+json\r\n"
    b"Content-Length: %d\r\n\r\n"
)
FHIR = {"Content-Type": "application/fhir+json"}
PARAMETERS = b'{"resourceType":"Parameters"}'


def begin(root: str, length: int, sent: int) -> socket.socket:
    """Send the beginning of a body."""
    parts = urlsplit(root)
    connection = socket.create_connection((parts.hostname, parts.port), timeout=30)
    # Closed, it is reset: nobody is left who could be told that the body broke off.
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.sendall(HEAD % length + PARAMETERS + b" " * (sent - len(PARAMETERS)))
    return connection


def answer(connection: socket.socket) -> tuple[int, str, str]:
    """Return the status, the Retry-After and the code of an answer."""
    stream = connection.makefile("rb")
    lines = [line.decode().lower().strip() for line in iter(stream.readline, b"\r\n")]
    headers = dict(line.split(": ", 1) for line in lines[1:])
    code = json.loads(stream.read(int(headers["content-length"])))["issue"][0]["code"]
    return int(lines[0].split()[1]), headers["retry-after"], code


def whole(root: str, size: int) -> int:
    """Return the status for a body that is sent in one go."""
    content = PARAMETERS + b" " * (size - len(PARAMETERS))
    return httpx.post(f"{root}/fhir/$versions", content=content, headers=FHIR).status_code


def test_bodies_on_their_way_have_a_bound_together(serve: Callable[..., Any]) -> None:
    """Sixteen of the largest; who brings more is asked to come again, small bodies are welcome."""
    settings = {"CAREPATH_WORKERS": "1", "CAREPATH_MAX_BODY_BYTES": str(LARGEST)}
    with serve(**settings) as one, ExitStack() as stack:
        for _ in range(17):
            stack.enter_context(begin(one.root, LARGEST, 450_000))
        time.sleep(1)
        late = [stack.enter_context(begin(one.root, LARGEST, 450_000)) for _ in range(3)]
        assert Counter(map(answer, late)) == {(503, "2", "transient"): 3}
        small = [stack.enter_context(begin(one.root, 260_000, 250_000)) for _ in range(3)]
        time.sleep(0.5)
        for connection in small:  # by now there is more than the bound
            connection.sendall(b" " * 10_000)
            assert connection.recv(100).startswith(b"HTTP/1.1 200 ")
        stack.close()
        time.sleep(1)
        assert whole(one.root, LARGEST) == 200
        for _ in range(40):  # whole bodies count no longer
            assert whole(one.root, LARGEST) == 200


NO_FOLDER = """
import sys, tempfile
def none():
    raise FileNotFoundError(2, "No usable temporary directory found")
tempfile.gettempdir = none
from carepath.command.main import main
main(sys.argv[1:])
"""


def test_without_a_temporary_folder_all_is_kept_in_memory(examples: dict[str, bytes]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    command = [sys.executable, "-c", NO_FOLDER, "serve", "--port", str(port), "--workers", "1"]
    root = f"http://127.0.0.1:{port}"
    with subprocess.Popen(command, stderr=subprocess.PIPE) as process:
        try:
            until_ready(root)
            assert whole(root, 1_000_000) == 200
            listed = httpx.get(f"{root}/fhir/PlanDefinition?_count=500&_include=*")
            assert len(listed.content) > 262_144
            metrics = httpx.get(f"{root}/metrics").text
            assert 'carepath_requests_total{method="' in metrics
        finally:
            process.send_signal(signal.SIGTERM)
            _, log = process.communicate(timeout=40)
    lines = [json.loads(line) for line in log.decode().splitlines()]
    assert process.returncode == 0
    told = [line for line in lines if line["level"] != "info"]
    assert [(line["message"], line["because"]) for line in told] == [
        ("figures are kept in memory only", "No usable temporary directory found")
    ]


def until_ready(root: str) -> None:
    for _ in range(300):
        try:
            if httpx.get(f"{root}/readyz").is_success:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise AssertionError("the service did not start")


def test_a_signal_that_would_start_a_second_master_is_ignored(serve: Callable[..., Any]) -> None:
    with serve(CAREPATH_WORKERS="1") as one:
        children = Path(f"/proc/{one.process.pid}/task/{one.process.pid}/children")
        before = children.read_text("utf-8")
        os.kill(one.process.pid, signal.SIGUSR2)
        time.sleep(2)
        assert children.read_text("utf-8") == before
        assert httpx.get(f"{one.root}/healthz").is_success
    told = [line["message"] for line in one.lines if line["level"] == "warning"]
    assert told == ["SIGUSR2 is ignored; SIGHUP starts new workers"]


def megabytes(pid: str) -> int:
    lines = Path(f"/proc/{pid}/status").read_text("utf-8").splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith("VmRSS"))) // 1024


@pytest.mark.parametrize(
    "content",
    [
        # Python gives its own pages back; what the parser of XML took stays in the heap.
        b'<Patient xmlns="http://hl7.org/fhir">' + b"<name/>" * 500_000 + b"</Patient>",
        pytest.param(
            b'{"resourceType":"Patient","name":['
            + b",".join([b'{"family":"a"}'] * 200_000)
            + b"]}",
            marks=pytest.mark.slow,
        ),
    ],
    ids=["XML", "JSON"],
)
def test_what_a_large_request_took_is_given_back(serve: Callable[..., Any], content: bytes) -> None:
    kind = "xml" if content.startswith(b"<") else "json"
    settings = {"CAREPATH_WORKERS": "1", "CAREPATH_REQUEST_SECONDS": "5", "MALLOC_ARENA_MAX": "1"}
    with serve(**settings) as one:
        children = Path(f"/proc/{one.process.pid}/task/{one.process.pid}/children")
        (pid,) = children.read_text("utf-8").split()

        def send(body: bytes) -> int:
            headers = {"Content-Type": f"application/fhir+{kind}"}
            url = f"{one.base}/Patient/$validate"
            return httpx.post(url, content=body, headers=headers, timeout=60).status_code

        send(b'<Patient xmlns="http://hl7.org/fhir"/>' if kind == "xml" else b"{}")
        before = megabytes(pid)
        for _ in range(2):
            assert send(content) == 422
        time.sleep(1)
        assert megabytes(pid) < before + 50
