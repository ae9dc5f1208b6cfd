"""`make bench-http`: `$apply` of a 20-entry Bundle next to a bare view that reads the same bytes.

Both run under the same gunicorn, in turns, several rounds; the best round of each counts, since
the machine may do other work.  Requests per second of server CPU are shown as well: they hardly
depend on what else runs.  The load comes from wrk when it is installed, else from a small
generator of our own, which is named in the output.
"""

import argparse
import http.client
import json
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

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
EXAMPLES = ROOT / "../shared/suites/fhir-r4-examples"
PLAN = "mst-pathway"
ENTRIES = 20
WARM_UP_SECONDS = 2
FURTHER = (
    "observation-example-bloodpressure",
    "observation-example-haemoglobin",
    "observation-example-bmi",
    "diagnosticreport-example-f201-brainct",
    "encounter-example-f001-heart",
    "procedure-example-biopsy",
    "careplan-example",
    "condition-example-stroke",
    "allergyintolerance-example",
    "observation-example-f001-glucose",
    "immunization-example",
    "familymemberhistory-example",
    "specimen-example",
)
SUBJECTS = ("subject", "patient", "beneficiary")


@dataclass(frozen=True)
class Round:
    """One measurement."""

    rate: float
    per_cpu_second: float
    p50: float
    p99: float


def bundle() -> bytes:
    """Return 20 entries: an example of the project and official examples about the same patient."""
    found = json.loads((ROOT / "examples/mcode-collection.json").read_text("utf-8"))
    entries = found["entry"]
    patient = next(e["resource"] for e in entries if e["resource"]["resourceType"] == "Patient")
    reference = {"reference": f"Patient/{patient['id']}"}
    for name in FURTHER:
        path = EXAMPLES / f"{name}.json"
        if len(entries) == ENTRIES or not path.exists():
            continue
        resource = json.loads(path.read_text("utf-8"))
        resource |= {key: reference for key in SUBJECTS if key in resource}
        entries.append({"resource": resource})
    copies = [e for e in entries if e["resource"]["resourceType"] == "Observation"]
    for number in range(ENTRIES - len(entries)):
        again = copies[number % len(copies)]["resource"]
        entries.append({"resource": {**again, "id": f"copy-{number}"}})
    return json.dumps(found, ensure_ascii=False).encode()


@contextmanager
def running(command: list[str], ready: str) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a server until the block ends."""
    settings = {"CAREPATH_LOG_LEVEL": "error"}
    process = subprocess.Popen(command, env={**os.environ, **settings}, stderr=subprocess.DEVNULL)
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


def measure(
    process: "subprocess.Popen[bytes]", url: str, body: Path, seconds: int, connections: int
) -> Round:
    """Load one server and return what it did."""
    load = with_wrk if shutil.which("wrk") else with_own_generator
    before = cpu_seconds(process)
    count, rate, p50, p99 = load(url, body, seconds, connections)
    spent = cpu_seconds(process) - before
    return Round(rate, count / spent if spent else 0.0, p50, p99)


def with_wrk(
    url: str, body: Path, seconds: int, connections: int
) -> tuple[int, float, float, float]:
    """Return requests, requests per second, p50 and p99 in ms, as wrk counts them."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency"]
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
    """Measure both servers and print the table; the last line is the ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=6, help="length of one round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--connections", type=int, default=16)
    options = parser.parse_args()
    data = bundle()
    rounds, answered = compare(data, options.seconds, options.rounds, options.connections)
    report(rounds, len(data), answered, options.connections)
    return 0


def compare(
    data: bytes, seconds: int, count: int, connections: int
) -> tuple[dict[str, list[Round]], int]:
    """Load the bare view and the service in turns; return the rounds and the answer's size."""
    ports = free_port(), free_port()
    bare_command = [sys.executable, str(HERE / "http_bare.py"), str(ports[0])]
    apply_command = [sys.executable, "-m", "carepath", "serve", "--port", str(ports[1])]
    echo = f"http://127.0.0.1:{ports[0]}/echo"
    apply = f"http://127.0.0.1:{ports[1]}/fhir/PlanDefinition/{PLAN}/$apply"
    with (
        tempfile.NamedTemporaryFile(suffix=".json") as file,
        running(bare_command, echo) as bare_server,
        running(apply_command, f"http://127.0.0.1:{ports[1]}/readyz") as service,
    ):
        file.write(data)
        file.flush()
        body = Path(file.name)
        answer = httpx.post(apply, content=data, headers={"Content-Type": "application/fhir+json"})
        answer.raise_for_status()
        targets = {"bare": (bare_server, echo), "apply": (service, apply)}
        for server, url in targets.values():
            measure(server, url, body, WARM_UP_SECONDS, connections)
        rounds: dict[str, list[Round]] = {name: [] for name in targets}
        for _ in range(count):
            for name, (server, url) in targets.items():
                rounds[name].append(measure(server, url, body, seconds, connections))
    return rounds, len(answer.content)


def report(rounds: dict[str, list[Round]], sent: int, answered: int, connections: int) -> None:
    """Print the table and the ratio."""
    tool = "wrk" if shutil.which("wrk") else "own load generator (wrk is not installed)"
    print(f"{ENTRIES} entries, {sent} bytes in, CarePlan of {answered} bytes out")
    print(f"{connections} connections, load by {tool}, best of {len(rounds['bare'])} rounds\n")
    print(f"{'':8}{'req/s':>10}{'req/CPU-s':>12}{'p50 ms':>10}{'p99 ms':>10}{'p99/p50':>10}")
    best = {name: max(several, key=lambda r: r.rate) for name, several in rounds.items()}
    for name, one in best.items():
        print(
            f"{name:8}{one.rate:10.0f}{one.per_cpu_second:12.0f}"
            f"{one.p50:10.1f}{one.p99:10.1f}{one.p99 / one.p50:10.1f}"
        )
    by_cpu = best["apply"].per_cpu_second / best["bare"].per_cpu_second
    print(f"\nby CPU time: {by_cpu:.2f}x")
    print(f"apply {best['apply'].rate / best['bare'].rate:.2f}x of bare")


if __name__ == "__main__":
    sys.exit(main())
