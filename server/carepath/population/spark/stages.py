"""How Spark is asked: one pass over the lines, one shuffle by patient, one pass over the patients.

https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.DataFrame.mapInArrow.html
"""

import pickle
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from carepath.errors import InvalidParameter, MissingLibrary
from carepath.formats.json import decode
from carepath.knowledge import Knowledge
from carepath.population.distribute import MOST_TOLD, Distributed, rest_told
from carepath.population.one_patient import How
from carepath.population.shared import Shared
from carepath.population.spark.tasks import FILE, SHARED, Work
from carepath.population.told import Told

Frame = Any
"""A `pyspark.sql.DataFrame`."""
MAX_SHARED_BYTES = 256_000_000
"""What is about nobody in particular goes to every process, so it must not be large."""
_ORDER = ("place", "key", "number", "file", "line", "data")


def pyspark() -> Any:
    """Return `pyspark.sql`; raises MissingLibrary with what to install."""
    try:
        return import_module("pyspark.sql")
    except ModuleNotFoundError as error:
        raise MissingLibrary("Runs on Spark", "pyspark", "spark") from error


@dataclass
class Read:
    """What became of the lines: those of patients still on the cluster, the rest here."""

    lines: Frame
    result: Distributed
    shared: bytes = b""
    shared_files: tuple[tuple[str, str], ...] = ()

    def work(self, how: How, knowledge: Knowledge) -> Work:
        """Return what the tasks of the second stage need."""
        asked = replace(how, remarks=self.result.remarks())
        return Work(asked, pickle.dumps(knowledge), self.shared, self.shared_files)


def read(lines: Frame, before: Sequence[Told] = ()) -> Read:
    """Work out the first stage and return what became of the lines; `before` is told first.

    Raises InvalidParameter when what is about nobody in particular is too much to send around.
    """
    result = _result(lines, before)
    shared = _shared(lines) if result.shared else (b"", ())
    return Read(lines.where(f"kind NOT IN ('{FILE}', '{SHARED}')"), result, *shared)


def by_patient(lines: Frame, parts: int, run: Callable[..., Any], schema: str) -> Frame:
    """Return what a function makes of the lines of all patients, those of one side by side.

    Patients are in parts by their places, as on one machine; no part is in two partitions.
    """
    expr = import_module("pyspark.sql.functions").expr
    part = expr(f"shiftright(place * {parts}, 32)")
    together = lines.repartition(parts, part).sortWithinPartitions(*_ORDER)
    return together.mapInArrow(run, schema)


def _result(lines: Frame, before: Sequence[Told]) -> Distributed:
    """Return what is told of all files, as one pass over all of them tells it."""
    total, told = Distributed(), list(before)
    places = len(told)
    total.hidden = sum(one.hides for one in told)
    rows = lines.where(f"kind = '{FILE}'").select("number", "file", "data").collect()
    for row in sorted(rows, key=lambda one: (one["number"], one["file"])):
        told_of = decode(bytes(row["data"]))
        places += told_of["places"]
        found = told_of["distributed"]
        for name in ("patients", "lines", "shared", "hidden"):
            setattr(total, name, getattr(total, name) + found[name])
        total.types.update(found["types"])
        total.unused.update(found["unused"])
        told += [Told(**one) for one in found["told"]]
    total.told = told[:MOST_TOLD]
    total.told += rest_told(places, len(total.told))
    return total


def _shared(lines: Frame) -> tuple[bytes, tuple[tuple[str, str], ...]]:
    """Return the file of the shared lines, and the files of the input that they are of."""
    found = lines.where(f"kind = '{SHARED}'")
    size = found.selectExpr("coalesce(sum(length(data)), 0) AS size").collect()[0]["size"]
    if size > MAX_SHARED_BYTES:
        expected = f"at most {MAX_SHARED_BYTES} bytes of resources that are about no patient"
        raise InvalidParameter("INPUT", f"{size} bytes", expected)
    files: dict[tuple[str, str], int] = {}
    with TemporaryDirectory() as folder:
        path = Path(folder) / "shared.sqlite"
        with Shared(path) as shared:
            for row in found.sort("number", "file", "line", "data").toLocalIterator():
                file = files.setdefault((row["file"], row["base"]), len(files))
                shared.add(row["key"], row["base"], file, row["line"], bytes(row["data"]))
        return path.read_bytes(), tuple(files)
