"""Requests and answers as bytes, for what no client would send, and the processes they go to."""

import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

HEAD = b"POST /fhir/$versions HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
FHIR = b"Content-Type: application/fhir+json\r\n"
PARAMETERS = b'{"resourceType":"Parameters"}'
GET = b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"
POST = b"POST %s HTTP/1.1\r\nHost: a\r\nContent-Type: application/fhir+json\r\n"
LENGTH = b"Content-Length: %d\r\n\r\n"


def exchange(root: str, sent: bytes) -> tuple[int, dict[str, str], bytes]:
    """Send raw bytes; return status, headers and body of the last answer."""
    parts = urlsplit(root)
    with socket.create_connection((parts.hostname, parts.port), timeout=30) as connection:
        connection.sendall(sent)
        connection.shutdown(socket.SHUT_WR)
        received = b"".join(iter(lambda: connection.recv(65_536), b""))
    *_, head, body = received.split(b"\r\n\r\n")
    lines = head.decode("latin1").split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines[1:])
    return int(lines[0].split()[1]), headers, body


def connect(root: str) -> socket.socket:
    """Open a connection to a service."""
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
    """Ask how it is; return how long the answer took."""
    started = time.monotonic()
    assert httpx.get(f"{root}/healthz", timeout=30).is_success
    return time.monotonic() - started


def workers(server: Any) -> list[int]:
    """Return the process ids of the workers of a service."""
    pid = server.process.pid
    return [int(p) for p in Path(f"/proc/{pid}/task/{pid}/children").read_text("utf-8").split()]


def wait_until(is_so: Callable[[], bool]) -> None:
    """Wait half a minute at most."""
    for _ in range(600):
        if is_so():
            return
        time.sleep(0.05)
    raise AssertionError("it did not come to pass within half a minute")
