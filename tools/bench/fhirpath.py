"""Measure the expression engine next to fhirpath.js 5.2.2 and fhirpathpy, in one run.

python tools/bench/fhirpath.py [SUITE]

The engines run one after another, best of several rounds each.  Needs node and npm; the two
others are installed into a folder of their own under `.bench/`.  Ends with
`geomean R x fhirpath.js`: how many times faster than it, over the expressions of the suite.
"""

import json
import math
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
SUITE = ROOT / "../shared/suites/fhirpath-speed"
WORK = ROOT / ".bench"
ROUNDS = 5
SLICE = 0.05

PEER = """
import json, sys, time
from fhirpathpy import compile
from fhirpathpy.models import models
suite, rounds = sys.argv[1], int(sys.argv[2])
bundle = json.load(open(suite + "/bundle50.json"))
first = lambda t: next(e["resource"] for e in bundle["entry"] if e["resource"]["resourceType"] == t)
contexts = {"bundle": bundle, "condition": first("Condition"), "patient": first("Patient")}
result = {}
for name, context, text in json.load(open(suite + "/exprs.json")):
    resource = contexts[context]
    run = compile(text, models["r4"])
    try:
        answer = run(resource, {"resource": resource})
    except Exception as error:
        result[name] = {"error": type(error).__name__}
        continue
    best = 1e9
    for _ in range(rounds):
        start, count = time.perf_counter(), 0
        while time.perf_counter() - start < 0.05:
            run(resource, {"resource": resource})
            count += 1
        best = min(best, (time.perf_counter() - start) / count * 1e6)
    result[name] = {"answer": [str(a) if not isinstance(a, (bool, int, float, str)) else a
                               for a in answer], "micros": best}
print(json.dumps(result))
"""


def expressions(suite: Path) -> list[tuple[str, str, str]]:
    """Return name, context and text of each expression."""
    return [(n, c, t) for n, c, t in json.loads((suite / "exprs.json").read_text("utf-8"))]


def ours(suite: Path) -> dict[str, dict[str, Any]]:
    """Time this engine."""
    from carepath.fhirpath import Environment, compile_expression  # noqa: PLC0415

    bundle = json.loads((suite / "bundle50.json").read_text("utf-8"), parse_float=Decimal)
    contexts = {"bundle": bundle}
    for name in ("Condition", "Patient"):
        entries = (entry["resource"] for entry in bundle["entry"])
        contexts[name.lower()] = next(r for r in entries if r["resourceType"] == name)
    result = {}
    for name, context, text in expressions(suite):
        resource = contexts[context]
        environment = Environment(now=datetime.now(UTC), resource=resource)
        expression = compile_expression(text)
        result[name] = {
            "answer": [_plain(v) for v in expression.evaluate(resource, environment)],
            "micros": best_of(lambda e=expression, r=resource, v=environment: e.evaluate(r, v)),
            "compile": best_of(lambda t=text: compile_expression(t)),
        }
    return result


def _plain(value: Any) -> Any:
    return value if isinstance(value, bool | int | str) else str(value)


def best_of(run: Callable[[], Any]) -> float:
    """Return the microseconds of one call, best of several rounds."""
    best = math.inf
    for _ in range(ROUNDS):
        start, count = time.perf_counter(), 0
        while (spent := time.perf_counter() - start) < SLICE:
            for _ in range(20):
                run()
            count += 20
        best = min(best, spent / count * 1e6)
    return best


def javascript(suite: Path) -> dict[str, dict[str, Any]]:
    """Install fhirpath.js once and time it."""
    folder = WORK / "js"
    if not (folder / "node_modules" / "fhirpath").exists():
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(HERE / "fhirpath_js" / "package.json", folder)
        subprocess.run(
            ["npm", "install", "--no-audit", "--no-fund", "--silent"], cwd=folder, check=True
        )
    script = HERE / "fhirpath_js" / "bench.js"
    return _answer(["node", str(script), str(suite), str(folder / "node_modules"), str(ROUNDS)])


def peer(suite: Path) -> dict[str, dict[str, Any]]:
    """Install fhirpathpy once, into an environment of its own, and time it."""
    folder = WORK / "fhirpathpy"
    python = folder / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "-q", "fhirpathpy==2.2.4"], check=True)
    return _answer([str(python), "-c", PEER, str(suite), str(ROUNDS)])


def _answer(command: list[str]) -> dict[str, dict[str, Any]]:
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=os.environ)
    answer: dict[str, dict[str, Any]] = json.loads(done.stdout)
    return answer


def geomean(ratios: list[float]) -> float:
    """Return the geometric mean."""
    return math.exp(sum(map(math.log, ratios)) / len(ratios))


def main() -> int:
    """Run the three engines and print the table."""
    suite = Path(sys.argv[1] if len(sys.argv) > 1 else SUITE).resolve()
    mine, script, python = ours(suite), javascript(suite), peer(suite)
    print(
        f"{'expression':<20}{'carepath':>10}{'fhirpath.js':>13}{'ratio':>8}{'fhirpathpy':>12}{'ratio':>8}"
    )
    wrong = [n for n in mine if mine[n]["answer"] != script[n]["answer"]]
    over_script, over_python = [], []
    for name, row in mine.items():
        over_script.append(script[name]["micros"] / row["micros"])
        other = python[name].get("micros")
        if other:
            over_python.append(other / row["micros"])
        tail = f"{other:>12.1f}{other / row['micros']:>8.1f}" if other else f"{'error':>12}"
        print(
            f"{name:<20}{row['micros']:>10.1f}{script[name]['micros']:>13.1f}"
            f"{over_script[-1]:>8.2f}{tail}"
        )
    per_second = 1e6 / (sum(row["compile"] for row in mine.values()) / len(mine))
    print("microseconds per evaluation, best of", ROUNDS)
    for name in wrong:
        print(f"different answers: {name}: {mine[name]['answer']} and {script[name]['answer']}")
    agreed = sum(python[n].get("answer") == mine[n]["answer"] for n in mine)
    print(
        f"answers: {len(mine) - len(wrong)} of {len(mine)} as fhirpath.js, {agreed} as fhirpathpy"
    )
    print(f"parse and compile: {per_second:,.0f} per second")
    print(f"geomean {geomean(over_python):.1f} x fhirpathpy")
    print(f"geomean {geomean(over_script):.2f} x fhirpath.js")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
