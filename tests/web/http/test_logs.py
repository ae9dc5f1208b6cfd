"""Logs and metrics hold no patient data, wherever in a request a name stands.

Tried at the level that tells most: another leaves lines out and adds none.
"""

import json
import logging
import socket
from collections.abc import Callable, Iterator
from typing import Any

import httpx

from carepath.web.http import logs, metrics

NAME = "Wisniewska"
APPLY = "PlanDefinition/mst-pathway/$apply"
FHIR = {"Content-Type": "application/fhir+json"}


def sent(base: str) -> Iterator[httpx.Request]:
    """Yield requests with a name in each place that a client can fill."""
    patient = {"resourceType": "Patient", "id": NAME, "gender": NAME, "name": [{"family": NAME}]}
    parameter = {"resourceType": "Parameters", "parameter": [{"name": NAME, "valueString": NAME}]}
    address = {"resourceType": "Endpoint", "address": f"http://127.0.0.1:9/{NAME}"}
    endpoint = {
        "resourceType": "Parameters",
        "parameter": [{"name": "dataEndpoint", "resource": address}],
    }
    for url in (f"Patient?name={NAME}", NAME, f"PlanDefinition/{NAME}", f"{APPLY}?subject={NAME}"):
        yield httpx.Request("GET", f"{base}/{url}")
    yield httpx.Request(NAME.upper(), f"{base}/metadata")
    for header in ("Accept", "User-Agent", "Referer", "X-Correlation-Id", "Prefer", f"X-{NAME}"):
        yield httpx.Request("GET", f"{base}/metadata", headers={header: NAME})
    for body in (patient, parameter, endpoint, {"resourceType": NAME}):
        url = f"{base}/{APPLY}?subject=Patient/{NAME}" if body is endpoint else f"{base}/{APPLY}"
        yield httpx.Request("POST", url, json=body, headers=FHIR)
    for content in (NAME.encode() + b"\xff", b'{"' + NAME.encode()):
        yield httpx.Request("POST", f"{base}/{APPLY}", content=content, headers=FHIR)
    yield httpx.Request("POST", f"{base}/{APPLY}", content=b"{}", headers={"Content-Type": NAME})


HEADS = (
    f"GET /{NAME} HTTP/1.1\r\nHost: x\r\nBad Header {NAME}\r\n\r\n",
    f"{NAME} / HTTP/9.9\r\n\r\n",
    f"GET /{'a' * 9000}{NAME} HTTP/1.1\r\n\r\n",
    f"POST /fhir HTTP/1.1\r\nHost: x\r\nContent-Length: {NAME}\r\n\r\n",
    f"POST /fhir HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: {NAME}\r\n\r\n",
    f"GET /fhir/metadata HTTP/1.1\r\nHost: x\r\nExpect: {NAME}\r\n\r\n",
    f"POST /fhir/{APPLY} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz{NAME}\r\n",
)


def speak(root: str, head: str) -> bytes:
    """Send bytes that no client library would, and return the beginning of the answer."""
    address = httpx.URL(root)
    with socket.create_connection((address.host, address.port or 80), timeout=10) as connection:
        connection.sendall(head.encode())
        return connection.recv(1000)


def test_no_name_is_written_down(serve: Callable[..., Any]) -> None:
    settings = {"CAREPATH_LOG_LEVEL": "debug", "CAREPATH_DATA_ENDPOINT_HOSTS": "127.0.0.1:9",
                "CAREPATH_DATA_ENDPOINT_RETRIES": "0"}  # fmt: skip
    with serve(**settings) as one:
        with httpx.Client() as client:
            statuses = {client.send(request).status_code for request in sent(one.base)}
            metrics = client.get(f"{one.root}/metrics").text
        answers = [speak(one.root, head) for head in HEADS]
    assert {400, 404, 405, 406, 415, 422, 503} <= statuses
    assert all(answer.startswith(b"HTTP/1.1 ") for answer in answers)
    assert NAME.lower() not in one.log.lower()
    assert NAME.lower() not in metrics.lower()
    assert 'method="other"' in metrics
    assert len(one.lines) > len(statuses)


def test_made_up_methods_are_one_figure() -> None:
    for n in range(50):
        metrics.count(f"M{n}", "/somewhere", 405, 0.001)
    lines = [line for line in metrics.exposition().decode().splitlines() if "/somewhere" in line]
    counted = [line for line in lines if line.startswith("carepath_requests_total")]
    assert counted == [
        'carepath_requests_total{method="other",route="/somewhere",status="405"} 50.0'
    ]


def test_an_error_is_written_without_its_message() -> None:
    try:
        raise ValueError(NAME)
    except ValueError as error:
        record = logging.LogRecord(
            "x", logging.ERROR, "", 0, "unexpected", (), (ValueError, error, None)
        )
    line = json.loads(logs.JsonLines().format(record))
    assert line["error"] == "builtins.ValueError"
    assert NAME not in json.dumps(line)
