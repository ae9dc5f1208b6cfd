"""`carepath authorisation`: what the registry of clients holds, made and checked."""

import sys
from pathlib import Path

import click

from carepath.command.refusing import refusing


@click.group()
def authorisation() -> None:
    """Make passwords and tokens for the registry of clients, and check it."""


@authorisation.command("hash")
def hash_() -> None:
    """Read a password, from the terminal or standard input, and print what the registry keeps."""
    from carepath.web.authorisation.credentials import kept_password, new_salt

    stream = sys.stdin
    if stream.isatty():
        password = click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    else:
        password = stream.readline().rstrip("\r\n")
    if not password:
        raise click.UsageError("there is no password to keep")
    click.echo(kept_password(password, new_salt()))


@authorisation.command()
def token() -> None:
    """Print a new token, which is shown only now, and what the registry keeps of it."""
    from carepath.web.authorisation.credentials import kept_token, new_token

    made = new_token()
    click.echo(f"token for the client: {made}")
    click.echo(f"token in the registry: {kept_token(made)}")


@authorisation.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def check(file: Path) -> None:
    """Check a registry, and print who may do what."""
    from carepath.web.authorisation.registry import read_registry
    from carepath.web.authorisation.scopes import text_of

    with refusing():
        registry = read_registry(file)
    known = [client.grant for client in registry.clients]
    known += [one.grant for one in (*registry.issuers, *registry.cds_clients)]
    for grant in known:
        rights = "".join(f" {right}" for right in sorted(grant.rights))
        click.echo(f"{grant.client}: {text_of(grant.scopes)}{rights}")
