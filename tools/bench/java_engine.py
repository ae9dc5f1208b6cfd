"""`make bench-java`: `$apply` beside the Java engine, on two plans that both can apply.

The engine is `org.opencds.cqf.fhir:cqf-fhir-cr` from Maven Central, which explains nothing and
checks nothing of the form of what it reads; so ours is timed without explanations as well as with
the page that it gives by default, and with the structure check.  Plans are loaded beforehand in
both, the data come with each call.  Medians of processor time of one thread, both engines warm, in
the same run.  The trees of actions that came out are compared before anything is printed.
"""

import gc
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).parent))

from apply_case import bundle, definitions

from carepath.apply import ApplyRequest, apply_plan, warm
from carepath.formats.json import decode, encode
from carepath.knowledge import Knowledge
from carepath.record import Record
from carepath.validation import check_structure

Json = dict[str, Any]
Tree = list[Any]

HERE = Path(__file__).parent
JAVA = HERE / "java"
SUITES = (HERE.parents[1] / ".suites", HERE.parents[1] / "../shared/suites")
KDN5 = "fhir-r4-examples/plandefinition-example-kdn5-simplified.json"
NOW = datetime.fromisoformat("2026-03-31T09:15:00+04:00")
WARM, EACH, ROUNDS = 300, 200, 5


class Case(NamedTuple):
    """A plan, its definitions and what it is applied to."""

    name: str
    definitions: list[Json]
    plan: str
    subject: str
    data: bytes


def main() -> int:
    """Print a line for each plan; the exit code tells whether the trees agree."""
    build()
    found = [compared(case) for case in (kdn5(), without_expressions())]
    return 0 if all(found) else 1


def build() -> None:
    """Compile the Java class and fetch the engine, once."""
    source = JAVA / "src/main/java/carepath/Apply.java"
    made = JAVA / "target/classes/carepath/Apply.class"
    if not made.exists() or made.stat().st_mtime < source.stat().st_mtime:
        goals = ["compile", "dependency:copy-dependencies", "-DoutputDirectory=target/lib"]
        subprocess.run(["mvn", "-q", "-B", "-f", str(JAVA / "pom.xml"), *goals], check=True)


def kdn5() -> Case:
    """Return the official example, with the kinds that its activities lack and Java needs."""
    path = next((suite / KDN5 for suite in SUITES if (suite / KDN5).exists()), None)
    if path is None:
        raise SystemExit("the official examples are not here: run `make suites`")
    plan = json.loads(path.read_text("utf-8"))
    for activity in plan["contained"]:
        if activity["resourceType"] == "ActivityDefinition":
            activity["kind"] = "MedicationRequest"
    patient = {"resourceType": "Patient", "id": "p", "gender": "female", "birthDate": "1961-02-03"}
    data = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": patient}]}
    return Case("KDN5, 2 requests", [plan], plan["id"], "Patient/p", encode(data))


def without_expressions() -> Case:
    """Return the plan of `make bench-apply` without conditions and values: CQL is Java's way."""
    made = [_plain(definition) for definition in definitions()]
    kept = [one for one in made if one["resourceType"] != "Library"]
    return Case("40 actions, 30 requests", kept, "bench", _subject(), bundle())


def _subject() -> str:
    entries = decode(bundle())["entry"]
    patient = next(e["resource"] for e in entries if e["resource"]["resourceType"] == "Patient")
    return f"Patient/{patient['id']}"


def _plain(value: Any) -> Any:
    """Return a definition without what needs an expression."""
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    if isinstance(value, dict):
        left_out = ("condition", "dynamicValue", "library")
        return {name: _plain(inner) for name, inner in value.items() if name not in left_out}
    return value


