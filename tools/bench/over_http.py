"""`make bench-http`: `$apply` of a 20-entry Bundle next to a bare view that reads the same bytes.

The last line compares the plan that `make bench-apply` measures as well: 40 nested actions and
110 expressions.  The clinical pathways, whose facts are far more work, stand beside it.  All run
under the same gunicorn, one worker on one core and the load on another, in turns, many short
rounds; the best round of each counts, since the machine may do other work.  Requests per second of
server CPU are shown as well.  The load comes from wrk when it is installed, else from a small
generator of our own, which is named in the output.
"""

import argparse
import http.client
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import quantiles

import httpx

sys.path.insert(0, str(Path(__file__).parent))

from http_cases import Case, cases, write_definitions

HERE = Path(__file__).parent
WARM_UP_SECONDS = 2


@dataclass(frozen=True)
class Round:
    """One measurement."""

    rate: float
    per_cpu_second: float
    p50: float
    p99: float


@contextmanager
def running(command: list[str], ready: str) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a server until the block ends."""
    settings = {"CAREPATH_LOG_LEVEL": "error", "CAREPATH_WORKERS": "1"}
    process = subprocess.Popen(
        [*on_core(0), *command], env={**os.environ, **settings}, stderr=subprocess.DEVNULL
    )
    try:
        for _ in range(200):
            try:
                httpx.get(ready, timeout=2)
                break
            except httpx.TransportError:
                time.sleep(0.05)
        yield process
    finally:
        process.terminate()
        process.wait(30)


def on_core(number: int) -> list[str]:
    """Return what keeps a command on one core: server and load must not take turns on one."""
    return ["taskset", "-c", str(number)] if shutil.which("taskset") else []


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def cpu_seconds(process: "subprocess.Popen[bytes]") -> float:
    """Return the CPU time of a server's workers so far."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text("utf-8").split()
    ticks = 0
    for child in children:
        fields = Path(f"/proc/{child}/stat").read_text("utf-8").rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def measure(target: "Target", body: Path, seconds: int, connections: int) -> Round:
    """Load one server and return what it did."""
    load = with_wrk if shutil.which("wrk") else with_own_generator
    before = cpu_seconds(target.process)
    count, rate, p50, p99 = load(target.url, body, seconds, connections)
    spent = cpu_seconds(target.process) - before
    return Round(rate, count / spent if spent else 0.0, p50, p99)


def with_wrk(
    url: str, body: Path, seconds: int, connections: int
) -> tuple[int, float, float, float]:
    """Return requests, requests per second, p50 and p99 in ms, as wrk counts them."""
    command = [*on_core(1), "wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency"]
    done = subprocess.run(
        [*command, "-s", str(HERE / "http_post.lua"), url],
        env={**os.environ, "BENCH_BODY": str(body)},
        capture_output=True,
        text=True,
        check=True,
    )
    if "Non-2xx" in done.stdout:
        raise SystemExit(f"not every answer was 200:\n{done.stdout}")
    count = int(_found(r"(\d+) requests in", done.stdout)[1])
    rate = float(_found(r"Requests/sec:\s+([\d.]+)", done.stdout)[1])
    return count, rate, _latency(done.stdout, 50), _latency(done.stdout, 99)


def _latency(output: str, percent: int) -> float:
    found = _found(rf"{percent}%\s+([\d.]+)(us|ms|s)", output)
    return float(found[1]) * {"us": 0.001, "ms": 1.0, "s": 1000.0}[found[2]]


def _found(pattern: str, text: str) -> "re.Match[str]":
    match = re.search(pattern, text)
    if match is None:
        raise SystemExit(f"wrk said something else than expected:\n{text}")
    return match


