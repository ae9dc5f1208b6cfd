"""`carepath yaml` and `carepath json`: the same content in the other writing."""

from pathlib import Path

import click

from carepath.command.options import pretty
from carepath.command.refusing import refusing

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command("json")
@click.argument("file", type=_FILE)
def json_(file: Path) -> None:
    """Print FILE, which is JSON or YAML, as JSON."""
    from carepath.formats.files import decode_file

    with refusing():
        click.echo(pretty(decode_file(file.name, file.read_bytes())), nl=False)


@click.command("yaml")
@click.argument("file", type=_FILE)
@click.option(
    "--comments", type=_FILE, default=None, help="A YAML file whose comments are taken over."
)
def yaml_(file: Path, comments: Path | None) -> None:
    """Print FILE, which is JSON or YAML, as YAML; comments stay with their elements."""
    from carepath.formats import yaml
    from carepath.formats.files import YAML, decode_file

    with refusing():
        value = decode_file(file.name, file.read_bytes())
        said = comments or (file if file.name.endswith(YAML) else None)
        kept = yaml.read(said.read_bytes()).comments if said else yaml.Comments()
        click.echo(yaml.encode(value, kept), nl=False)
