"""The service as it runs: the server's own refusals, signals, logs, metrics of several workers."""

import json
import re
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from .raw import FHIR, HEAD, PARAMETERS, exchange


@pytest.mark.parametrize(
    "sent",
    [
        HEAD + FHIR + b"Transfer-Encoding: chunked\r\n\r\n1d\r\n" + PARAMETERS + b"\r\n0\r\n\r\n",
        HEAD + FHIR + b"Expect: 100-continue\r\nContent-Length: 29\r\n\r\n" + PARAMETERS,
        HEAD + FHIR + b"Content-Length: 0\r\n\r\n",
        HEAD + b"Expect: 100-continue\r\n\r\n",
        HEAD + b"\r\n",
    ],
    ids=["chunked", "100-continue", "an empty body", "100-continue without one", "no body"],
)
def test_bodies_in_every_form_are_read(server: Any, sent: bytes) -> None:
    status, _, body = exchange(server.root, sent)
    assert status == 200
    assert json.loads(body)["parameter"][0] == {"name": "version", "valueCode": "4.0"}


def test_a_client_that_stops_in_the_middle_of_a_body(serve: Callable[..., Any]) -> None:
    with serve(CAREPATH_BODY_SECONDS="0.3") as one:
        parts = urlsplit(one.root)
        with socket.create_connection((parts.hostname, parts.port), timeout=30) as connection:
            connection.sendall(HEAD + FHIR + b"Content-Length: 29\r\n\r\n" + PARAMETERS[:5])
            received = b"".join(iter(lambda: connection.recv(65_536), b""))
    assert received.startswith(b"HTTP/1.1 408 ")
    assert b'"code":"timeout"' in received


@pytest.mark.parametrize(
    ("start", "drop"),
    [(b"GET /fhir/metadata HTT", b"P"), (HEAD + FHIR + b"Content-Length: 999\r\n\r\n", b" ")],
    ids=["head", "body"],
)
def test_clients_that_send_a_byte_now_and_then(
    serve: Callable[..., Any], start: bytes, drop: bytes
) -> None:
    """More of them than there are threads hold up nobody for longer than one may take."""
    settings = {"CAREPATH_BODY_SECONDS": "0.5", "CAREPATH_THREADS": "3"}
    with serve(**settings) as one, ExitStack() as stack:
        parts = urlsplit(one.root)
        slow = [
            stack.enter_context(socket.create_connection((parts.hostname, parts.port), timeout=30))
            for _ in range(4)
        ]
        for connection in slow:
            connection.sendall(start)
        received = b""
        connection.settimeout(0.1)
        for _ in range(200):
            try:
                received += connection.recv(65_536)
            except TimeoutError:
                connection.sendall(drop)
            # The head and the body of the answer may come in two pieces.
            if b'"code":' in received:
                break
        assert received.startswith(b"HTTP/1.1 408 ")
        assert b'"code":"timeout"' in received
        assert httpx.get(f"{one.root}/healthz", timeout=10).status_code == 200


def test_the_first_answer_comes_within_two_and_a_half_seconds(serve: Callable[..., Any]) -> None:
    """By the clock, or by the CPU time that it takes when the machine does other work."""
    with serve() as one:
        spent = one.cpu_seconds()
    assert min(one.seconds_to_start, spent) < 2.5


