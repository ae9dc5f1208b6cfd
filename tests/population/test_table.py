"""Decisions as a table for data frames, and the funnel that a notebook shows."""

import sys
from pathlib import Path

import pandas
import polars
import pytest
from cohort import KNOWLEDGE, PATIENTS, PLAN_URL, applied, rows_of

from carepath import decisions_table
from carepath.errors import InvalidParameter, MissingLibrary
from carepath.formats.json import encode
from carepath.population.decisions import COLUMNS, parquet
from carepath.population.table import DecisionsTable

ROWS = [{**row, "patient": f"Patient/{row['patient']}"} for row in rows_of(*PATIENTS)]


def _table() -> DecisionsTable:
    return decisions_table(map(applied, PATIENTS), KNOWLEDGE)


def test_what_was_applied_becomes_a_row_for_each_action() -> None:
    assert _table().arrow().to_pylist() == ROWS
    assert len(_table()) == len(ROWS)


def test_pandas_and_polars_have_the_same_rows() -> None:
    frame, other = _table().pandas(), _table().polars()
    assert isinstance(frame, pandas.DataFrame)
    assert isinstance(other, polars.DataFrame)
    assert other.to_dicts() == ROWS
    assert tuple(frame.columns) == COLUMNS
    assert frame["outcome"].tolist() == [row["outcome"] for row in ROWS]
    assert frame["missing"].map(list).tolist() == [row["missing"] for row in ROWS]


def test_a_notebook_shows_the_funnel() -> None:
    shown = _table()._repr_html_()
    assert PLAN_URL in shown
    assert 'aria-label="Funnel: Imaging 3, Team 1"' in shown
    assert "of whom it does not concern 1" in shown


def test_a_prompt_shows_numbers_and_no_patient() -> None:
    assert repr(_table()) == "<DecisionsTable: 14 decisions, 4 plans for patients>"


def test_the_table_of_a_run_is_read_from_its_folder(tmp_path: Path) -> None:
    (tmp_path / "decisions.ndjson").write_bytes(b"".join(encode(row) + b"\n" for row in ROWS))
    assert decisions_table(tmp_path, KNOWLEDGE).arrow().to_pylist() == ROWS
    parquet([tmp_path / "decisions.ndjson"], tmp_path / "decisions.parquet")
    for source in (tmp_path, str(tmp_path / "decisions.parquet")):
        assert decisions_table(source, KNOWLEDGE).arrow().to_pylist() == ROWS


def test_nobody_at_all_is_a_table_without_rows() -> None:
    empty = decisions_table([], KNOWLEDGE)
    assert len(empty) == 0
    assert "<svg" not in empty._repr_html_()


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, "expected a folder with `decisions.parquet` or `decisions.ndjson`, or such a file"),
        (b"no parquet at all", "expected a Parquet file of decisions"),
    ],
)
def test_what_holds_no_decisions_is_refused(
    content: bytes | None, told: str, tmp_path: Path
) -> None:
    if content is not None:
        (tmp_path / "decisions.parquet").write_bytes(content)
    with pytest.raises(InvalidParameter) as caught:
        decisions_table(tmp_path, KNOWLEDGE)
    assert told in str(caught.value)


def test_without_a_library_a_sentence_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    table = _table()
    for name in ("pandas", "polars"):
        monkeypatch.setitem(sys.modules, name, None)
        with pytest.raises(MissingLibrary, match=rf"pip install 'carepath\[{name}\]'"):
            getattr(table, name)()
