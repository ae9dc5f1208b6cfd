"""What the HTTP server refuses before the application sees it, and how it says so."""

import json
import re
import socket
from typing import Any
from urllib.parse import urlsplit

import pytest

from .raw import FHIR, HEAD, PARAMETERS, exchange

CHUNKED = b"Transfer-Encoding: chunked\r\n"
GET = b"GET /healthz HTTP/1.1\r\nHost: a\r\n"
WHOLE = b"1d\r\n" + PARAMETERS + b"\r\n0\r\n\r\n"
"""A body in a chunk that is accepted."""


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"GARBAGE\r\n\r\n", 400),
        (b"GET / HTTP/9.9\r\n\r\n", 400),
        (b"GET /\xff HTTP/1.1\r\nHost: a\r\nBad Header: x\r\n\r\n", 400),
        (b"GET /fhir/" + b"x" * 9000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 414),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"y" * 20_000 + b"\r\n\r\n", 431),
        (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: abc\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: foo\r\n\r\n", 501),
        (HEAD + FHIR + b"Transfer-Encoding: chunked\r\n\r\nZZ\r\n", 400),
        (HEAD + FHIR + b"Transfer-Encoding: chunked\r\n\r\n5\r\n{\r\n\r\n", 400),
        (HEAD + FHIR + b"Expect: nonsense\r\nContent-Length: 2\r\n\r\n{}", 417),
        (HEAD + FHIR + b"Content-Length: 7\r\n\r\nnot {}!", 400),
        # No second request is read: where the first one ends is doubtful.
        (b"GET /healthz HTTP/1.1\r\n\r\n" + GET + b"\r\n", 400),
        (GET + b"Host: b\r\n\r\n", 400),
        (b"GET /healthz\r\n\r\n", 400),
        (GET + b"X: 1\r\n 2\r\n\r\n", 400),
        (GET + b"X: 1\r\n" * 100 + b"\r\n", 431),
        (GET + b"X: " + b"1" * 90_000, 431),
        (HEAD + FHIR + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n{}", 400),
        (HEAD + FHIR + CHUNKED + b"Content-Length: 5\r\n\r\n0\r\n\r\n", 400),
        (HEAD + FHIR + CHUNKED + CHUNKED + b"\r\n0\r\n\r\n", 400),
        (HEAD + FHIR + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501),
        (HEAD + FHIR + CHUNKED + b"\r\n" + b"1\r\n \r\n" * 60_000 + WHOLE, 400),
        (HEAD + FHIR + CHUNKED + b"\r\n" + b"1" * 100_000, 400),
        (HEAD.replace(b"1.1", b"1.0") + FHIR + CHUNKED + b"\r\n0\r\n\r\n", 400),
        (b"GET /heal", 400),
    ],
    ids=lambda value: value if isinstance(value, int) else repr(value[:60]),
)
def test_what_the_server_refuses_is_an_outcome_too(server: Any, sent: bytes, status: int) -> None:
    answered, headers, body = exchange(server.root, sent)
    assert answered == status
    assert headers["content-type"] == "application/fhir+json; charset=utf-8"
    assert re.fullmatch("[0-9a-f-]{36}", headers["x-request-id"])
    outcome = json.loads(body)
    assert outcome["resourceType"] == "OperationOutcome"
    assert outcome["issue"][0]["severity"] in ("error", "fatal")


XML = b"Host: a\r\nAccept: application/fhir+xml\r\nX-Request-Id: abc-1\r\n"
BROKEN = b" HTTP/1.1\r\nHost: a\r\nBad Header: x\r\n"


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"GET / HTTP/1.1\r\n" + XML + b"Bad Header: x\r\n\r\n", 400),
        (b"GET / HTTP/9.9\r\n" + XML + b"\r\n", 400),
        (b"GET /" + b"x" * 9000 + b" HTTP/1.1\r\n" + XML + b"\r\n", 414),
        (b"GET / HTTP/1.1\r\n" + XML + b"X: " + b"y" * 20_000 + b"\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\n" + XML + b"Transfer-Encoding: foo\r\n\r\n", 501),
        (b"GET / HTTP/1.1\r\n" + XML + b"Expect: foo\r\nContent-Length: 1\r\n\r\nx", 417),
        (b"GET /?_format=xml" + BROKEN + b"Accept: application/json\r\n\r\n", 400),
        (b"GET /?_format=application%2Ffhir%2Bxml" + BROKEN + b"\r\n", 400),
        (b"POST /" + BROKEN + b"Content-Type: application/fhir+xml\r\n\r\n<a/>", 400),
        (b"GET /" + BROKEN + b"Accept: a/b\r\nAccept: text/xml\r\n\r\n", 400),
        (b"GET /" + BROKEN + b"Accept: text/xml\r\nAccept: a/b\r\n\r\n", 400),
    ],
    ids=lambda value: value if isinstance(value, int) else repr(value[:40]),
)
def test_what_the_server_refuses_comes_in_the_negotiated_format(
    server: Any, sent: bytes, status: int
) -> None:
    answered, headers, body = exchange(server.root, sent)
    assert answered == status
    assert headers["content-type"] == "application/fhir+xml; charset=utf-8"
    assert body.startswith(b'<?xml version="1.0" encoding="UTF-8"?><OperationOutcome ')
    assert (headers["x-request-id"] == "abc-1") == (b"abc-1" in sent)


@pytest.mark.parametrize(
    "accept", [b"text/turtle", b"*/*", b"application/fhir+json, application/fhir+xml", b"\xff"]
)
def test_a_refusal_is_json_where_the_head_does_not_decide(server: Any, accept: bytes) -> None:
    sent = b"GET /?_format=" + BROKEN + b"Accept: " + accept + b"\r\n\r\n"
    _, headers, _ = exchange(server.root, sent)
    assert headers["content-type"] == "application/fhir+json; charset=utf-8"


def test_a_refusal_knows_its_own_request_only(server: Any) -> None:
    """What one connection wished for says nothing of the next, nor of a second request."""
    for _ in range(8):  # more often than there are threads
        exchange(server.root, b"GET / HTTP/1.1\r\n" + XML + b"Bad Header: x\r\n\r\n")
    _, headers, _ = exchange(server.root, b"GARBAGE\r\n\r\n")
    assert headers["content-type"] == "application/fhir+json; charset=utf-8"
    assert headers["x-request-id"] != "abc-1"
    parts = urlsplit(server.root)
    with socket.create_connection((parts.hostname, parts.port), timeout=30) as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\n" + XML + b"\r\n")
        assert connection.recv(65_536).startswith(b"HTTP/1.1 200 OK")
        connection.sendall(b"GET /" + BROKEN + b"\r\n")
        refused = b"".join(iter(lambda: connection.recv(65_536), b"")).rpartition(b"HTTP/1.1 ")[2]
    assert refused.startswith(b"400 ")
    assert b"application/fhir+json" in refused
    assert b"abc-1" not in refused


def test_a_refused_head_request_has_no_body(server: Any) -> None:
    status, headers, body = exchange(server.root, b"HEAD /" + BROKEN + b"\r\n")
    assert (status, body) == (400, b"")
    assert int(headers["content-length"]) > 0
