"""Decisions about many patients as a table for data frames, and their funnel in a notebook.

https://arrow.apache.org/docs/python/data.html
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import Any

from carepath.apply import Applied
from carepath.errors import InvalidParameter, MissingLibrary
from carepath.knowledge import Knowledge
from carepath.population.counts import Counts, Key
from carepath.population.decisions import Row, arrow_schema, batches, pyarrow, rows
from carepath.population.figures import Phases, phases_of
from carepath.population.summary import funnel_html

_TOGETHER = 10_000
_FILES = ("decisions.parquet", "decisions.ndjson")


class DecisionsTable:
    """What was decided about each action of each patient, a row each; held as an Arrow table."""

    def __init__(self, arrow: Any, phases: Phases) -> None:
        self._arrow = arrow
        self._phases = phases

    def __len__(self) -> int:
        return int(self._arrow.num_rows)

    def __repr__(self) -> str:
        """Return how much there is, without a patient: such lines get into logs."""
        patients = sum(self._of_patients(["plan"]).values())
        return f"<DecisionsTable: {len(self)} decisions, {patients} plans for patients>"

    def _repr_html_(self) -> str:
        """Return the funnel along each pathway, which a notebook shows in place of the line."""
        plans = {plan: count for (plan,), count in self._of_patients(["plan"]).items()}
        phases: dict[Key, int] = {
            (plan, phase): count
            for (plan, phase), count in self._of_patients(["plan", "phase"]).items()
        }
        return funnel_html(Counts(plans=plans, phases=phases), self._phases)

    def arrow(self) -> Any:
        """Return the rows as a `pyarrow.Table`."""
        return self._arrow

    def pandas(self) -> Any:
        """Return the rows as a `pandas.DataFrame`; raises MissingLibrary."""
        with _told("pandas"):
            import_module("pandas")
        return self._arrow.to_pandas()

    def polars(self) -> Any:
        """Return the rows as a `polars.DataFrame`; raises MissingLibrary."""
        with _told("polars"):
            library = import_module("polars")
        return library.from_arrow(self._arrow)

    def _of_patients(self, names: list[str]) -> dict[tuple[str, ...], int]:
        """Return how many patients there are for each value of some columns."""
        single = self._arrow.group_by([*names, "patient"]).aggregate([])
        counted = single.group_by(names).aggregate([("patient", "count")]).to_pylist()
        return {tuple(one[name] for name in names): one["patient_count"] for one in counted}


def decisions_table(
    source: Iterable[Applied] | str | Path, knowledge: Knowledge | None = None
) -> DecisionsTable:
    """Return the decisions of plans that were applied, or of a run of `carepath apply-many`.

    `source` is what `carepath.apply_many` gives, or the folder that a run has written to (or one of
    its two files of decisions); `knowledge` tells the order of the phases of care, the shipped
    content when absent.  Raises MissingLibrary without pyarrow, and InvalidParameter where there
    are no decisions to read.
    """
    phases = phases_of(knowledge or Knowledge.shipped())
    if isinstance(source, str | Path):
        return DecisionsTable(_read(Path(source)), phases)
    arrow, schema = pyarrow(), arrow_schema()
    made = [arrow.RecordBatch.from_pylist(some, schema) for some in _in_groups(source)]
    return DecisionsTable(arrow.Table.from_batches(made, schema), phases)


def _in_groups(source: Iterable[Applied]) -> Iterator[list[Row]]:
    """Yield rows some thousands at a time, so that those of all are never held as Python values."""
    each = (row for one in source for row in rows(one.subject or "", one))
    while some := list(islice(each, _TOGETHER)):
        yield some


def _read(path: Path) -> Any:
    """Return the table in a file, or in the folder of a run."""
    arrow = pyarrow()
    found = [path] if path.is_file() else [file for n in _FILES if (file := path / n).is_file()]
    if not found:
        expected = f"a folder with `{'` or `'.join(_FILES)}`, or such a file"
        raise InvalidParameter("source", str(path), expected)
    if found[0].suffix == ".ndjson":
        return arrow.Table.from_batches(batches(found[:1]), arrow_schema())
    try:
        return import_module("pyarrow.parquet").read_table(found[0])
    except arrow.ArrowInvalid as error:
        raise InvalidParameter("source", str(found[0]), "a Parquet file of decisions") from error


@contextmanager
def _told(name: str) -> Iterator[None]:
    """Say in a sentence which library is missing."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise MissingLibrary("DataFrames", name, name) from error
