"""`carepath apply-many`: plans for a whole population, and figures about it.

https://hl7.org/fhir/R4/plandefinition-operation-apply.html and
https://hl7.org/fhir/uv/bulkdata/STU2/export.html
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from carepath.command.options import (
    AwareDateTime,
    content_option,
    knowledge_of,
    parameters_of,
    parameters_option,
)
from carepath.command.refusing import INTERRUPTED, refusing

TOKEN = "FHIR_EXPORT_TOKEN"  # noqa: S105 - the name of a variable


@click.command("apply-many")
@click.argument("source", metavar="INPUT")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help="The folder to write to; it must be empty or not there.",
)
@click.option(
    "--pathway",
    multiple=True,
    help="Id or canonical of a plan; may be given several times.  [default: every top-level plan]",
)
@click.option(
    "--now", type=AwareDateTime(), default=None, help="The moment to apply at; now when absent."
)
@parameters_option
@click.option(
    "--format",
    "form",
    type=click.Choice(["careplan", "transaction"]),
    default="careplan",
    show_default=True,
    help="What each line of plans is: a CarePlan, or a transaction for a FHIR server.",
)
@click.option(
    "--explain",
    type=click.Choice(["none", "brief", "full"]),
    default="brief",
    show_default=True,
    help="How much of the reasons the plans hold.",
)
@click.option(
    "--decisions",
    type=click.Choice(["parquet", "ndjson", "none"]),
    default="parquet",
    show_default=True,
    help="How the table of decisions is written.",
)
@click.option(
    "--workers",
    type=click.IntRange(1, 256),
    default=None,
    help="Processes.  [default: one for each processor]",
)
@click.option("--limit", type=click.IntRange(1), default=None, help="Only so many patients.")
@click.option("--resume", is_flag=True, help="Go on with the run in the folder.")
@click.option(
    "--patient-seconds",
    type=click.FloatRange(0.001),
    default=120.0,
    show_default=True,
    help="How long the work for one patient may take.",
)
@click.option(
    "--allow-host",
    multiple=True,
    help="A host that an export may be fetched from; may be given several times.",
)
@click.option(
    "--start-method",
    "start",
    type=click.Choice(["spawn", "forkserver", "fork"]),
    default="spawn",
    show_default=True,
    help="How processes are made.",
)
@click.option(
    "--engine",
    type=click.Choice(["local", "spark"]),
    default="local",
    show_default=True,
    help="Who does the work: processes of this machine, or Spark.",
)
@click.option(
    "--master",
    default=None,
    help="The Spark master, as `local[4]` or a URL.  [default: what Spark is configured for]",
)
@content_option
def apply_many(source: str, content: tuple[Path, ...], **options: Any) -> None:
    """Apply pathways to all patients of INPUT: a file, a folder, or the URL of a `$export`."""
    with refusing(), _interruptible(options["out"]):
        knowledge = knowledge_of(content)
        state = _run(source, knowledge, options)
    click.echo(
        f"{state.patients} patients, {state.errors} errors; see {options['out'] / 'summary.html'}",
        err=True,
    )


def _run(source: str, knowledge: Any, options: dict[str, Any]) -> Any:
    """Make the order and carry it out; raises errors of ours only."""
    from carepath.population.run import run

    order = _order(_input(source, options), knowledge, options)
    with _progress() as progress:
        if options["engine"] == "local":
            return run(order, knowledge, progress)
        from carepath.population.spark.engine import on_cluster, session

        with session(options["master"]) as spark:
            return run(order, knowledge, progress, on_cluster(spark, knowledge))


def _input(source: str, options: dict[str, Any]) -> Path:
    """Return the folder or file of the input; an export is fetched first."""
    if not source.startswith(("http://", "https://")):
        return Path(source)
    from carepath.population.sources.export import Asked, fetch

    asked = Asked(source, tuple(options["allow_host"]), os.environ.get(TOKEN, ""))
    return fetch(asked, options["out"].with_name(options["out"].name + ".input"))


def _order(source: Path, knowledge: Any, options: dict[str, Any]) -> Any:
    from carepath.knowledge import top_level_plans
    from carepath.population.one_patient import How
    from carepath.population.run import Order
    from carepath.resources import canonical_of

    plans = options["pathway"] or map(canonical_of, top_level_plans(knowledge))
    return Order(
        source=source,
        out=options["out"],
        how=How(
            plans=tuple(plans),
            now=options["now"] or _moment(options),
            parameters=parameters_of(options["parameters"]),
            form=options["form"],
            explain=options["explain"],
            seconds=options["patient_seconds"],
        ),
        workers=options["workers"] or _processors(),
        limit=options["limit"],
        decisions=options["decisions"],
        resume=options["resume"],
        start=options["start"],
    )


def _processors() -> int:
    """Return how many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _moment(options: dict[str, Any]) -> datetime:
    """Return the moment of the run that goes on, or now."""
    from carepath.population.state import kept

    state = kept(options["out"]) if options["resume"] else None
    if state is not None:
        return datetime.fromisoformat(state.asked["now"])
    return datetime.now().astimezone()


@contextmanager
def _interruptible(out: Path) -> Iterator[None]:
    """Say after Ctrl-C how the run goes on."""
    try:
        yield
    except KeyboardInterrupt:
        click.echo(f"\nStopped. What is done is kept in `{out}`; `--resume` goes on.", err=True)
        sys.exit(INTERRUPTED)


@contextmanager
def _progress() -> Iterator[Any]:
    """Give what shows the progress on a terminal; nothing is shown elsewhere."""
    if not sys.stderr.isatty():
        yield lambda stage, done, total: None
        return
    shown = _Shown()
    try:
        yield shown.see
    finally:
        shown.close()


class _Shown:
    """A bar for the patients, with rate and time left; a line for the other stages."""

    def __init__(self) -> None:
        self._stage = ""
        self._bar: Any = None
        self._start = (0, 0.0)

    def see(self, stage: str, done: int, total: int) -> None:
        """Show how far a stage is."""
        import time

        if stage != self._stage:
            self.close()
            self._stage, self._start = stage, (done, time.monotonic())
            if total:
                self._bar = click.progressbar(
                    length=total, label=stage, file=sys.stderr, show_pos=True,
                    item_show_func=self._rate, update_min_steps=1,
                )  # fmt: skip
                self._bar.__enter__()
        if self._bar is not None:
            passed = time.monotonic() - self._start[1]
            rate = (done - self._start[0]) / passed if passed else 0.0
            self._bar.update(max(0, min(done, self._bar.length) - self._bar.pos), rate)
        elif stage == "reading":
            click.echo(f"\rreading: {done} lines", nl=False, err=True)

    @staticmethod
    def _rate(rate: float | None) -> str | None:
        return None if rate is None else f"{rate:.1f}/s"

    def close(self) -> None:
        """End the line of a stage."""
        if self._bar is not None:
            self._bar.__exit__(None, None, None)
            self._bar = None
        elif self._stage == "reading":
            click.echo(err=True)
