"""What a task of Spark does: iterators of Arrow batches in, iterators of Arrow batches out.

https://spark.apache.org/docs/latest/api/python/tutorial/sql/arrow_pandas.html#map

Whose a line is and what comes of a patient is decided by the functions of the local engine, so the
bytes are the same.  Nothing here knows Spark.
"""

import gc
import pickle
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any, NamedTuple
from zlib import crc32

from carepath.apply import warm
from carepath.formats.json import encode
from carepath.knowledge import Knowledge
from carepath.population.decisions import pyarrow
from carepath.population.distribute import Distribution
from carepath.population.one_patient import How, PatientAnswer, answer, too_large
from carepath.population.partition import SourceLine
from carepath.population.shared import SharedLines
from carepath.population.sources.files import Input
from carepath.population.sources.lines import Line, SourceFile, lines_of
from carepath.population.told import Told

SHARED, FILE = "shared", "file"
"""Kinds of rows beside `line`, `bundle` and `broken`: for whoever refers to it, about a file."""
_BATCH_ROWS, _BATCH_BYTES = 2_000, 8_000_000


class Taken(NamedTuple):
    """One row of the first stage; `key` is the patient, or the name of a shared resource."""

    place: int
    key: str
    number: int
    file: str
    line: int
    base: str
    kind: str
    data: bytes


LINES = (
    "place bigint, key string, number int, file string, line bigint, base string, kind string, "
    "data binary"
)
"""The columns of the first stage, as Spark writes them."""


@dataclass(frozen=True)
class Work:
    """What the tasks of the second stage have in common; a plain value, which pickles.

    Knowledge and the shared lines are bytes, so that a process unpacks them once, not each task.
    """

    how: How
    knowledge: bytes
    shared: bytes = b""
    files: tuple[tuple[str, str], ...] = ()
    """Name and base URL of the files of the shared lines."""


@dataclass
class _Sink:
    """Takes lines as the parts of the local engine do, until they are fetched."""

    file: SourceFile
    waiting: deque[Taken] = field(default_factory=deque)

    def add(self, key: str, number: int, line: int, data: bytes, kind: str = "line") -> None:
        """Take a line of a patient."""
        place = crc32(key.encode())
        self.waiting.append(
            Taken(place, key, number, self.file.name, line, self.file.base, kind, data)
        )

    @property
    def shared(self) -> "_SharedSink":
        """Return what takes the lines that are nobody's in particular."""
        return _SharedSink(self)


@dataclass
class _SharedSink:
    sink: _Sink

    def add(self, name: str, base: str, number: int, line: int, data: bytes) -> None:
        """Take a line under its name."""
        file = self.sink.file.name
        self.sink.waiting.append(Taken(0, name, number, file, line, base, SHARED, data))


def lines_of_files(files: Sequence[SourceFile], batches: Iterable[Any]) -> Iterator[Any]:
    """Yield the lines of the files whose numbers stand in the batches, and a row for each file."""
    numbers = (n for batch in batches for n in batch.column(0).to_pylist())
    return _as_batches(taken for n in numbers for taken in _file(n, files[n], lines_of(files[n])))


def lines_of_rows(batches: Iterable[Any]) -> Iterator[Any]:
    """Yield the lines that stand in rows (`file`, `line`, `data`), and a row for each file.

    Rows of one file stand together as far as they are in one task.
    """

    def rows() -> Iterator[tuple[str, int, bytes]]:
        for batch in batches:
            names, numbers, data = (batch.column(n).to_pylist() for n in range(3))
            yield from zip(names, numbers, map(_as_bytes, data), strict=True)

    return _as_batches(
        taken
        for name, found in groupby(rows(), key=itemgetter(0))
        for taken in _file(
            0, SourceFile(Path(name), name), (Line(number, data) for _, number, data in found)
        )
    )


def _as_bytes(data: Any) -> bytes:
    return data.encode() if isinstance(data, str) else bytes(data or b"")