def test_broken_content_stops_the_start(tmp_path: Path) -> None:
    plan = '{"resourceType":"PlanDefinition","id":"x","url":"urn:x","status":"bogus"}'
    (tmp_path / "plan.json").write_text(plan, "utf-8")
    command = [sys.executable, "-m", "carepath", "serve", "--port", "0", "--content", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 1
    assert "plan.json" in done.stderr
    assert "PlanDefinition.status" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_faulty_plan_is_told_at_the_start(serve: Callable[..., Any], tmp_path: Path) -> None:
    action = {"title": "x", "definitionCanonical": "urn:circle"}
    plan = {"resourceType": "PlanDefinition", "id": "c", "url": "urn:circle", "status": "draft"}
    outer = {"resourceType": "PlanDefinition", "id": "o", "url": "urn:outer", "status": "draft"}
    for one in (plan, outer):
        one["action"] = [action]  # type: ignore[assignment]
        (tmp_path / f"{one['id']}.json").write_text(json.dumps(one), "utf-8")
    with serve(CAREPATH_CONTENT=str(tmp_path)) as one:
        assert httpx.get(f"{one.base}/PlanDefinition/o").is_success
    told = [line for line in one.lines if line["level"] == "warning"]
    assert [(line["plan"], "urn:circle" in line["because"]) for line in told] == [
        ("urn:outer", True)
    ]


def test_metrics_are_those_of_all_workers(serve: Callable[..., Any]) -> None:
    with serve(CAREPATH_WORKERS="2") as one:
        for _ in range(40):
            httpx.get(f"{one.base}/ValueSet/none")
        text = httpx.get(f"{one.root}/metrics").text
    counted = re.search(
        r'carepath_requests_total\{[^}]*route="/fhir/ValueSet/<fhir_id:id>",status="404"\} (\d+)',
        text,
    )
    assert counted is not None
    assert int(counted[1]) == 40


def test_logs_are_json_with_the_request_id_and_no_patient_data(
    serve: Callable[..., Any], examples: dict[str, bytes]
) -> None:
    secret = b"Krystyna Wisniewska"
    with serve() as one:
        headers = {"X-Request-Id": "seen-1", "Content-Type": "application/fhir+json"}
        url = f"{one.base}/PlanDefinition/mst-pathway/$apply"
        httpx.post(
            url,
            content=examples["suspected-collection"],
            headers=headers,
            params={"subject": secret.decode()},
        )
        httpx.get(f"{one.base}/PlanDefinition?name={secret.decode()}")
        httpx.get(f"{one.base}/{secret.decode()}")
        httpx.post(url, content=b'{"resourceType":"' + secret + b'"}', headers=headers)
    requests = [line for line in one.lines if line["logger"] == "carepath.requests"]
    by_id = [line for line in requests if line.get("request_id") == "seen-1"]
    assert [line["route"] for line in by_id] == ["/fhir/PlanDefinition/<fhir_id:id>/$apply"] * 2
    assert {"time", "level", "method", "status", "milliseconds"} <= set(by_id[0])
    assert secret.decode() not in one.log
    assert "Wisniewska" not in one.log


def test_a_stop_waits_for_the_request_that_runs(serve: Callable[..., Any]) -> None:
    with serve() as one:
        parts = urlsplit(one.root)
        with socket.create_connection((parts.hostname, parts.port), timeout=20) as connection:
            connection.sendall(HEAD + FHIR + b"Content-Length: 29\r\n\r\n" + PARAMETERS[:10])
            time.sleep(0.5)  # the worker reads the body now
            one.process.send_signal(signal.SIGTERM)
            time.sleep(0.5)
            connection.sendall(PARAMETERS[10:])
            received = b"".join(iter(lambda: connection.recv(65_536), b""))
        assert received.startswith(b"HTTP/1.1 200 OK")
        assert one.stop() == 0


def requests_of_every_kind(examples: dict[str, bytes]) -> list[tuple[str, str, bytes | None]]:
    """Return method, URL and JSON body: reading, searching, and every operation."""
    pathway = "PlanDefinition/mst-pathway"
    some = [examples[name] for name in ("mcode-collection", "message", "parameters")]
    set_of_codes = "https://example.org/fhir/ValueSet/none"
    return [
        *(("POST", f"{pathway}/$apply", data) for data in examples.values()),
        *(("POST", f"{pathway}/$r5.apply", data) for data in some),
        *(("POST", "$apply-pathways", data) for data in some),
        *(("POST", "Bundle/$validate", data) for data in some),
        ("POST", f"{pathway}/$apply", b'{"resourceType":"Bundle","entry":7}'),
        ("POST", f"{pathway}/$apply", b"{"),
        ("GET", f"{pathway}/$data-requirements", None),
        ("GET", f"{pathway}/$package", None),
        ("GET", pathway, None),
        ("GET", "PlanDefinition?_sort=-date,name&_include=*&_count=3", None),
        ("GET", "ValueSet?_summary=true", None),
        ("GET", f"ValueSet/$expand?url={set_of_codes}", None),
        ("GET", f"ValueSet/$validate-code?url={set_of_codes}&system=urn:x&code=y", None),
        ("GET", "CodeSystem/$lookup?system=urn:x&code=y", None),
        ("GET", "CodeSystem/$subsumes?system=urn:x&codeA=y&codeB=z", None),
        ("GET", "$versions", None),
        ("GET", "metadata", None),
    ]


def test_sixteen_clients_get_the_bytes_that_one_gets(
    server: Any, examples: dict[str, bytes]
) -> None:
    """Requests of every kind, in JSON and XML, each client beginning elsewhere."""
    requests = [
        (method, url, data, fmt)
        for method, url, data in requests_of_every_kind(examples)
        for fmt in ("json", "xml")
    ]

    def answer(client: httpx.Client, number: int) -> tuple[int, bytes]:
        method, url, data, fmt = requests[number]
        headers = {"Content-Type": "application/fhir+json", "Accept": f"application/fhir+{fmt}"}
        got = client.request(method, url, content=data, headers=headers)
        return got.status_code, got.content

    def all_from(start: int) -> dict[int, tuple[int, bytes]]:
        order = [*range(start * 3, len(requests)), *range(start * 3)]
        with httpx.Client(base_url=server.base, timeout=60) as client:
            return {number: answer(client, number) for number in order}

    alone = all_from(0)
    with ThreadPoolExecutor(16) as pool:
        together = list(pool.map(all_from, range(1, 17)))
    for got in together:
        assert [n for n in alone if got[n] != alone[n]] == []
    assert Counter(status // 100 for status, _ in alone.values())[2] > len(requests) // 2


def test_idle_connections_hold_up_nobody(server: Any) -> None:
    parts = urlsplit(server.root)
    idle = [socket.create_connection((parts.hostname, parts.port)) for _ in range(40)]
    try:
        assert httpx.get(f"{server.root}/healthz", timeout=15).is_success
    finally:
        for connection in idle:
            connection.close()
