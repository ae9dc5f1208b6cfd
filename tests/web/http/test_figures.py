"""Figures that cannot be kept fail no request: storage full, folder deleted or not writable."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import json, os, resource, shutil, sys
kind, folder = sys.argv[1:]
if kind == "never there":
    shutil.rmtree(folder)
if kind == "no folder":
    shutil.rmtree(folder)
    open(folder, "w").close()
if kind == "full":
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
from carepath.knowledge import Knowledge
from carepath.web import Config, create_app
app = create_app(Config(), Knowledge.of([]))
client = app.test_client()
def asked():
    return client.get("/healthz").status_code, client.get("/fhir/metadata").status_code
before = asked()
if kind == "full later":
    resource.setrlimit(resource.RLIMIT_FSIZE, (70_000, 70_000))
if kind == "deleted":
    shutil.rmtree(folder)
if os.fork() == 0:
    # A worker: its own files cannot be made any more.
    from carepath.web.http import metrics
    for number in range(2_000 if kind == "full later" else 1):
        metrics.count("GET", f"route {number}", 200, 0.1)
    page = client.get("/metrics")
    metrics.process_ended(os.getpid())
    lines = page.get_data(as_text=True).splitlines()
    routes = [l for l in lines if l.startswith("carepath_requests_total") and '"route ' in l]
    told = [l for l in lines if l.startswith("# The figures")]
    print(json.dumps([before, asked(), page.status_code, len(routes), len(told)]), flush=True)
    os._exit(0)
_, status = os.wait()
sys.exit(os.waitstatus_to_exitcode(status))
"""


@pytest.mark.parametrize(
    ("kind", "routes", "told"),
    [
        ("all well", 1, 0),
        ("never there", 1, 1),
        ("no folder", 1, 1),
        ("deleted", 1, 1),
        ("full", 0, 0),
        ("full later", None, 0),
    ],
)
def test_what_cannot_be_kept(tmp_path: Path, kind: str, routes: int | None, told: int) -> None:
    folder = tmp_path / "figures"
    folder.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, kind, str(folder)],
        env={**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    before, after, page, found, notes = json.loads(done.stdout)
    assert (before, after, page, notes) == ([200, 200], [200, 200], 200, told)
    assert routes is None or found == routes
    assert ("figures are kept in memory only" in done.stderr) is (kind != "all well")
