"""`make run` says where the page is, shows the plan, and leaves the service running."""

import os
import signal
import socket
import subprocess
import sys
from itertools import takewhile
from pathlib import Path

import httpx
from click.testing import CliRunner

from carepath.command.main import main

ROOT = Path(__file__).parent.parent
EXAMPLE = "examples/mcode-collection.json"
NOW = "2026-11-27T12:00:00+00:00"


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def test_the_address_comes_before_the_plan() -> None:
    port = free_port()
    base = f"http://127.0.0.1:{port}"
    command = [sys.executable, "tools/run_example.py", "--port", str(port)]
    environment = os.environ | {"CAREPATH_NOW": NOW}
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True
    ) as run:
        assert run.stdout is not None
        try:
            told = list(takewhile(lambda line: "Ctrl-C" not in line, run.stdout))
            page = httpx.get(f"{base}/", headers={"Accept": "text/html"})
        finally:
            run.send_signal(signal.SIGTERM)
    plan = CliRunner().invoke(
        main, ["apply", str(ROOT / EXAMPLE), "--format", "summary", "--now", NOW]
    )
    assert "".join(told) == (
        "Starting the service.\n"
        f"Open {base}/ in a browser: the pathways, and patients on them.\n\n"
        f"POST {base}/fhir/PlanDefinition/mst-pathway/$apply\n"
        f"  with {EXAMPLE}: 200\n\n"
        f"{plan.stdout}\n"
    )
    assert (page.status_code, page.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
