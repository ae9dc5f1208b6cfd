"""What was decided about many patients as a table: a row for each action of a plan.

https://parquet.apache.org/docs/file-format/

Rows of NDJSON, Arrow and Parquet have the same columns, and the same rows give the same bytes.
"""

from collections.abc import Iterable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from carepath.apply import Applied
from carepath.apply.explain.done import is_done
from carepath.apply.run.scope import FactValue
from carepath.apply.run.step import evidence_of, facts_read, json_value
from carepath.errors import MissingLibrary
from carepath.formats.json import encode

Row = dict[str, object]

TEXTS = ("patient", "plan", "phase", "action", "title", "outcome")
LISTS = ("facts", "evidence", "missing", "statements")
COLUMNS = (*TEXTS, *LISTS)
DONE = "done"
"""The outcome of an action that does not apply only because it is on record already."""

_ROWS = 65_536
"""How many rows stand together in a Parquet file; readers take one such group at a time."""
_BLOCK = 8 << 20


def rows(patient: str, applied: Applied) -> Iterator[Row]:
    """Yield what was decided about each action of a plan, in the order of the plan.

    `plan` is the canonical of the plan that was applied, `action` the path of ids in it, `phase`
    the phase of care in which the patient is (empty where the plan tells of none), `outcome` one of
    `met`, `not-met`, `undetermined` and `done`; `facts` are those that the conditions read, as
    `name = value`, with `{}` for what is not known.
    """
    plan, phase, said = applied.plan, applied.phase, dict[int, str]()
    for step in applied.steps:
        yield {
            "patient": patient,
            "plan": plan,
            "phase": phase,
            "action": step.path,
            "title": step.action.title,
            "outcome": DONE if is_done(step) else step.outcome,
            "facts": [_fact(value, said) for value in facts_read(step)],
            "evidence": list(evidence_of(step)),
            "missing": list(step.missing),
            "statements": list(step.action.statements),
        }


def _fact(value: FactValue, said: dict[int, str]) -> str:
    """Return a fact as text, made once: most facts are read by many actions."""
    text = said.get(id(value))
    if text is None:
        values = [json_value(item) for item in value.values]
        told = ", ".join(v if isinstance(v, str) else encode(v).decode() for v in values)
        text = said[id(value)] = f"{value.fact.name} = {told or '{}'}"
    return text


def parquet(rows_files: Iterable[Path], target: Path) -> int:
    """Write the rows of NDJSON files, in the order of the files, as one Parquet file.

    Returns how many there are.  Raises MissingLibrary where pyarrow is not installed.
    """
    arrow = pyarrow()
    written = import_module("pyarrow.parquet")
    schema = arrow_schema()
    count = 0
    with written.ParquetWriter(target, schema, compression="zstd") as writer:
        for batch in _groups(batches(rows_files)):
            writer.write_table(arrow.Table.from_batches(batch, schema), _ROWS)
            count += sum(one.num_rows for one in batch)
    return count


def batches(rows_files: Iterable[Path]) -> Iterator[Any]:
    """Yield the rows of NDJSON files as Arrow record batches; raises as `parquet`."""
    pyarrow()
    reading = import_module("pyarrow.json")
    options = {
        "read_options": reading.ReadOptions(block_size=_BLOCK),
        "parse_options": reading.ParseOptions(
            explicit_schema=arrow_schema(), unexpected_field_behavior="error"
        ),
    }
    for file in rows_files:
        if file.stat().st_size:
            yield from reading.open_json(file, **options)


def arrow_schema() -> Any:
    """Return the columns as an Arrow schema; raises MissingLibrary where pyarrow is missing."""
    arrow = pyarrow()
    text = arrow.string()
    fields = [arrow.field(name, text) for name in TEXTS]
    fields += [arrow.field(name, arrow.list_(text)) for name in LISTS]
    return arrow.schema(fields)


def pyarrow() -> Any:
    """Return the library; raises MissingLibrary with what to install."""
    try:
        return import_module("pyarrow")
    except ModuleNotFoundError as error:
        raise MissingLibrary("Parquet and Arrow tables", "pyarrow", "population") from error


def _groups(found: Iterable[Any]) -> Iterator[list[Any]]:
    """Yield record batches in groups of about as many rows as stand together in the file."""
    waiting: list[Any] = []
    for batch in found:
        waiting.append(batch)
        if sum(one.num_rows for one in waiting) >= _ROWS:
            yield waiting
            waiting = []
    if waiting:
        yield waiting
