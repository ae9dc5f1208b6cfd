"""Decisions about many patients as rows, NDJSON and Parquet."""

import json
import sys
from pathlib import Path

import pyarrow.parquet
import pytest
from cohort import PATIENTS, PLAN_URL, applied, rows_of

from carepath.errors import MissingLibrary
from carepath.formats.json import encode
from carepath.population.decisions import COLUMNS, parquet, rows


def _ndjson(path: Path, *ids: str) -> Path:
    path.write_bytes(b"".join(encode(row) + b"\n" for row in rows_of(*ids)))
    return path


def test_a_row_says_what_was_decided_about_an_action_and_why() -> None:
    found = {row["action"]: row for row in rows("b", applied("b"))}
    assert found["knee/imaging/mri"] == {
        "patient": "b",
        "plan": PLAN_URL,
        "phase": "Team",
        "action": "knee/imaging/mri",
        "title": "MRI",
        "outcome": "done",
        "facts": ["pictures = Procedure/mri-b"],
        "evidence": ["Procedure/mri-b"],
        "missing": [],
        "statements": [],
    }
    assert found["knee/advice"]["statements"] == ["S-1"]


def test_missing_is_not_no() -> None:
    first = {id_: next(rows(id_, applied(id_))) for id_ in PATIENTS}
    assert {id_: (row["outcome"], row["missing"]) for id_, row in first.items()} == {
        "a": ("met", []),
        "b": ("met", []),
        "c": ("undetermined", ["swollen"]),
        "d": ("not-met", []),
    }


def test_a_patient_whom_the_plan_does_not_concern_is_in_no_phase() -> None:
    phases = {id_: {row["phase"] for row in rows_of(id_)} for id_ in PATIENTS}
    assert phases == {"a": {"Imaging"}, "b": {"Team"}, "c": {"Imaging"}, "d": {""}}


def test_parquet_has_the_rows_of_all_files_in_their_order(tmp_path: Path) -> None:
    files = [
        _ndjson(tmp_path / "0", "b", "a"),
        _ndjson(tmp_path / "1"),
        _ndjson(tmp_path / "2", "c"),
    ]
    assert parquet(files, tmp_path / "out.parquet") == 12
    table = pyarrow.parquet.read_table(tmp_path / "out.parquet")
    assert tuple(table.column_names) == COLUMNS
    assert table.to_pylist() == rows_of("b", "a", "c")


def test_the_same_rows_give_the_same_bytes(tmp_path: Path) -> None:
    files = [_ndjson(tmp_path / "0", *PATIENTS)]
    for name in ("one", "other"):
        parquet(files, tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "other").read_bytes()


def test_no_rows_at_all_are_a_table_without_rows(tmp_path: Path) -> None:
    assert parquet([], tmp_path / "out.parquet") == 0
    assert tuple(pyarrow.parquet.read_table(tmp_path / "out.parquet").column_names) == COLUMNS


def test_rows_are_json() -> None:
    found = rows_of(*PATIENTS)
    assert json.loads(json.dumps(found)) == found


def test_without_the_library_a_sentence_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingLibrary) as caught:
        parquet([], tmp_path / "out.parquet")
    assert str(caught.value) == (
        "Parquet and Arrow tables need the library `pyarrow`, which is not installed: "
        "run `pip install 'carepath[population]'`."
    )
