"""The tasks of a cluster, done here one by one: what comes out is what one machine gives."""

import json
import pickle
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import pyarrow
import pytest
from lines import NOW, applied, export, written

from carepath.formats.json import decode
from carepath.knowledge import Knowledge
from carepath.population.counts import Counts
from carepath.population.merged import homes
from carepath.population.one_patient import How
from carepath.population.output import CAREPLANS, COUNTS, ERRORS, ROWS
from carepath.population.sources import lines as reading
from carepath.population.sources.files import input_of
from carepath.population.spark.gathered import packed, result_of
from carepath.population.spark.results import answers_of, pieces_of
from carepath.population.spark.tasks import (
    FILE,
    SHARED,
    Work,
    lines_of_files,
    lines_of_rows,
    moved,
)

CASES = sorted((Path(__file__).parent / "inputs").glob("*.json"))
HOW = How(plans=("mst-pathway",), now=NOW)


def rows_in(batches: Iterable[Any]) -> list[dict[str, Any]]:
    return [row for batch in batches for row in batch.to_pylist()]


def batches_of(rows: list[dict[str, Any]], schema: Any, size: int = 3) -> Iterator[Any]:
    """Yield rows a few at a time, so that a patient begins in one batch and ends in another."""
    for start in range(0, len(rows), size):
        yield pyarrow.RecordBatch.from_pylist(rows[start : start + size], schema)


class Cluster:
    """All tasks of a run, in this process."""

    def __init__(self, taken: Iterable[Any], told: Iterable[Any] = ()) -> None:
        found = list(taken)
        schema, rows = found[0].schema, rows_in(found)
        self.result, replaced = result_of([r for r in rows if r["kind"] == FILE], tuple(told))
        shared = sorted(
            (r for r in rows if r["kind"] == SHARED), key=lambda r: (r["number"], r["line"])
        )
        self.shared = packed(shared) if shared else (b"", ())
        lines = [r for r in rows if r["kind"] not in (FILE, SHARED)]
        named = rows_in(moved(homes(replaced), batches_of(lines, schema)))
        named.sort(key=lambda r: (r["place"], r["key"], r["file"], r["line"], r["data"]))
        self.patients = list(batches_of(named, schema))

    def work(self) -> Work:
        how = How(plans=HOW.plans, now=HOW.now, remarks=self.result.remarks())
        return Work(how, pickle.dumps(Knowledge.shipped()), *self.shared)


def of_files(source: Path) -> Cluster:
    found = input_of(source)
    numbers = (
        pyarrow.RecordBatch.from_pydict({"id": [number]}) for number in range(len(found.files))
    )
    return Cluster(lines_of_files(found.files, numbers), found.told)


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_odd_input_gives_what_one_machine_gives(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = json.loads(path.read_text("utf-8"))
    if "most" in case:
        most = case["most"]
        monkeypatch.setattr(
            reading, "_lines", lambda stream, name, _, of=reading._lines: of(stream, name, most)
        )
    source = written(tmp_path / "in", case["files"])
    plans, errors, remarks = applied(source, tmp_path / "work")
    cluster = of_files(source)
    assert cluster.result.remarks() == remarks
    rows = rows_in(answers_of(cluster.work(), cluster.patients))
    assert [json.loads(text) for row in rows for text in row["careplans"]] == plans
    told = [json.loads(one.as_line()) for one in cluster.result.told]
    assert [*told, *(json.loads(text) for row in rows for text in row["errors"])] == errors


def test_pieces_hold_the_lines_of_a_part_and_end_with_its_counts(tmp_path: Path) -> None:
    cluster = of_files(export(tmp_path / "in", ["a", "b", "c"]))
    answers = rows_in(answers_of(cluster.work(), cluster.patients))
    pieces = rows_in(pieces_of(cluster.work(), 2, cluster.patients))
    parts = [piece["part"] for piece in pieces]
    assert parts == sorted(parts)
    for part in set(parts):
        assert [p["kind"] for p in pieces if p["part"] == part][-1] == COUNTS
    for kind, column in ((CAREPLANS, "careplans"), (ROWS, "decisions"), (ERRORS, "errors")):
        lines = b"".join(p["data"] for p in pieces if p["kind"] == kind).decode().splitlines()
        assert lines == [text for row in answers for text in row[column]]
    counts = [Counts.from_json(decode(p["data"])) for p in pieces if p["kind"] == COUNTS]
    assert sum(one.patients for one in counts) == 3


def test_rows_of_a_frame_are_read_as_the_lines_of_files_are(tmp_path: Path) -> None:
    source = export(tmp_path / "in", ["a", "b"])
    rows = [
        {"file": file.name, "line": number, "data": text.encode()}
        for file in sorted(source.iterdir())
        for number, text in enumerate(file.read_text("utf-8").splitlines(), 1)
    ]
    schema = pyarrow.schema(
        [("file", pyarrow.string()), ("line", pyarrow.int64()), ("data", pyarrow.binary())]
    )
    cluster = Cluster(lines_of_rows(batches_of(rows, schema)))
    expected = of_files(source)
    assert rows_in(answers_of(cluster.work(), cluster.patients)) == rows_in(
        answers_of(expected.work(), expected.patients)
    )
    assert cluster.result.lines == expected.result.lines == len(rows)


def test_a_patient_with_too_many_lines_is_told_of_and_not_held() -> None:
    data = json.dumps({"resourceType": "Patient", "id": "p"}).encode()
    schema = pyarrow.schema(
        [("file", pyarrow.string()), ("line", pyarrow.int64()), ("data", pyarrow.binary())]
    )
    rows = [{"file": "f", "line": number, "data": data} for number in range(30)]
    cluster = Cluster(lines_of_rows(batches_of(rows, schema)))
    how = How(plans=HOW.plans, now=NOW, max_bytes=100)
    work = Work(how, pickle.dumps(Knowledge.shipped()))
    (row,) = rows_in(answers_of(work, cluster.patients))
    assert row["careplans"] == []
    assert f"hold {30 * len(data)} bytes, more than 100." in row["errors"][0]


def test_nobody_at_all_gives_no_rows() -> None:
    work = Work(HOW, pickle.dumps(Knowledge.shipped()))
    assert rows_in(chain(answers_of(work, ()), pieces_of(work, 2, ()))) == []
