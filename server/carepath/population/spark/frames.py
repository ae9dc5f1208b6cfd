"""Plans for the patients of a DataFrame: the answers are another one.

https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/dataframe.html
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from carepath.errors import InvalidParameter
from carepath.knowledge import Knowledge, plan_named
from carepath.population.one_patient import Form, How
from carepath.population.spark.results import ANSWERS, answers_of
from carepath.population.spark.stages import Frame, by_patient, read
from carepath.population.spark.tasks import LINES, lines_of_rows
from carepath.resources import canonical_of

_FEWEST = 16
_INPUT = {"file": "''", "line": "CAST(0 AS BIGINT)"}
"""The columns that may be missing, and what then stands for them."""


def apply_many(
    df: Frame,
    plans: str | Sequence[str] = (),
    *,
    now: datetime,
    knowledge: Knowledge | None = None,
    parameters: Mapping[str, Sequence[Any]] | None = None,
    form: Form = "careplan",
    explain: str = "brief",
    partitions: int | None = None,
) -> Frame:
    """Return a row for each patient: `patient`, `careplans`, `decisions`, `errors`, texts of JSON.

    `df` has a resource or a Bundle in each row, as JSON in the column `data`, and may say by `file`
    and `line` where it stood; lines of one patient may be anywhere.  What could not be used of the
    input stands in rows without a patient.  The lines are read at once, since every plan says when
    something of the input could not be used; plans are applied when the result is.
    """
    if "data" not in df.columns:
        raise InvalidParameter("df", ", ".join(df.columns), "a DataFrame with the column `data`")
    known = knowledge or Knowledge.shipped()
    names: Sequence[str | None] = [plans] if isinstance(plans, str) else plans or [None]
    how = How(
        plans=tuple(canonical_of(plan_named(name, known)) for name in names),
        now=now,
        parameters=parameters or {},
        form=form,
        explain=explain,  # type: ignore[arg-type]
    )
    made = read(_lines(df).mapInArrow(lines_of_rows, LINES))
    work = made.work(how, known)
    parts = partitions or max(made.lines.rdd.getNumPartitions(), _FEWEST)
    found = by_patient(made.lines, parts, lambda batches: answers_of(work, batches), ANSWERS)
    told: list[Any] = [
        (None, [], [], [one.as_line().decode().rstrip()]) for one in made.result.told
    ]
    return found.unionByName(df.sparkSession.createDataFrame(told, ANSWERS)) if told else found


def _lines(df: Frame) -> Frame:
    columns = [
        f"CAST({n} AS {t}) AS {n}" if n in df.columns else f"{_INPUT[n]} AS {n}"
        for n, t in (("file", "STRING"), ("line", "BIGINT"))
    ]
    return df.selectExpr(*columns, "CAST(data AS BINARY) AS data")
