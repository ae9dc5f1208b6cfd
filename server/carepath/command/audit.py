"""`carepath audit`: what the service has kept of its use."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from carepath.command.refusing import refusing

_QUOTED = "\N{LEFT DOUBLE QUOTATION MARK}{}\N{RIGHT DOUBLE QUOTATION MARK}"
_COLUMNS = ("received", "service", "card", "outcome")


@click.group()
def audit() -> None:
    """Read what the service has kept of its use."""


@audit.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--service", default="", help="Only the feedback on one CDS Service.")
@click.option(
    "--format", "fmt", type=click.Choice(["text", "json"]), default="text", show_default=True,
    help="What to print: a line for each card, or the lines as they were kept.",
)  # fmt: skip
def feedback(file: Path, service: str, fmt: str) -> None:
    """Print what clinicians made of the cards of CDS Hooks, oldest first."""
    from carepath.formats import json as json_codec
    from carepath.web.feedback import entries_in

    with refusing():
        for entry in entries_in(file):
            if service in ("", entry.get("service")):
                shown = json_codec.encode(entry).decode() if fmt == "json" else _line(entry)
                click.echo(shown)


def _line(entry: Mapping[str, Any]) -> str:
    """Return an entry as one line: when, which card, what became of it, and why."""
    columns = [str(entry.get(name, "")) for name in _COLUMNS]
    return "  ".join([*columns, *_why(entry)])


def _why(entry: Mapping[str, Any]) -> Iterator[str]:
    accepted = entry.get("acceptedSuggestions") or ()
    yield from (str(one.get("id", "")) for one in accepted if isinstance(one, Mapping))
    given = entry.get("overrideReason")
    if isinstance(given, Mapping):
        reason = given.get("reason") or {}
        yield str(reason.get("display") or reason.get("code") or "")
        if given.get("userComment"):
            yield _QUOTED.format(given["userComment"])
