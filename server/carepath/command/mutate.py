"""`carepath mutate DIR`: which mistake in a folder of content would no case of it notice?"""

import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING

import click

from carepath.command.refusing import DIFFERENT, TROUBLE, refusing
from carepath.errors import InvalidContent

if TYPE_CHECKING:
    from carepath.authoring.mutate import Hunt, Mutant

_TOLD_EACH = 5.0
"""After so many seconds the progress is told again."""


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--only", default="", help="Only the mutants whose description holds this text.")
@click.option(
    "--limit", type=click.IntRange(1), default=None, help="At most so many, spread over all."
)
@click.option(
    "--seconds",
    type=click.FloatRange(0, min_open=True),
    default=600,
    show_default=True,
    help="After so long it ends, whatever is left.",
)
@click.option(
    "--cases",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    multiple=True,
    help="A folder with case files beside those of DIR.",
)
@click.option(
    "--equivalent",
    type=click.File("rb"),
    default=None,
    help="A list of the mutants that no patient could tell from the content, with reasons.",
)
def mutate(
    folder: Path,
    only: str,
    limit: int | None,
    seconds: float,
    cases: tuple[Path, ...],
    equivalent: IO[bytes] | None,
) -> None:
    """Make one mistake after another in the plans and facts of a folder, and run its cases.

    A mistake that no case notices survives: nobody would see it.  The exit code is 0 when none
    survives, 1 when some do, and 2 when something cannot be read, the cases do not hold as it is,
    or the time is up before all is tried.
    """
    with refusing(TROUBLE):
        hunt, every = _prepared(folder, cases)
        left_out = _equivalent(equivalent, every)
    chosen = [mutant for mutant in every if only in str(mutant)]
    if limit is not None and limit < len(chosen):
        chosen = [chosen[number * len(chosen) // limit] for number in range(limit)]
    tried = survived = wrong = 0
    for mutant, survives in _tried(chosen, hunt, seconds):
        tried += 1
        if str(mutant) not in left_out:
            survived += survives
            if survives:
                click.echo(f"survived: {mutant}")
        elif not survives:
            wrong += 1
            click.echo(f"not equivalent, a case notices it: {mutant}")
    click.echo(f"{tried} mutants, {survived} survived")
    if tried < len(chosen):
        click.echo(f"error: The time is up; {len(chosen) - tried} were not tried.", err=True)
        sys.exit(TROUBLE)
    sys.exit(DIFFERENT if survived or wrong else 0)


def _prepared(folder: Path, places: Sequence[Path]) -> tuple["Hunt", list["Mutant"]]:
    """Return who looks for a case, and all mutants; raises ContentError."""
    from carepath.authoring.cases import case_files, read_case, read_cases
    from carepath.authoring.mutate import Hunt, mutants_of, witness_of
    from carepath.command.folders import loaded_from, own_definitions

    loaded = loaded_from([folder])
    cases = [read_case(path) for path in case_files(folder)]
    cases += [case for place in places for case in read_cases(place)]
    if not cases:
        raise InvalidContent(str(folder), "cases", "there is no case, so nothing would be noticed")
    hunt = Hunt((witness_of(case, loaded.knowledge) for case in cases), loaded.knowledge)
    for witness in hunt.broken:
        reason = f"it does not hold before any change: {witness.wrong[0]}"
        raise InvalidContent(witness.name, "expect", reason)
    return hunt, list(mutants_of(own_definitions(loaded)))


def _equivalent(file: IO[bytes] | None, every: Sequence["Mutant"]) -> frozenset[str]:
    """Return the mutants that are left out; raises ContentError, also for one there is not."""
    from carepath.authoring.mutate.equivalent import equivalents_in
    from carepath.formats.files import decode_file

    if file is None:
        return frozenset()
    named = equivalents_in(decode_file(file.name, file.read()), file.name)
    for name in sorted(named - {str(mutant) for mutant in every}):
        raise InvalidContent(file.name, "mutant", f"there is no mutant `{name}`")
    return named


def _tried(
    mutants: Sequence["Mutant"], hunt: "Hunt", seconds: float
) -> Iterator[tuple["Mutant", bool]]:
    """Yield each mutant with whether it survives, until the time is up; tell how far it is."""
    from carepath.deadline import Deadline, OutOfTime, until

    told = time.monotonic()
    end = Deadline.after(seconds, time.monotonic)
    for number, mutant in enumerate(mutants):
        if time.monotonic() - told >= _TOLD_EACH:
            told = time.monotonic()
            click.echo(f"{number} of {len(mutants)} tried", err=True)
        try:
            with until(end):
                survives = hunt.survives(mutant)
        except OutOfTime:
            return
        yield mutant, survives
