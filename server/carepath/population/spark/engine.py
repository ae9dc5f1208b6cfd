"""A run with its input and output as on one machine, and the work on a cluster.

https://spark.apache.org/docs/latest/submitting-applications.html

The driver and all tasks must see the input under the same path; the output is written by the
driver.
"""

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from importlib import import_module
from shutil import rmtree
from typing import IO, Any

from carepath.errors import InvalidParameter, RunStopped
from carepath.formats.json import decode
from carepath.knowledge import Knowledge
from carepath.population.counts import Counts
from carepath.population.output import COUNTS, beside, result_file, write_counts
from carepath.population.partition import count_for
from carepath.population.run import TOLD, Order, Progress, Read
from carepath.population.sources.files import Input
from carepath.population.spark.results import PIECES, pieces_of
from carepath.population.spark.stages import by_patient, pyspark, read
from carepath.population.spark.tasks import LINES, lines_of_files
from carepath.population.state import WORK, State, applying

_BATCH = "spark.sql.execution.arrow.maxRecordsPerBatch"
_LOCAL: Mapping[str, str] = {
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
}
"""On one machine nothing listens to other machines."""


@contextmanager
def session(master: str | None) -> Iterator[Any]:
    """Give a session on a cluster, for `None` on the one that Spark is configured for."""
    local = (master or "").startswith("local")
    builder = pyspark().SparkSession.builder.appName("carepath").config(_BATCH, "1000")
    if master:
        builder = builder.master(master)
    if local:
        os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
        for name, value in _LOCAL.items():
            builder = builder.config(name, value)
    try:
        made = builder.getOrCreate()
    except _failures() as error:
        expected = f"a Spark that starts (Java 17 is needed); it says: {_first_line(error)}"
        raise InvalidParameter("--master", master or "not given", expected) from error
    try:
        yield made
    finally:
        made.stop()


def on_cluster(spark: Any, knowledge: Knowledge) -> Read:
    """Return what reads and applies on a cluster, for `population.run.run`."""

    def read_and_apply(order: Order, found: Input, state: State, progress: Progress) -> State:
        if order.limit is not None:
            raise InvalidParameter("--limit", str(order.limit), "no limit with `--engine spark`")
        progress("reading", 0, 0)
        try:
            return _done(spark, knowledge, order, found, state, progress)
        except _failures() as error:
            reason = f"Spark has given up ({_first_line(error)})"
            raise RunStopped(str(order.out), reason) from error

    return read_and_apply


def _failures() -> tuple[type[Exception], ...]:
    """Return what Spark raises."""
    return (
        import_module("pyspark.errors").PySparkException,
        import_module("py4j.protocol").Py4JError,
    )


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0].rstrip(".: ")


def _done(
    spark: Any, knowledge: Knowledge, order: Order, found: Input, state: State, progress: Progress
) -> State:
    """Do all parts, and return the state in which none is left to do."""
    folder, files = order.out / WORK, found.files
    rmtree(folder)
    folder.mkdir()
    parts = count_for(found.size)
    numbers = spark.range(0, len(files), 1, max(len(files), 1))
    with _kept(numbers.mapInArrow(lambda batches: lines_of_files(files, batches), LINES)) as lines:
        made = read(lines, found.told)
        work = made.work(order.how, knowledge)
        todo = by_patient(made.lines, parts, lambda b: pieces_of(work, parts, b), PIECES)
        with _kept(todo) as pieces:
            # All partitions at once; fetched one by one they would also be worked on one by one.
            pieces.count()
            _write(pieces, order, progress)
    result = made.result
    with beside(folder / TOLD) as file:
        file.writelines(one.as_line() for one in result.told)
    return applying(
        state,
        parts=parts,
        files=tuple((file.name, file.base) for file in files),
        patients=result.patients,
        lines=result.lines,
        types=dict(sorted(result.types.items())),
        unused=dict(sorted(result.unused.items())),
        errors=sum(one.severity == "error" for one in result.told),
        remarks=result.remarks(),
        with_shared=result.shared > 0,
    )


@contextmanager
def _kept(frame: Any) -> Iterator[Any]:
    """Give a frame that is worked out once and kept on the disks of the cluster meanwhile."""
    made = frame.persist(import_module("pyspark").StorageLevel.DISK_ONLY)
    try:
        yield made
    finally:
        made.unpersist()


def _write(pieces: Any, order: Order, progress: Progress) -> None:
    """Write the files of all parts, a part after the other."""
    folder, patients = order.out / WORK, 0
    stack = ExitStack()
    open_files: dict[str, IO[bytes]] = {}
    with stack:
        for row in pieces.toLocalIterator():
            part, kind = row["part"], row["kind"]
            if kind != COUNTS:
                if kind not in open_files:
                    path = result_file(folder, part, kind)
                    open_files[kind] = stack.enter_context(beside(path))
                open_files[kind].write(row["data"])
                continue
            stack.close()
            open_files = {}
            counts = Counts.from_json(decode(bytes(row["data"])))
            write_counts(folder, part, counts)
            patients += counts.patients
            progress("applying", patients, 0)