def compared(case: Case) -> bool:
    """Time both, print how they compare, return whether they made the same tree of actions."""
    ours = _ours(case)
    theirs, answer = _java(case)
    agree = tree(answer) == tree(decode(ours["answer"]()))
    print(f"{case.name}: trees of actions {'agree' if agree else 'DIFFER'}")
    for name, of_java in (
        ("resources in and out", theirs[0]),
        ("bytes in and out", theirs[1]),
        ("bytes in and out, structure checked", theirs[1]),
        ("bytes in and out, structure checked, explained", theirs[1]),
    ):
        mine = _milliseconds(ours[name])
        print(f"    {name:48} {mine:6.3f} ms, Java {of_java:6.3f} ms: {of_java / mine:.1f}x")
    return agree


def _ours(case: Case) -> dict[str, Callable[[], Any]]:
    knowledge = Knowledge.of(case.definitions)
    warm(knowledge)
    plan, data = knowledge.plan(case.plan), decode(case.data)

    def applied(given: Json, explain: str = "none") -> Json:
        request = ApplyRequest(plan, Record.of(given), NOW, subject=case.subject, explain=explain)
        return apply_plan(request, knowledge).care_plan()

    def checked(explain: str = "none") -> bytes:
        given = decode(case.data)
        check_structure(given, lenient=True)
        return encode(applied(given, explain))

    return {
        "answer": lambda: encode(applied(data, "full")),
        "resources in and out": lambda: applied(data),
        "bytes in and out": lambda: encode(applied(decode(case.data))),
        "bytes in and out, structure checked": checked,
        "bytes in and out, structure checked, explained": lambda: checked("brief"),
    }


def _milliseconds(work: Callable[[], Any]) -> float:
    """Return the median of some rounds, with the collector set as the service sets it."""
    for _ in range(WARM):
        work()
    gc.collect()
    gc.freeze()
    found = []
    for _ in range(ROUNDS):
        start = time.process_time()
        for _ in range(EACH):
            work()
        found.append((time.process_time() - start) * 1000 / EACH)
    gc.unfreeze()
    return median(found)


def _java(case: Case) -> tuple[tuple[float, float], Json]:
    with tempfile.TemporaryDirectory() as folder:
        known, data = Path(folder) / "definitions.json", Path(folder) / "data.json"
        entries = [{"resource": definition} for definition in case.definitions]
        known.write_bytes(
            encode({"resourceType": "Bundle", "type": "collection", "entry": entries})
        )
        data.write_bytes(case.data)
        command = ["java", "-cp", f"{JAVA}/target/classes:{JAVA}/target/lib/*", "carepath.Apply"]
        run = subprocess.run(
            [*command, str(known), str(data), case.plan, case.subject],
            check=True, capture_output=True, text=True,
        )  # fmt: skip
    times, answer = run.stdout.strip().split("\n", 1)
    whole, in_bytes = map(float, times.split())
    return (whole, in_bytes), json.loads(answer)


def tree(care_plan: Json) -> Tree:
    """Return the titles of the actions as a tree, with the type of the request of each.

    A nested group stands inside with us and is referred to there: both are the same tree.
    """
    contained = {f"#{one['id'].lstrip('#')}": one for one in care_plan.get("contained", [])}

    def of(actions: list[Json]) -> Tree:
        return [branch for action in actions for branch in _branch(action, contained, of)]

    groups = [_group(activity, contained) for activity in care_plan.get("activity", [])]
    return [of(group.get("action", [])) for group in groups if group]


def _branch(action: Json, contained: dict[str, Json], of: Callable[[list[Json]], Tree]) -> Tree:
    target = _referred(action.get("resource", {}), contained)
    inner = of(action.get("action", []))
    kind = target.get("resourceType", "")
    if kind == "RequestGroup":
        kind, inner = "", [*inner, *of(target.get("action", []))]
    return [[action.get("title") or action.get("textEquivalent") or "", kind, inner]]


def _group(activity: Json, contained: dict[str, Json]) -> Json:
    return _referred(activity.get("reference", {}), contained)


def _referred(reference: Json, contained: dict[str, Json]) -> Json:
    name = reference.get("reference", "")
    return contained.get(f"#{name.rpartition('/')[2].lstrip('#')}", {})


if __name__ == "__main__":
    sys.exit(main())
