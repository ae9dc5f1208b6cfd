"""`make bench-population`: many patients end to end, beside the floor and beside Spark.

    python tools/bench/population.py [--patients 1000 10000 ...] [--full 20000] [--without-spark]

Synthetic patients of 20 resources each, as an export by type. In turns, in processes of their own:

- the floor: reading, sorting by patient, reading back and writing, and no plan applied,
- one machine: `carepath apply-many` with two workers,
- Spark: the same with `--engine spark --master local[2,4]`.

Memory is the largest sum of what all processes of a run hold (proportional, so that shared pages
count once); processor time is that of all of them.  The machine may do other work: how many
processors a run got is shown.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from carepath.apply import warm
from carepath.knowledge import Knowledge
from carepath.population.distribute import distribute
from carepath.population.one_patient import How, answer
from carepath.population.output import beside
from carepath.population.partition import Part, count_for, part_file
from carepath.population.people.description import people_of
from carepath.population.sources.files import input_of

NOW = people_of(None).now
RESOURCES = "20"
SAMPLE = 500
CAREPATH = (sys.executable, "-m", "carepath")
TICKS = os.sysconf("SC_CLK_TCK")
MEGABYTE = 1_000_000


class Measured(NamedTuple):
    """What a run took."""

    seconds: float
    cpu: float
    peak: int


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--patients", type=int, nargs="*", default=[1_000, 10_000])
    parser.add_argument("--full", type=int, default=20_000)
    parser.add_argument("--without-spark", action="store_true")
    parser.add_argument("--floor", nargs=2, metavar=("INPUT", "WORK"), help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.floor:
        return floor(*map(Path, asked.floor))
    print("| patients | run | seconds | patients/s | processor ms/patient | processors | peak MB |")
    print("|---|---|---|---|---|---|---|")
    for count in [*asked.patients, asked.full]:
        with tempfile.TemporaryDirectory() as folder:
            every(count, Path(folder), spark=count == asked.full and not asked.without_spark)
    return 0


def every(count: int, folder: Path, *, spark: bool) -> None:
    """Measure all runs over so many patients, and print a line of each."""
    source = folder / "in"
    make = ("make-patients", str(count), "--form", "export", "--resources", RESOURCES)
    subprocess.run([*CAREPATH, *make, "--out", str(source)], check=True)
    own = (sys.executable, __file__, "--floor", str(source), str(folder / "floor"))
    tell(count, "floor", measured(own))
    many = (*CAREPATH, "apply-many", str(source), "--now", NOW)
    local = measured((*many, "--out", str(folder / "local"), "--workers", "2"))
    tell(count, "one machine, two workers", local)
    applying, patients = applied(source, folder / "sample")
    print(f"| {count} | applying alone, {patients} patients | | | {applying:.2f} | | |")
    overhead = local.cpu / count * 1000 - applying
    print(f"| {count} | all but applying | | | {overhead:.2f} | | |", flush=True)
    if spark:
        out = folder / "spark"
        options = ("--engine", "spark", "--master", "local[2,4]", "--out", str(out))
        tell(count, "Spark, `local[2,4]`", measured((*many, *options)))
        same = all(
            (out / name).read_bytes() == (folder / "local" / name).read_bytes()
            for name in ("careplans.ndjson", "decisions.parquet", "summary.json", "errors.ndjson")
        )
        print(f"\nThe output of both engines is {'the same' if same else 'NOT THE SAME'}.")


def tell(count: int, name: str, found: Measured) -> None:
    cells = (
        f"{found.seconds:.1f}",
        f"{count / found.seconds:.0f}",
        f"{found.cpu / count * 1000:.2f}",
        f"{found.cpu / found.seconds:.2f}",
        f"{found.peak / MEGABYTE:.0f}",
    )
    print(f"| {count} | {name} | {' | '.join(cells)} |", flush=True)


def measured(command: Sequence[str]) -> Measured:
    """Run a command, looking at all its processes several times a second."""
    start = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    used: dict[int, float] = {}
    peak = 0
    while process.poll() is None:
        held = 0
        for number in family(process.pid):
            try:
                used[number] = max(used.get(number, 0.0), cpu_of(number))
                held += memory_of(number)
            except OSError:
                continue  # It has just ended.
        peak = max(peak, held)
        time.sleep(0.2)
    seconds = time.monotonic() - start
    if process.returncode:
        told = process.stderr.read().decode() if process.stderr else ""
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}: {told}")
    return Measured(seconds, sum(used.values()), peak)


def family(root: int) -> Iterator[int]:
    """Yield a process and all that descend from it."""
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "stat").read_text("utf-8").rpartition(")")[2].split()
            except OSError:
                continue
            parents[int(entry.name)] = int(words[1])
    found = {root}
    while fresh := {n for n, parent in parents.items() if parent in found} - found:
        found |= fresh
    yield from found


def cpu_of(number: int) -> float:
    words = Path(f"/proc/{number}/stat").read_text("utf-8").rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / TICKS


def memory_of(number: int) -> int:
    lines = Path(f"/proc/{number}/smaps_rollup").read_text("utf-8").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))


def floor(source: Path, work: Path) -> int:
    """Read, sort, read back and write, and apply nothing."""
    found = input_of(source)
    work.mkdir()
    count = count_for(found.size)
    distribute(found, work, count)
    files = tuple((file.name, file.base) for file in found.files)
    with beside(work / "out.ndjson") as out:
        for number in range(count):
            if part_file(work, number).exists():
                with Part(part_file(work, number), files) as part:
                    for patient in part.patients:
                        out.writelines(line.data + b"\n" for line in part.lines(patient))
    return 0


def applied(source: Path, work: Path) -> tuple[float, int]:
    """Return the processor time of a patient who is only applied to, in ms, and of how many."""
    found = input_of(source)
    work.mkdir()
    distribute(found, work, count_for(found.size))
    knowledge = Knowledge.shipped()
    warm(knowledge)
    how = How(plans=("mst-pathway",), now=datetime.fromisoformat(NOW))
    files = tuple((file.name, file.base) for file in found.files)
    done, used = 0, 0.0
    for file in sorted(work.glob("*.part")):
        with Part(file, files) as part:
            for patient in part.patients:
                lines = list(part.lines(patient))
                start = time.process_time()
                answer(patient.key, lines, how, knowledge)
                used += time.process_time() - start
                done += 1
                if done >= SAMPLE:
                    shutil.rmtree(work)
                    return used / done * 1000, done
    shutil.rmtree(work)
    return used / max(done, 1) * 1000, done


if __name__ == "__main__":
    sys.exit(main())
