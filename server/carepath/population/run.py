"""A whole population on one machine: read, sort by patient, apply in several processes, write.

https://hl7.org/fhir/R4/plandefinition-operation-apply.html

Each stage ends with files that are on the disk under their names, so that whatever ends the
process loses only what was being done.
"""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from shutil import rmtree
from typing import Literal

from carepath.errors import RunStopped
from carepath.knowledge import Knowledge
from carepath.population import output
from carepath.population.counts import Counts
from carepath.population.decisions import parquet, pyarrow
from carepath.population.distribute import distribute
from carepath.population.figures import phases_of
from carepath.population.one_patient import How
from carepath.population.part_work import Job
from carepath.population.partition import count_for, part_file
from carepath.population.sources.files import Input, fingerprint, input_of
from carepath.population.state import WORK, State, applying, held, prepared, refuse_other
from carepath.population.summary import summary_html, summary_json
from carepath.population.workers import Start, Workers
from carepath.resources import canonical_of

Decisions = Literal["parquet", "ndjson", "none"]
TOLD = "told.ndjson"
_PLANS = {"careplan": "careplans.ndjson", "transaction": "transactions.ndjson"}


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be done: the input, where the output goes, and how.

    `limit` takes the first patients only; `resume` goes on with the run in the folder.
    """

    source: Path
    out: Path
    how: How
    workers: int = 1
    limit: int | None = None
    decisions: Decisions = "parquet"
    resume: bool = False
    start: Start = "spawn"


Progress = Callable[[str, int, int], None]
"""Told of the stage, of what is done, and of how much there is (0 unknown)."""


Read = Callable[[Order, Input, State, Progress], State]
"""The first stage; another one may do the work of the second, too, and leave no part to do."""


def run(
    order: Order,
    knowledge: Knowledge,
    progress: Progress = lambda stage, done, total: None,
    read: Read | None = None,
) -> State:
    """Do a run, or go on with one, and return its state at the end.

    Raises InvalidParameter for input and folders that cannot be used, MissingLibrary, and
    RunStopped, after which the run can go on.
    """
    if order.decisions == "parquet":
        pyarrow()
    found = input_of(order.source)
    state = prepared(order.out, resume=order.resume)
    with held(order.out), _telling(order.out):
        asked = _asked(order, found, knowledge)
        if state is None:
            state = State(asked)
            state.store(order.out)
        else:
            refuse_other(state, asked, order.out)
        if state.stage == "reading":
            state = (read or _read)(order, found, state, progress)
            output.sync(order.out / WORK)
            state.store(order.out)
        if state.stage == "applying":
            _apply(order, knowledge, state, progress)
            state = _finish(order, knowledge, state, progress)
        rmtree(order.out / WORK, ignore_errors=True)
    return state


@contextmanager
def _telling(out: Path) -> Iterator[None]:
    """Say in a sentence that the disk is full, or whatever else ends the writing."""
    try:
        yield
    except OSError as error:
        where = error.filename or out
        raise RunStopped(str(out), f"{where}: {error.strerror or error}") from error
    except sqlite3.Error as error:
        raise RunStopped(str(out), str(error)) from error


def _asked(order: Order, found: Input, knowledge: Knowledge) -> dict[str, object]:
    """Return what must be the same for a run to go on."""
    how = order.how
    return {
        "plans": [canonical_of(knowledge.plan(name)) for name in how.plans],
        "now": how.now.isoformat(),
        "parameters": {name: list(values) for name, values in sorted(how.parameters.items())},
        "format": how.form,
        "explain": how.explain,
        "seconds": how.seconds,
        "limit": order.limit,
        "decisions": order.decisions,
        "content": knowledge.fingerprint,
        "input": fingerprint(found.files),
    }


def _read(order: Order, found: Input, state: State, progress: Progress) -> State:
    """Sort the lines of the input into parts; one that was begun is begun again."""
    work = order.out / WORK
    rmtree(work)
    work.mkdir()
    count = count_for(found.size)
    made = distribute(
        found, work, count, limit=order.limit, progress=lambda n: progress("reading", n, 0)
    )
    with output.beside(work / TOLD) as file:
        file.writelines(one.as_line() for one in made.told)
    return applying(
        state,
        parts=count,
        files=tuple((file.name, file.base) for file in found.files),
        patients=made.patients if order.limit is None else min(made.patients, order.limit),
        lines=made.lines,
        types=dict(sorted(made.types.items())),
        unused=dict(sorted(made.unused.items())),
        errors=sum(one.severity == "error" for one in made.told),
        remarks=made.remarks(),
        with_shared=made.shared > 0,
    )


def _apply(order: Order, knowledge: Knowledge, state: State, progress: Progress) -> None:
    work = order.out / WORK
    done = set(output.done_parts(work))
    parts = [n for n in range(state.parts) if n not in done and part_file(work, n).exists()]
    before = output.counts_of(work, done).patients
    how = replace(order.how, remarks=state.remarks)
    Workers(
        Job(work, state.files, how, state.with_shared),
        knowledge,
        parts,
        count=order.workers,
        start=order.start,
        patients=state.patients - before,
        progress=lambda n: progress("applying", before + n, state.patients),
    ).run()


def _finish(order: Order, knowledge: Knowledge, state: State, progress: Progress) -> State:
    """Write the final files, in the order of the parts, and say that the run is done."""
    out, work = order.out, order.out / WORK
    parts = output.done_parts(work)
    progress("writing", 0, 0)
    files = {
        kind: [output.result_file(work, part, kind) for part in parts]
        for kind in (output.CAREPLANS, output.ROWS, output.ERRORS)
    }
    output.put_together(files[output.CAREPLANS], out / _PLANS[order.how.form])
    output.put_together([work / TOLD, *files[output.ERRORS]], out / "errors.ndjson")
    _decisions(order, files[output.ROWS])
    counts = output.counts_of(work, parts) + Counts(errors=state.errors)
    phases = phases_of(knowledge)
    output.write(summary_json(counts, phases), out / "summary.json")
    output.write(summary_html(counts, phases), out / "summary.html")
    output.sync(out)
    state = replace(state, stage="done", patients=counts.patients, errors=counts.errors)
    state.store(out)
    return state


def _decisions(order: Order, rows: list[Path]) -> None:
    if order.decisions == "ndjson":
        output.put_together(rows, order.out / "decisions.ndjson")
    elif order.decisions == "parquet":
        target = order.out / "decisions.parquet"
        made = order.out / WORK / "decisions.parquet"
        parquet(rows, made)
        output.sync(made)
        made.replace(target)