def with_own_generator(
    url: str, body: Path, seconds: int, connections: int
) -> tuple[int, float, float, float]:
    """Return the same figures from threads of our own, which take CPU time themselves."""
    data, times = body.read_bytes(), list[float]()
    host, _, path = url.removeprefix("http://").partition("/")
    end = time.perf_counter() + seconds

    def work() -> None:
        connection = http.client.HTTPConnection(host)
        headers = {"Content-Type": "application/fhir+json"}
        while time.perf_counter() < end:
            started = time.perf_counter()
            connection.request("POST", f"/{path}", data, headers)
            answer = connection.getresponse()
            answer.read()
            if answer.status != 200:
                raise SystemExit(f"an answer was {answer.status}")
            times.append((time.perf_counter() - started) * 1000)

    threads = [threading.Thread(target=work) for _ in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    cuts = quantiles(times, n=100)
    return len(times), len(times) / seconds, cuts[49], cuts[98]


def main() -> int:
    """Measure each Bundle at the bare view and at its plans; the last line is the ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=1, help="length of one round")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--connections", type=int, default=16)
    options = parser.parse_args()
    tool = "wrk" if shutil.which("wrk") else "own load generator (wrk is not installed)"
    print(f"{options.connections} connections, load by {tool}, best of {options.rounds} rounds")
    ratios = []
    with tempfile.TemporaryDirectory() as folder, servers(Path(folder)) as (bare, service):
        for case in cases():
            body = Path(folder) / "body.json"
            body.write_bytes(case.body)
            targets = {"bare": bare, **{plan: service.at(plan) for plan in case.plans}}
            rounds = compare(targets, body, options)
            ratios += report(case, rounds, {p: size(service.at(p), body) for p in case.plans})
    print(f"\napply {ratios[0]:.2f}x of bare")
    return 0


@dataclass(frozen=True)
class Target:
    """A URL of a server that runs."""

    process: "subprocess.Popen[bytes]"
    url: str

    def at(self, plan: str) -> "Target":
        """Return where a plan is applied."""
        return Target(self.process, f"{self.url}/PlanDefinition/{plan}/$apply")


@contextmanager
def servers(folder: Path) -> Iterator[tuple[Target, Target]]:
    """Run the bare view and the service, which also knows the benchmark's own plan."""
    content = folder / "content"
    content.mkdir()
    write_definitions(content)
    ports = free_port(), free_port()
    echo, base = (f"http://127.0.0.1:{ports[0]}/echo", f"http://127.0.0.1:{ports[1]}/fhir")
    bare_command = [sys.executable, str(HERE / "http_bare.py"), str(ports[0])]
    command = [sys.executable, "-m", "carepath", "serve", "--port", str(ports[1])]
    command += ["--content", str(content)]
    with running(bare_command, echo) as bare, running(command, f"{base}/metadata") as service:
        yield Target(bare, echo), Target(service, base)


def compare(
    targets: dict[str, Target], body: Path, options: argparse.Namespace
) -> dict[str, list[Round]]:
    """Load the targets in turns, several rounds each."""
    for target in targets.values():
        measure(target, body, WARM_UP_SECONDS, options.connections)
    rounds: dict[str, list[Round]] = {name: [] for name in targets}
    for _ in range(options.rounds):
        for name, target in targets.items():
            rounds[name].append(measure(target, body, options.seconds, options.connections))
    return rounds


def size(target: Target, body: Path) -> int:
    """Return how large an answer is."""
    headers = {"Content-Type": "application/fhir+json"}
    answer = httpx.post(target.url, content=body.read_bytes(), headers=headers)
    return len(answer.raise_for_status().content)


def report(case: Case, rounds: dict[str, list[Round]], sizes: dict[str, int]) -> list[float]:
    """Print the table of one Bundle; return how each plan compares with the bare view."""
    print(f"\n{case.name}, {len(case.body)} bytes")
    columns = ("answer B", "req/s", "req/CPU-s", "p50 ms", "p99 ms", "p99/p50", "of bare")
    print(f"{'':13}" + "".join(f"{column:>11}" for column in columns))
    best = {name: max(several, key=lambda r: r.rate) for name, several in rounds.items()}
    for name, one in best.items():
        print(
            f"{name:13}{sizes.get(name, len(case.body)):11}{one.rate:11.0f}"
            f"{one.per_cpu_second:11.0f}{one.p50:11.1f}{one.p99:11.1f}{one.p99 / one.p50:11.1f}"
            f"{one.rate / best['bare'].rate:10.2f}x"
        )
    return [best[plan].rate / best["bare"].rate for plan in case.plans]


if __name__ == "__main__":
    sys.exit(main())
