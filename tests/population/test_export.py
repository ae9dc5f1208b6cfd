"""Exports that are fetched from a real server on this machine."""

import gzip
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from flask import Flask, Response, request
from werkzeug.serving import make_server

from carepath.errors import ExportFailed, InvalidParameter
from carepath.population.sources.export import Asked, fetch
from carepath.population.sources.files import input_of
from carepath.population.sources.lines import Line, lines_of

PATIENT = {"resourceType": "Patient", "id": "a"}
CONDITION = {"resourceType": "Condition", "id": "c", "subject": {"reference": "Patient/a"}}
TOKEN = "secret-of-the-test"  # noqa: S105


@dataclass
class Server:
    """A server that exports, what it is to do, and what it was asked."""

    base: str = ""
    pauses: list[str] = field(default_factory=lambda: ["0", "7"])
    """`Retry-After` of the answers before the export is ready."""
    needs_token: bool = False
    place: str = ""
    """Where the files are said to be, when not here."""
    fails: list[int] = field(default_factory=list)
    """Status codes that the next requests for a file are answered with."""
    kick_off: int = 202
    cut: int = 0
    query: str = ""
    asked: list[tuple[str, str, str, str]] = field(default_factory=list)

    def app(self) -> Flask:
        app = Flask("export")

        @app.before_request
        def note() -> None:
            login = request.headers.get("Authorization", "")
            prefer = request.headers.get("Prefer", "")
            self.asked.append((request.method, request.path, login, prefer))

        app.get("/fhir/$export")(self._kick_off)
        app.route("/status", methods=["GET", "DELETE"])(self._status)
        app.get("/files/<name>")(self._file)
        return app

    def _kick_off(self) -> Response:
        self.query = request.query_string.decode()
        if self.kick_off == 302:
            return Response(status=302, headers={"Location": f"{self.base}/status"})
        return Response(status=self.kick_off, headers={"Content-Location": f"{self.base}/status"})

    def _status(self) -> Response:
        if request.method == "DELETE":
            return Response(status=202)
        if self.pauses:
            return Response(status=202, headers={"Retry-After": self.pauses.pop(0)})
        place = self.place or f"{self.base}/files"
        output = [
            {"type": "Patient", "url": f"{place}/1", "count": 1},
            {"type": "Condition", "url": f"{place}/2?signed=x"},
        ]
        manifest = {
            "transactionTime": "2026-01-01T00:00:00Z",
            "request": f"{self.base}/fhir/$export",
            "requiresAccessToken": self.needs_token,
            "output": output,
            "error": [],
        }
        return Response(json.dumps(manifest), content_type="application/json")

    def _file(self, name: str) -> Response:
        if self.fails:
            return Response(status=self.fails.pop(0), headers={"Retry-After": "3"})
        data = json.dumps({"1": PATIENT, "2": CONDITION}[name]).encode() + b"\n"
        packed = gzip.compress(data)
        headers = {"Content-Encoding": "gzip", "Content-Length": str(len(packed))}
        if self.cut:
            self.cut -= 1
            packed = packed[:5]
        return Response(iter([packed]), headers=headers, content_type="application/fhir+ndjson")


@contextmanager
def running(server: Server) -> Iterator[Server]:
    made = make_server("127.0.0.1", 0, server.app(), threaded=True)
    server.base = f"http://127.0.0.1:{made.server_port}"
    thread = Thread(target=made.serve_forever)
    thread.start()
    try:
        yield server
    finally:
        made.shutdown()
        thread.join()
        made.server_close()


@pytest.fixture
def server() -> Iterator[Server]:
    with running(Server()) as made:
        yield made


class Clock:
    """Time that passes only while somebody rests."""

    def __init__(self) -> None:
        self.now = 0.0
        self.rests: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.rests.append(seconds)
        self.now += seconds


def fetched(server: Server, folder: Path, **more: Any) -> tuple[Path, Clock]:
    clock = Clock()
    host = server.base.removeprefix("http://")
    url = f"{server.base}/fhir/$export?_type=Patient,Condition"
    asked = Asked(url, more.pop("hosts", (host,)), **more)
    return fetch(asked, folder, clock.sleep, lambda: clock.now), clock


def resources(folder: Path) -> list[Any]:
    return [
        json.loads(line.data)
        for file in input_of(folder).files
        for line in lines_of(file)
        if isinstance(line, Line)
    ]


