"""`carepath new NAME`: the files of a new pathway, which hold together from the start."""

import re
from pathlib import Path
from typing import Any

import click

from carepath.command.refusing import refusing
from carepath.errors import InvalidParameter
from carepath.formats.json import encode

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_LONGEST = 40
_ROOT = re.compile(r"https?://[^\s|#?]+[^\s|#?/]")


@click.command()
@click.argument("name")
@click.option(
    "--content",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(),
    help="The folder in which the folder of the pathway is made; here without it.",
)
@click.option(
    "--root",
    default="https://example.org/fhir",
    show_default=True,
    help="What the urls of your definitions begin with.",
)
def new(name: str, content: Path, root: str) -> None:
    """Write the files of a new pathway: plan, activity, facts, cases and a README."""
    from carepath.authoring.scaffold import files_of

    with refusing():
        if not _NAME.fullmatch(name) or len(name) > _LONGEST:
            expected = f"small letters, digits and single hyphens, {_LONGEST} at most: lung-nodule"
            raise InvalidParameter("NAME", name, expected)
        if not _ROOT.fullmatch(root):
            raise InvalidParameter("--root", root, "a url such as https://hospital.example/fhir")
        folder = content / name
        if folder.exists():
            raise InvalidParameter("NAME", name, f"a name of which there is no `{folder}` yet")
        for path, value in files_of(name, root).items():
            _write(folder / path, value)
            click.echo(folder / path)
    click.echo(f"Next: carepath check {folder}")


def _write(file: Path, value: Any) -> None:
    """Write a text, or a value as JSON; raises InvalidParameter where nothing can be written."""
    content = value.encode() if isinstance(value, str) else encode(value, pretty=True)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    except OSError as error:
        expected = f"a folder that can be written to ({error.strerror})"
        raise InvalidParameter("--content", str(file.parent), expected) from error
