"""`carepath watch DIR`: the check of a folder again after each change.

https://watchfiles.helpmanual.io/
"""

import sys
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import click

from carepath.command.check import Report, report_of
from carepath.command.refusing import REFUSED
from carepath.errors import CarepathError

if TYPE_CHECKING:
    from carepath.command.preview_server import PreviewServer

_TICK = 300
"""How often, in milliseconds, the watch looks up when nothing has changed."""


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--tables", is_flag=True, help="Print the decision tables, with the cases in them.")
@click.option("--pages/--no-pages", default=True, help="Show the pages of the folder in a browser.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=None,
    help="Where to show them; 8090, or one that is free.",
)
def watch(folder: Path, tables: bool, pages: bool, port: int | None) -> None:
    """Check a folder now and after each change, and show its pages, until Ctrl-C."""
    from carepath.command.preview import FolderPages

    try:
        changes = _changes(folder)
    except ImportError:
        click.echo("error: watchfiles is not installed: pip install 'carepath[watch]'", err=True)
        sys.exit(REFUSED)
    with _server(port) if pages else nullcontext() as server:
        shown = FolderPages(folder, server.shown) if server else None
        for number, names in enumerate(changes):
            if names:
                click.echo(f"\nchanged: {', '.join(names)}")
            report = _report(folder, tables)
            for line in report.lines:
                click.echo(line)
            if shown:
                shown.renew(report)
            if server and number == 0:
                click.echo(f"pages: {server.address}")
            sys.stdout.flush()


def _server(port: int | None) -> "PreviewServer":
    """Return what shows the pages; end with a sentence where the port is taken."""
    from carepath.command.preview_server import HOST, PreviewServer

    try:
        return PreviewServer(port)
    except OSError as error:
        click.echo(f"error: {HOST}:{port} cannot be listened on: {error.strerror}.", err=True)
        sys.exit(REFUSED)


def _changes(folder: Path) -> Iterator[list[str]]:
    """Return the names of what has changed, each time; nothing the first time, which is at once.

    Raises ImportError where the watcher is not installed.
    """
    from watchfiles import Change, DefaultFilter
    from watchfiles import watch as changes

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
    return (
        sorted({_name(path, root) for _, path in found})
        for number, found in enumerate(ticks)
        if found or number == 0
    )


def _report(folder: Path, tables: bool) -> Report:
    """Return what a check finds; what cannot be read is a sentence, and the watch goes on."""
    try:
        return report_of(folder, tables=tables)
    except CarepathError as error:
        return Report((f"error: {error}",), 1, 0)


def _is_content(name: str) -> bool:
    """Tell whether a name is that of something in the folder, and nothing in it is hidden."""
    parts = Path(name).parts
    return bool(parts) and not any(part.startswith(".") for part in parts)


def _name(path: str, folder: Path) -> str:
    """Return the name of a file in the folder, by whatever links the watcher got there."""
    found = Path(path)
    real = found.parent.resolve() / found.name
    return str(real.relative_to(folder)) if real.is_relative_to(folder) else found.name
