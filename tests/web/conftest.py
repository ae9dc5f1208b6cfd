"""An application with a few definitions, and a live server for what needs one."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

import httpx
import pytest
from flask.testing import FlaskClient

from carepath.knowledge import Knowledge
from carepath.web import Config, create_app

ROOT = Path(__file__).parents[2]
NOW = "2026-03-31T09:15:00+04:00"
URL = "https://example.org/fhir"


def definition(resource_type: str, id: str, **elements: Any) -> dict[str, Any]:
    head = {"resourceType": resource_type, "id": id, "url": f"{URL}/{resource_type}/{id}"}
    return {**head, "version": "1.0.0", "status": "active", **elements}


def action(id: str, **elements: Any) -> dict[str, Any]:
    return {"id": id, "title": id.capitalize(), **elements}


def condition(expression: str) -> list[dict[str, Any]]:
    language = {"language": "text/fhirpath", "expression": expression}
    return [{"kind": "applicability", "expression": language}]


DEFINITIONS = [
    definition(
        "PlanDefinition",
        "walk",
        name="WalkPlan",
        title="Wäre gut: a walk",
        date="2026-02-03",
        description="Sends adults for a walk",
        identifier=[{"system": "urn:ids", "value": "w-1"}],
        topic=[{"coding": [{"system": "urn:topics", "code": "exercise"}], "text": "Exercise"}],
        useContext=[
            {
                "code": {"system": "urn:context", "code": "venue"},
                "valueCodeableConcept": {"coding": [{"system": "urn:venues", "code": "park"}]},
            }
        ],
        relatedArtifact=[
            {"type": "depends-on", "resource": f"{URL}/ValueSet/colours|1.0.0"},
        ],
        library=[f"{URL}/Library/needs"],
        action=[
            action(
                "stroll",
                condition=condition("%patient.gender = 'female'"),
                definitionCanonical=f"{URL}/ActivityDefinition/stroll",
            ),
            action("talk", condition=condition("%conditions.exists()")),
        ],
    ),
    definition("PlanDefinition", "walk", version="0.9.0", name="WalkPlan", title="An older walk"),
    definition("PlanDefinition", "rest", name="RestPlan", title="Rest", status="draft"),
    definition(
        "ActivityDefinition",
        "stroll",
        name="Stroll",
        title="A stroll",
        kind="ServiceRequest",
        intent="proposal",
        code={"text": "A stroll in the park"},
    ),
    definition(
        "Library",
        "needs",
        name="Needs",
        title="What is needed",
        type={"coding": [{"code": "logic-library"}]},
        dataRequirement=[{"id": "conditions", "type": "Condition"}],
    ),
    definition(
        "ValueSet",
        "colours",
        name="Colours",
        title="Colours",
        compose={"include": [{"system": f"{URL}/CodeSystem/palette"}]},
    ),
    definition(
        "CodeSystem",
        "palette",
        name="Palette",
        title="Palette",
        content="complete",
        hierarchyMeaning="is-a",
        caseSensitive=True,
        concept=[
            {
                "code": "red",
                "display": "Red",
                "definition": "The colour of blood",
                "designation": [{"language": "de", "value": "Rot"}],
                "concept": [{"code": "scarlet", "display": "Scarlet"}],
            },
            {"code": "blue", "display": "Blue"},
        ],
    ),
]

PATIENT = {"resourceType": "Patient", "id": "p", "gender": "female", "birthDate": "1990-02-28"}


@pytest.fixture(scope="session")
def bundle() -> Callable[..., dict[str, Any]]:
    """Return a maker of collection Bundles; without resources, of one with a patient."""

    def make(*resources: dict[str, Any]) -> dict[str, Any]:
        entries = [{"resource": resource} for resource in resources or (PATIENT,)]
        return {"resourceType": "Bundle", "type": "collection", "entry": entries}

    return make


@pytest.fixture(scope="session")
def knowledge() -> Knowledge:
    shipped = Knowledge.shipped().all("OperationDefinition")
    return Knowledge.of([*DEFINITIONS, *shipped])


@pytest.fixture(scope="session")
def make_client(knowledge: Knowledge) -> Callable[..., FlaskClient]:
    """Return a maker of clients, each of an application with settings of its own."""

    def make(**settings: Any) -> FlaskClient:
        return create_app(Config(now=NOW, **settings), knowledge).test_client()

    return make


@pytest.fixture(scope="session")
def client(make_client: Callable[..., FlaskClient]) -> FlaskClient:
    return make_client()


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
    return port


@contextmanager
def running(**environment: str) -> Iterator["Server"]:
    """Run `carepath serve` on a free port with the shipped content until the block ends."""
    port = free_port()
    settings = {"CAREPATH_NOW": NOW, "CAREPATH_LOG_LEVEL": "info", **environment}
    command = [sys.executable, "-m", "carepath", "serve", "--port", str(port)]
    started = time.perf_counter()
    # A file, because a pipe that nobody reads would stop the service once it is full.
    with TemporaryFile() as log:
        process = subprocess.Popen(command, env={**os.environ, **settings}, stderr=log)
        server = Server(f"http://127.0.0.1:{port}", process, log)
        try:
            server.seconds_to_start = _until_ready(server, started)
            yield server
        finally:
            server.stop()


class Server:
    """A running service."""

    def __init__(self, root: str, process: "subprocess.Popen[bytes]", log: IO[bytes]) -> None:
        self.root = root
        self.base = f"{root}/fhir"
        self.process = process
        self.seconds_to_start = 0.0
        self.log = ""
        self._file = log

    def stop(self) -> int:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(timeout=40)
        if not self._file.closed:
            self._file.seek(0)
            self.log = self._file.read().decode()
        return code

    def cpu_seconds(self) -> float:
        """Return the CPU time of the process so far, its workers left out."""
        path = Path(f"/proc/{self.process.pid}/stat")
        fields = path.read_text("utf-8").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.splitlines()]


def _until_ready(server: Server, started: float) -> float:
    # One client for all attempts: to make one takes longer than to ask.
    with httpx.Client(timeout=2) as client:
        while time.perf_counter() - started < 60:
            if server.process.poll() is not None:
                server.stop()
                raise AssertionError(server.log)
            try:
                if client.get(f"{server.root}/readyz").is_success:
                    return time.perf_counter() - started
            except httpx.TransportError:
                time.sleep(0.02)
    raise AssertionError("the service did not start")


@pytest.fixture(scope="session")
def serve() -> Callable[..., Any]:
    """Return the context manager that runs a service with settings of its own."""
    return running


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """One service for all tests that only need a live one."""
    with running() as one:
        yield one


@pytest.fixture(scope="session")
def examples() -> dict[str, bytes]:
    """The example bundles of the project by name."""
    return {path.stem: path.read_bytes() for path in sorted((ROOT / "examples").glob("*.json"))}
