"""`carepath pages DIR --out html`: the pages of a folder of content as files."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from carepath.command.refusing import REFUSED, refusing
from carepath.errors import InvalidParameter

if TYPE_CHECKING:
    from carepath.web.explorer.site import Content

_MADE_HERE = b'<meta name="generator" content="carepath pages">'
"""What our pages say of themselves: in a folder without it nothing is written or removed."""


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help="The folder to write to: a new or an empty one, or one that holds pages already.",
)
@click.option(
    "--cases",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    multiple=True,
    help="A folder with case files beside those of DIR.",
)
def pages(folder: Path, out: Path, cases: tuple[Path, ...]) -> None:
    """Write a page for each pathway of a folder; they need no service."""
    from carepath.command.folders import not_read
    from carepath.web.explorer.site import pages_of

    with refusing():
        _refuse_other_folder(out)
        made = pages_of(content_of(folder, cases))
    told = list(not_read([folder]))
    for finding in told:
        click.echo(str(finding), err=True)
    try:
        _write(out, made)
    except OSError as error:
        click.echo(f"error: `{out}` cannot be written: {error.strerror}.", err=True)
        sys.exit(REFUSED)
    count = sum(name.endswith(".html") for name in made)
    click.echo(f"{count} pages; begin with {out / 'index.html'}")


def content_of(folder: Path, cases: tuple[Path, ...] = ()) -> "Content":
    """Return the content of a folder with its cases; raises ContentError."""
    from carepath.authoring.cases import case_files, read_case, read_cases
    from carepath.command.folders import loaded_from, own_definitions
    from carepath.web.explorer.site import Content

    loaded = loaded_from([folder])
    own_cases = [read_case(path) for path in case_files(folder)]
    others = [case for place in cases for case in read_cases(place)]
    return Content(
        name=folder.resolve().name,
        own=tuple(own_definitions(loaded)),
        cases=(*own_cases, *others),
        knowledge=loaded.knowledge,
    )


def _refuse_other_folder(out: Path) -> None:
    """Raise InvalidParameter for a folder that holds something else than pages made here."""
    if not out.is_dir() or not any(out.iterdir()):
        return
    front = out / "index.html"
    if not front.is_file() or _MADE_HERE not in front.read_bytes():
        expected = "a new or an empty folder, or one that holds pages already"
        raise InvalidParameter("--out", str(out), expected)


def _write(out: Path, made: Mapping[str, bytes]) -> None:
    """Write files; pages of pathways that are no longer there are removed."""
    for name, data in made.items():
        path = out / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    for path in (out / "pathways").glob("*"):
        if path.suffix in (".html", ".svg") and f"pathways/{path.name}" not in made:
            path.unlink()
