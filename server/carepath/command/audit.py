"""`carepath audit verify FILE`: whether an audit trail is as it was written."""

from typing import IO

import click

from carepath.command.refusing import refusing


@click.group()
def audit() -> None:
    """Look after the audit trail."""


@audit.command()
@click.argument("file", type=click.File("rb"))
@click.option("--noted", multiple=True, help="A seal noted before, which has to be in the trail.")
def verify(file: IO[bytes], noted: tuple[str, ...]) -> None:
    """Check every seal of an audit trail, and print the last one, to be noted elsewhere."""
    from carepath.web.audit import chain

    with refusing():
        found = chain.verify(file, noted)
    if found.unfinished:
        click.echo(f"{found.unfinished} unfinished lines, left behind by a crash", err=True)
    click.echo(f"{found.entries} entries, last seal {found.seal}")