def _file(number: int, file: SourceFile, lines: Iterable[Line | Told]) -> Iterator[Taken]:
    """Yield what the lines of a file are, and at the end what is to be told of it."""
    made, sink = Distribution(Input(()), None), _Sink(file)
    for line in lines:
        made.take(number, file, line, sink, sink.shared)
        while sink.waiting:
            taken = sink.waiting.popleft()
            made.result.shared += taken.kind == SHARED
            yield taken
    made.end(file, made.result.lines, told=bool(made.result.told))
    result = {
        "distributed": made.result,
        "places": made.all_told,
        "replaced": made.replaced,
    }
    yield Taken(0, "", number, file.name, 0, file.base, FILE, encode(result))


def moved(homes: Mapping[str, str], batches: Iterable[Any]) -> Iterator[Any]:
    """Yield lines under the names of the records that have replaced others."""

    def row(one: Taken) -> Taken:
        home = homes.get(one.key)
        return one if home is None else one._replace(key=home, place=crc32(home.encode()))

    return _as_batches(map(row, _rows(batches)))


def _rows(batches: Iterable[Any]) -> Iterator[Taken]:
    for batch in batches:
        yield from map(Taken._make, zip(*(c.to_pylist() for c in batch.columns), strict=True))


def _as_batches(rows: Iterator[Taken]) -> Iterator[Any]:
    arrow = pyarrow()
    text, number = arrow.string(), arrow.int64()
    types = (number, text, arrow.int32(), text, number, text, text, arrow.binary())
    schema = arrow.schema(list(zip(Taken._fields, types, strict=True)))
    for some in _in_groups(rows, lambda row: len(row.data)):
        columns = [arrow.array(c, t) for c, t in zip(zip(*some, strict=True), types, strict=True)]
        yield arrow.RecordBatch.from_arrays(columns, schema=schema)


def _in_groups(items: Iterable[Any], size: Callable[[Any], int]) -> Iterator[list[Any]]:
    """Yield items in groups that are neither too many nor too large."""
    waiting: list[Any] = []
    held = 0
    for item in items:
        waiting.append(item)
        held += size(item)
        if len(waiting) >= _BATCH_ROWS or held >= _BATCH_BYTES:
            yield waiting
            waiting, held = [], 0
    if waiting:
        yield waiting


def answers(work: Work, batches: Iterable[Any]) -> Iterator[tuple[int, str, PatientAnswer]]:
    """Yield place, name and answer of each patient; the rows of a patient stand together."""
    knowledge = _knowledge(work.knowledge)
    shared = _shared(work.shared, work.files) if work.shared else None
    for (place, key), found in groupby(_rows(batches), key=itemgetter(0, 1)):
        lines, size = _within(work.how.max_bytes, found)
        if size > work.how.max_bytes:
            yield place, key, too_large(key, size, work.how, lines[0])
            continue
        if shared is not None and not any(line.is_bundle for line in lines):
            lines += shared.of(lines)
        yield place, key, answer(key, lines, work.how, knowledge)


def _within(most: int, rows: Iterable[Taken]) -> tuple[list[SourceLine], int]:
    """Return the lines of a patient and how many bytes they have; beyond a bound only the first."""
    lines: list[SourceLine] = []
    size = 0
    for row in rows:
        size += len(row.data)
        if size > most:
            del lines[1:]
        if size <= most or not lines:
            kinds = {"is_bundle": row.kind == "bundle", "is_broken": row.kind == "broken"}
            lines.append(SourceLine(row.file, row.line, row.data, row.base, **kinds))
    return lines, size


@cache
def _knowledge(data: bytes) -> Knowledge:
    """Return the knowledge of this process, with all plans compiled."""
    found: Knowledge = pickle.loads(data)  # noqa: S301 - what our own driver has packed
    warm(found)
    gc.freeze()
    return found


@cache
def _shared(data: bytes, files: tuple[tuple[str, str], ...]) -> SharedLines:
    """Return the shared lines of this process."""
    return SharedLines.unpacked(data, files)
