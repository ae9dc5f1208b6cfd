"""What comes of patients as rows: for whoever asked from Python, and for the files of a run.

https://spark.apache.org/docs/latest/api/python/tutorial/sql/arrow_pandas.html#map
"""

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any, NamedTuple

from carepath.formats.json import encode
from carepath.population.counts import Tally
from carepath.population.decisions import pyarrow
from carepath.population.one_patient import PatientAnswer
from carepath.population.output import CAREPLANS, COUNTS, ERRORS, ROWS
from carepath.population.spark.tasks import Work, answers

ANSWERS = "patient string, careplans array<string>, decisions array<string>, errors array<string>"
"""The columns for who asked from Python: each text is JSON."""
PIECES = "part int, kind string, data binary"
"""The columns for the files of a run."""
_TOGETHER = 200
_PIECE = 2_000_000


def answers_of(work: Work, batches: Iterable[Any]) -> Iterator[Any]:
    """Yield a row for each patient."""
    waiting: list[dict[str, Any]] = []
    for _, key, made in answers(work, batches):
        waiting.append(
            {
                "patient": key,
                "careplans": _texts(made.careplans),
                "decisions": _texts(map(encode, made.rows)),
                "errors": _texts(made.errors),
            }
        )
        if len(waiting) >= _TOGETHER:
            yield _answers(waiting)
            waiting = []
    yield _answers(waiting)


def _texts(lines: Iterable[bytes]) -> list[str]:
    return [line.decode().rstrip("\n") for line in lines]


def _answers(rows: list[dict[str, Any]]) -> Any:
    arrow = pyarrow()
    texts = arrow.list_(arrow.string())
    fields = [("patient", arrow.string())]
    fields += [(name, texts) for name in ("careplans", "decisions", "errors")]
    return arrow.RecordBatch.from_pylist(rows, arrow.schema(fields))


class Piece(NamedTuple):
    """A piece of one file of a part; that of the counts is the last of the part."""

    part: int
    kind: str
    data: bytes


def pieces_of(work: Work, parts: int, batches: Iterable[Any]) -> Iterator[Any]:
    """Yield the files of the parts in pieces; patients come in the order of their places."""
    each = ((place * parts >> 32, made) for place, _, made in answers(work, batches))
    for part, found in groupby(each, key=lambda one: one[0]):
        for piece in _pieces(part, (made for _, made in found)):
            yield _piece(piece)


def _pieces(part: int, found: Iterable[PatientAnswer]) -> Iterator[Piece]:
    tally = Tally()
    buffers = {kind: bytearray() for kind in (CAREPLANS, ROWS, ERRORS)}
    for made in found:
        tally.add(made.rows, len(made.errors))
        for lines, kind in (
            (made.careplans, CAREPLANS),
            ((encode(row) + b"\n" for row in made.rows), ROWS),
            (made.errors, ERRORS),
        ):
            buffers[kind] += b"".join(lines)
            if len(buffers[kind]) >= _PIECE:
                yield Piece(part, kind, bytes(buffers[kind]))
                buffers[kind].clear()
    for kind, buffer in buffers.items():
        yield Piece(part, kind, bytes(buffer))
    yield Piece(part, COUNTS, encode(tally.counts().to_json()))


def _piece(piece: Piece) -> Any:
    arrow = pyarrow()
    fields = [("part", arrow.int32()), ("kind", arrow.string()), ("data", arrow.binary())]
    return arrow.RecordBatch.from_pylist([piece._asdict()], arrow.schema(fields))