def test_an_export_is_asked_for_waited_for_and_fetched(server: Server, tmp_path: Path) -> None:
    folder, clock = fetched(server, tmp_path / "in", token=TOKEN)
    assert resources(folder) == [CONDITION, PATIENT]
    assert {file.base for file in input_of(folder).files} == {f"{server.base}/fhir"}
    assert clock.rests == [0.5, 7.0]
    assert server.query == "_type=Patient,Condition"
    bearer = f"Bearer {TOKEN}"
    assert server.asked == [
        ("GET", "/fhir/$export", bearer, "respond-async"),
        ("GET", "/status", bearer, ""),
        ("GET", "/status", bearer, ""),
        ("GET", "/status", bearer, ""),
        # The manifest does not ask for the token here, so it stays at home.
        ("GET", "/files/1", "", ""),
        ("GET", "/files/2", "", ""),
        ("DELETE", "/status", bearer, ""),
    ]
    fetched(server, folder)
    assert len(server.asked) == 7
    assert TOKEN not in "".join(path.read_bytes().decode("latin1") for path in folder.iterdir())
    assert TOKEN not in repr(Asked("https://x/$export", (), TOKEN))


def test_files_get_the_token_that_the_manifest_asks_for(server: Server, tmp_path: Path) -> None:
    server.needs_token = True
    fetched(server, tmp_path / "in", token=TOKEN)
    logins = {login for _, path, login, _ in server.asked if path.startswith("/files")}
    assert logins == {f"Bearer {TOKEN}"}


def test_what_fails_for_the_moment_is_tried_again(server: Server, tmp_path: Path) -> None:
    server.fails, server.pauses, server.cut = [503, 429], [], 2
    folder, clock = fetched(server, tmp_path / "in")
    assert resources(folder) == [CONDITION, PATIENT]
    assert clock.rests == [3.0, 3.0, 2.0, 4.0]


def test_a_fetch_that_was_ended_goes_on(server: Server, tmp_path: Path) -> None:
    server.pauses, server.fails = [], [500]
    with pytest.raises(ExportFailed, match="a file was answered with 500"):
        fetched(server, tmp_path / "in")
    server.asked.clear()
    folder, _ = fetched(server, tmp_path / "in")
    assert resources(folder) == [CONDITION, PATIENT]
    assert [path for _, path, _, _ in server.asked] == [
        "/status",
        "/files/1",
        "/files/2",
        "/status",
    ]


FAILS = {
    "another host": ({"place": "http://127.0.0.2:9/files"}, "which `--allow-host` does not name"),
    "a user": ({"place": "http://me@HERE/files"}, "which `--allow-host` does not name"),
    "no address": ({"place": "http://x:y"}, "it names an address that is none"),
    "a redirect": ({"kick_off": 302}, "it did not take the request (302)"),
    "refused": ({"kick_off": 401}, "it did not take the request (401)"),
    "too long": ({"pauses": ["300"] * 300}, "it takes longer than 24 hours"),
    "very long": ({"pauses": ["99999999"] * 100_000}, "it takes longer than 24 hours"),
    "cut for ever": ({"pauses": [], "cut": 99}, "a file breaks off again and again"),
}


@pytest.mark.parametrize("case", FAILS)
def test_an_export_that_fails(case: str, server: Server, tmp_path: Path) -> None:
    given, reason = FAILS[case]
    for name, value in given.items():
        host = server.base.removeprefix("http://")
        here = value.replace("HERE", host) if isinstance(value, str) else value
        setattr(server, name, here)
    with pytest.raises(ExportFailed) as caught:
        fetched(server, tmp_path / "in", token=TOKEN)
    assert reason in str(caught.value)
    assert TOKEN not in str(caught.value)
    assert not (tmp_path / "in" / "manifest.json").exists()


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://127.0.0.1:1/fhir/$export", "a host that `--allow-host` names"),
        ("http://records.example/fhir/Patient", "the URL of an operation `$export`"),
        ("ftp://records.example/$export", "the URL of an operation `$export`"),
        ("http://me@records.example/$export", "the URL of an operation `$export`"),
        ("http://records.example/$export?_since=2020-01-01", "an export of everything"),
    ],
)
def test_only_exports_of_listed_hosts_are_asked_for(
    url: str, expected: str, tmp_path: Path
) -> None:
    with pytest.raises(InvalidParameter, match=r".") as caught:
        fetch(Asked(url, ("records.example",)), tmp_path / "in")
    assert expected in str(caught.value)
    assert not (tmp_path / "in").exists()


def test_nobody_answers(tmp_path: Path) -> None:
    clock = Clock()
    asked = Asked("http://127.0.0.1:9/fhir/$export", ("127.0.0.1:9",))
    with pytest.raises(ExportFailed, match="it does not answer"):
        fetch(asked, tmp_path / "in", clock.sleep, lambda: clock.now)
    assert clock.rests == [2.0, 4.0, 8.0, 16.0]
