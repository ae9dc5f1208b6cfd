"""Options that several commands have, and what becomes of them."""

from datetime import datetime
from pathlib import Path
from typing import Any

import click

from carepath.errors import InvalidParameter
from carepath.formats.json import decode, encode


class AwareDateTime(click.ParamType[datetime]):
    """A moment with a time zone, as in `2026-03-31T09:15:00+04:00`."""

    name = "datetime"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        """Return the moment; a text without a zone is wrong usage."""
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"`{value}` is no date and time such as 2026-03-31T09:15:00+04:00")
        if moment.tzinfo is None:
            self.fail(f"`{value}` has no time zone; write 2026-03-31T09:15:00+04:00")
        return moment


content_option = click.option(
    "--content",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    multiple=True,
    help="A folder with further definitions; may be given several times.",
)

subject_option = click.option(
    "--subject", default=None, help="The patient, as `Patient/x`, when the data holds several."
)

parameters_option = click.option(
    "--parameters", default="{}", help="A JSON object of deployment parameters by name."
)


def knowledge_of(content: tuple[Path, ...], beside: Any = None) -> Any:
    """Return the shipped knowledge with the deployment's own folders; raises ContentError.

    Another knowledge to which they are added may be given.

    Files of them that are not read, though they look as if they should be, are told of.
    """
    from carepath.knowledge import Knowledge, passed_over

    knowledge = Knowledge.shipped() if beside is None else beside
    for folder in content:
        knowledge = knowledge.with_folder(folder)
        for one in passed_over(folder):
            click.echo(f"warning: {folder / one.name}: {one.sentence}", err=True)
    return knowledge


def parameters_of(text: str) -> dict[str, list[Any]]:
    """Return the deployment parameters as lists by name; raises InputError."""
    given = decode(text.encode())
    if not isinstance(given, dict):
        raise InvalidParameter("parameters", text, 'a JSON object such as {"source-s1": "off"}')
    return {name: value if isinstance(value, list) else [value] for name, value in given.items()}


def pretty(value: Any) -> str:
    """Return a value as JSON with one element a line."""
    return encode(value, pretty=True).decode()
