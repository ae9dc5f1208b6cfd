"""`carepath make-patients`: synthetic patients along a pathway, the same ones for the same seed."""

from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import click

from carepath.command.refusing import refusing

FORMS = ("bundles", "export")


@click.command("make-patients")
@click.argument("number", metavar="N", type=click.IntRange(min=0))
@click.option("--seed", type=int, default=0, show_default=True, help="Which patients are made.")
@click.option(
    "--form",
    type=click.Choice(FORMS),
    default="bundles",
    show_default=True,
    help="A Bundle for each patient, a line each, or the files of a Bulk Data export by type.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=None,
    help="The file of the Bundles, or the folder of the export.  [default: standard output]",
)
@click.option(
    "--resources",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="How many resources each patient has at least.",
)
@click.option(
    "--sloppy",
    type=click.FloatRange(0, 1),
    default=0.3,
    show_default=True,
    help="The share of patients whose sender is careless.",
)
@click.option(
    "--people",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    default=None,
    help="A description to draw from, in place of the one that is shipped.",
)
def make_patients(
    number: int, form: str, out: Path | None, people: Path | None, **wish: Any
) -> None:
    """Make N synthetic patients; the same seed gives the same bytes."""
    from carepath.population.people.description import people_of
    from carepath.population.people.writing import bundle_lines, write_export

    with refusing():
        described = people_of(people)
        patients = _patients(described, number, wish)
        if form == "export" and out is None:
            raise click.UsageError("an export is a folder: name it by --out")
        try:
            if form == "export":
                write_export(patients, Path(out or ""), described.now)
            else:
                with click.open_file(str(out or "-"), "wb") as file:
                    _write(bundle_lines(patients), file)
        except OSError as error:
            raise click.ClickException(
                f"`{out or '-'}` cannot be written: {error.strerror}."
            ) from error


def _patients(described: Any, number: int, wish: dict[str, Any]) -> Iterator[list[Any]]:
    from carepath.population.people.making import Wish, as_likely

    wanted = Wish(**wish)
    for index in range(number):
        yield as_likely(described, index, wanted).given


def _write(lines: Iterator[bytes], file: IO[bytes]) -> None:
    for line in lines:
        file.write(line)
