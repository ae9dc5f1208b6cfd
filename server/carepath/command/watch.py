"""`carepath watch DIR`: the check of a folder again after each change.

https://watchfiles.helpmanual.io/
"""

import sys
from pathlib import Path

import click

from carepath.command.check import report_of
from carepath.command.refusing import REFUSED
from carepath.errors import CarepathError

_TICK = 300
"""How often, in milliseconds, the watch looks up when nothing has changed."""


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--tables", is_flag=True, help="Print the decision tables, with the cases in them.")
def watch(folder: Path, tables: bool) -> None:
    """Check a folder now and after each change, until Ctrl-C."""
    try:
        from watchfiles import Change, DefaultFilter
        from watchfiles import watch as changes
    except ImportError:
        click.echo("error: watchfiles is not installed: pip install 'carepath[watch]'", err=True)
        sys.exit(REFUSED)
    seen, root = DefaultFilter(), folder.resolve()

    def counts(change: Change, path: str) -> bool:
        return seen(change, path) and _is_content(_name(path, root))

    # The first check comes when the watch has begun, so that no change falls between the two.
    ticks = changes(
        folder,
        watch_filter=counts,
        rust_timeout=_TICK,
        yield_on_timeout=True,
        raise_interrupt=False,
    )
    for number, found in enumerate(ticks):
        if found:
            names = ", ".join(sorted({_name(path, root) for _, path in found}))
            click.echo(f"\nchanged: {names}")
        if found or number == 0:
            _tell(folder, tables)


def _tell(folder: Path, tables: bool) -> None:
    """Print what a check finds; what cannot be read is a sentence, and the watch goes on."""
    try:
        lines = report_of(folder, tables=tables).lines
    except CarepathError as error:
        lines = (f"error: {error}",)
    for line in lines:
        click.echo(line)
    sys.stdout.flush()


def _is_content(name: str) -> bool:
    """Tell whether a name is that of something in the folder, and nothing in it is hidden."""
    parts = Path(name).parts
    return bool(parts) and not any(part.startswith(".") for part in parts)


def _name(path: str, folder: Path) -> str:
    """Return the name of a file in the folder, by whatever links the watcher got there."""
    found = Path(path)
    real = found.parent.resolve() / found.name
    return str(real.relative_to(folder)) if real.is_relative_to(folder) else found.name
