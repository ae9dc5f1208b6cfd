"""Small populations as files: lines of resources, of an example or of a case."""

import gzip
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from carepath.knowledge import Knowledge
from carepath.population.distribute import distribute
from carepath.population.one_patient import How
from carepath.population.output import CAREPLANS, ERRORS, result_file
from carepath.population.part_work import Job, do_part
from carepath.population.partition import part_file
from carepath.population.sources.files import input_of

EXAMPLE = Path(__file__).parents[2] / "examples/mcode-collection.json"
NOW = datetime(2026, 11, 1, tzinfo=UTC)
PARTS = 4


def example() -> list[dict[str, Any]]:
    """Return the resources of one example."""
    return [entry["resource"] for entry in json.loads(EXAMPLE.read_text("utf-8"))["entry"]]


def of_patient(name: str) -> list[dict[str, Any]]:
    """Return the resources of the example as those of another patient."""
    resources = example()
    old = next(r["id"] for r in resources if r["resourceType"] == "Patient")
    made = json.loads(json.dumps(resources).replace(f'"Patient/{old}"', f'"Patient/{name}"'))
    for resource in made:
        is_patient = resource["resourceType"] == "Patient"
        resource["id"] = name if is_patient else f"{resource['id']}-{name}"
    return list(made)


def export(folder: Path, names: Iterable[str]) -> Path:
    """Write patients as an export by type; the lines of the patients are mixed."""
    by_type: dict[str, list[str]] = {}
    for name in names:
        for resource in of_patient(name):
            by_type.setdefault(resource["resourceType"], []).append(json.dumps(resource))
    folder.mkdir(parents=True, exist_ok=True)
    for kind, lines in by_type.items():
        mixed = sorted(lines, key=lambda line: line[::-1])
        (folder / f"{kind}.ndjson").write_text("\n".join(mixed) + "\n", "utf-8")
    return folder


def written(folder: Path, files: Mapping[str, Any]) -> Path:
    """Write the files of a case: a list of lines, each a text or a resource, or one value.

    `cut` takes so many bytes from the end of a packed file.
    """
    for name, given in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        packed = given if isinstance(given, dict) and "cut" in given else {"lines": given, "cut": 0}
        inside, cut = packed["lines"], packed["cut"]
        lines = inside if isinstance(inside, list) else [inside]
        texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
        data = "".join(f"{text}\n" for text in texts).encode()
        if name.endswith(".gz"):
            data = gzip.compress(data, mtime=0)
        path.write_bytes(data[: len(data) - cut])
    return folder


def applied(source: Path, work: Path, **how: Any) -> tuple[list[Any], list[Any], tuple[str, ...]]:
    """Return plans, errors and remarks of a population, done part by part in this process."""
    found = input_of(source)
    work.mkdir(parents=True)
    made = distribute(found, work, PARTS)
    files = tuple((file.name, file.base) for file in found.files)
    asked = How(plans=("mst-pathway",), now=NOW, remarks=made.remarks(), **how)
    job = Job(work, files, asked, with_shared=made.shared > 0)
    errors = [json.loads(one.as_line()) for one in made.told]
    plans: list[Any] = []
    for number in range(PARTS):
        if part_file(work, number).exists():
            do_part(job, Knowledge.shipped(), number)
            plans += read(result_file(work, number, CAREPLANS))
            errors += read(result_file(work, number, ERRORS))
    return plans, errors, made.remarks()


def read(path: Path) -> list[Any]:
    """Return the values in the lines of a file."""
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]
