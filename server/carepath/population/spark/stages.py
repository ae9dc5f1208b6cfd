"""How Spark is asked: one pass over the lines, one shuffle by patient, one pass over the patients.

https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.DataFrame.mapInArrow.html
"""

import pickle
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from typing import Any

from carepath.errors import InvalidParameter, MissingLibrary
from carepath.knowledge import Knowledge
from carepath.population.distribute import Distributed
from carepath.population.merged import homes
from carepath.population.one_patient import How
from carepath.population.spark.gathered import packed, result_of
from carepath.population.spark.tasks import FILE, LINES, SHARED, Work, moved
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
    files = lines.where(f"kind = '{FILE}'").select("number", "file", "data").collect()
    result, replaced = result_of((row.asDict() for row in files), before)
    shared = _shared(lines) if result.shared else (b"", ())
    of_patients = lines.where(f"kind NOT IN ('{FILE}', '{SHARED}')")
    known = homes(replaced)
    if known:
        of_patients = of_patients.mapInArrow(lambda batches: moved(known, batches), LINES)
    return Read(of_patients, result, *shared)


def by_patient(lines: Frame, parts: int, run: Callable[..., Any], schema: str) -> Frame:
    """Return what a function makes of the lines of all patients, those of one side by side.

    Patients are in parts by their places, as on one machine; no part is in two partitions.
    """
    expr = import_module("pyspark.sql.functions").expr
    part = expr(f"shiftright(place * {parts}, 32)")
    together = lines.repartition(parts, part).sortWithinPartitions(*_ORDER)
    return together.mapInArrow(run, schema)


def _shared(lines: Frame) -> tuple[bytes, tuple[tuple[str, str], ...]]:
    """Return the file of the shared lines, and the files of the input that they are of."""
    found = lines.where(f"kind = '{SHARED}'")
    size = found.selectExpr("coalesce(sum(length(data)), 0) AS size").collect()[0]["size"]
    if size > MAX_SHARED_BYTES:
        expected = f"at most {MAX_SHARED_BYTES} bytes of resources that are about no patient"
        raise InvalidParameter("INPUT", f"{size} bytes", expected)
    rows = found.sort("number", "file", "line", "data").toLocalIterator()
    return packed(row.asDict() for row in rows)
