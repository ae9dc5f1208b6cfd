"""Runs with real processes: the same bytes however many there are and whatever is killed."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from lines import export, read

NAMES = [f"p{number}" for number in range(48)]
FILES = ("careplans.ndjson", "decisions.ndjson", "errors.ndjson", "summary.html", "summary.json")
COMMAND = (sys.executable, "-m", "carepath", "apply-many")
OPTIONS = ("--now", "2026-11-01T00:00:00Z", "--decisions", "ndjson")
SECONDS = 240


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return export(tmp_path_factory.mktemp("population") / "in", NAMES)


@pytest.fixture(scope="module")
def expected(source: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Return what a run gives that nobody disturbs."""
    out = tmp_path_factory.mktemp("expected") / "out"
    done = finished(source, out, "--workers", "1")
    assert (done.returncode, done.stderr) == (0, f"48 patients, 0 errors; see {out}/summary.html\n")
    assert len(read(out / "careplans.ndjson")) == len(NAMES)
    assert not (out / "work").exists()
    return files(out)


def files(out: Path) -> dict[str, bytes]:
    return {name: (out / name).read_bytes() for name in FILES}


def started(source: Path, out: Path, *more: str, before: str = "") -> "subprocess.Popen[str]":
    command: Sequence[str] = (*COMMAND, str(source), "--out", str(out), *OPTIONS, *more)
    if before:
        command = ("bash", "-c", f'{before}; exec "$@"', "bash", *command)
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )


def finished(
    source: Path, out: Path, *more: str, before: str = ""
) -> "subprocess.CompletedProcess[str]":
    process = started(source, out, *more, before=before)
    told, errors = process.communicate(timeout=SECONDS)
    return subprocess.CompletedProcess(process.args, process.returncode, told, errors)


def until(what: Callable[[], object], process: "subprocess.Popen[str]") -> None:
    """Wait until something is true; a process that ends before is a fault of the test."""
    end = time.monotonic() + SECONDS
    while not what():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end
        time.sleep(0.01)


def parts_done(out: Path) -> int:
    return len(list(out.glob("work/*.counts.json")))


def begun(out: Path) -> bool:
    """Tell whether a worker is in the middle of a part, after some that are done."""
    return parts_done(out) > 0 and any(out.glob("work/.*.careplans.ndjson.*"))


def workers_of(pid: int) -> list[int]:
    """Return the processes below one that work on parts."""
    found = []
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text("utf-8").split():
        command = Path(f"/proc/{child}/cmdline").read_bytes()
        if b"resource_tracker" not in command:
            found.append(int(child))
    return found


def gone(pid: int) -> bool:
    """Tell whether a process does not run any more, whether or not somebody has waited for it."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text("utf-8")
    except OSError:
        return True
    return stat.rpartition(")")[2].split()[0] in ("Z", "X")


@pytest.mark.slow
@pytest.mark.parametrize(("workers", "start"), [("2", "spawn"), ("3", "forkserver"), ("2", "fork")])
def test_the_bytes_do_not_depend_on_the_processes(
    source: Path, expected: dict[str, bytes], tmp_path: Path, workers: str, start: str
) -> None:
    out = tmp_path / "out"
    done = finished(source, out, "--workers", workers, "--start-method", start)
    assert done.returncode == 0, done.stderr
    assert files(out) == expected


@pytest.mark.slow
@pytest.mark.parametrize("start", ["spawn", "fork"])
def test_a_worker_that_is_killed_costs_nothing(
    source: Path, expected: dict[str, bytes], tmp_path: Path, start: str
) -> None:
    out = tmp_path / "out"
    process = started(source, out, "--workers", "2", "--start-method", start)
    for _ in range(2):
        before = parts_done(out)
        until(lambda now=before: parts_done(out) > now and begun(out), process)  # type: ignore[misc]
        os.kill(workers_of(process.pid)[0], signal.SIGKILL)
    _, errors = process.communicate(timeout=SECONDS)
    assert process.returncode == 0, errors
    assert files(out) == expected


@pytest.mark.slow
@pytest.mark.parametrize("start", ["spawn", "forkserver", "fork"])
def test_a_run_that_is_killed_goes_on(
    source: Path, expected: dict[str, bytes], tmp_path: Path, start: str
) -> None:
    out = tmp_path / "out"
    process = started(source, out, "--workers", "2", "--start-method", start)
    until(lambda: begun(out), process)
    workers = workers_of(process.pid)
    process.kill()
    process.communicate(timeout=SECONDS)
    done_before = parts_done(out)
    assert done_before > 0
    done = finished(source, out, "--workers", "2", "--resume")
    assert done.returncode == 0, done.stderr
    assert files(out) == expected
    assert all(gone(worker) for worker in workers)


@pytest.mark.slow
def test_ctrl_c_leaves_a_state(source: Path, expected: dict[str, bytes], tmp_path: Path) -> None:
    out = tmp_path / "out"
    process = started(source, out, "--workers", "2")
    until(lambda: begun(out), process)
    os.killpg(process.pid, signal.SIGINT)
    told, errors = process.communicate(timeout=SECONDS)
    assert (process.returncode, told) == (130, "")
    assert errors == f"\nStopped. What is done is kept in `{out}`; `--resume` goes on.\n"
    assert finished(source, out, "--resume").returncode == 0
    assert files(out) == expected


@pytest.mark.slow
def test_a_full_disk_is_told_and_the_run_goes_on(
    source: Path, expected: dict[str, bytes], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    done = finished(source, out, "--workers", "2", before="ulimit -f 40")
    assert done.returncode == 1
    assert done.stderr.startswith(f"error: The run in `{out}` has stopped: {out}")
    assert done.stderr.endswith(": File too large. What is done is kept; `--resume` goes on.\n")
    assert finished(source, out, "--resume").returncode == 0
    assert files(out) == expected


REFUSED = [
    ((), "expected a folder that is empty or not there."),
    (("--resume", "--limit", "3"), "not the same: `limit`."),
    (("--resume", "--explain", "full", "--format", "transaction"), "`format`, `explain`, `limit`."),
]


def test_another_run_is_not_taken_for_this_one(source: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert finished(source, out, "--limit", "2").returncode == 0
    before = files(out)
    for more, reason in REFUSED:
        done = finished(source, out, *more)
        assert (done.returncode, done.stdout) == (1, "")
        assert reason in done.stderr
    with (source / "Patient.ndjson").open("a") as file:
        file.write("\n")
    done = finished(source, out, "--resume", "--limit", "2")
    assert "not the same: `input`." in done.stderr
    assert files(out) == before
