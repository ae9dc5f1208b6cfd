"""`python http_calls.py URL` runs the suite against a server: it passes, fails and tells so."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest

from carepath.formats.json import decode
from carepath.knowledge import Knowledge
from carepath.web import Config, create_app

HERE = Path(__file__).parent
SERVED = "condition-true-and-false"


class Quiet(WSGIRequestHandler):
    """A handler that writes no log."""

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def base() -> Iterator[str]:
    """A server that knows the definitions of one case; it stores nothing."""
    case = decode((HERE / "cases" / f"{SERVED}.json").read_bytes())
    app = create_app(Config(), knowledge=Knowledge.of(case["definitions"]))
    with make_server("127.0.0.1", 0, app, handler_class=Quiet) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/fhir/"
        server.shutdown()
        thread.join()


def program(*arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, str(HERE / "http_calls.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def test_a_case_that_is_met(base: str) -> None:
    done = program(base, SERVED)
    assert (done.returncode, done.stdout.split()) == (0, ["ok", SERVED]), done.stderr


def test_a_case_that_is_not_met_says_where(base: str) -> None:
    """Another case asks for the same plan by id, so that the answer is a wrong one."""
    done = program(base, "condition-several-are-anded")
    assert done.returncode == 1
    assert "FAIL condition-several-are-anded" in done.stdout
    assert "requestGroup.action: expected 1 elements, got 2" in done.stdout


def test_a_case_of_which_the_server_knows_nothing(base: str) -> None:
    done = program(base, "activity-subject-in-data")
    assert done.returncode == 1
    assert "FAIL activity-subject-in-data" in done.stdout


def test_an_unknown_case_is_told(base: str) -> None:
    done = program(base, "no-such-case")
    assert done.returncode == 2
    assert "no-such-case" in done.stderr
