"""`carepath diff OLD NEW`: which patients get another plan when the content changes."""

import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from carepath.command.options import (
    AwareDateTime,
    knowledge_of,
    parameters_of,
    parameters_option,
)
from carepath.command.refusing import DIFFERENT, TROUBLE, refusing
from carepath.errors import InvalidParameter

if TYPE_CHECKING:
    from carepath.authoring.compare import Comparison

SHIPPED = "shipped"
_FORMATS = ("text", "markdown", "html")


@click.command()
@click.argument("old")
@click.argument("new")
@click.option(
    "--patients",
    type=click.Path(exists=True, path_type=Path),
    required=True,
    help="A folder of Bundles, a Bundle, NDJSON with a Bundle in each line, or case files.",
)
@click.option(
    "--pathway",
    default=None,
    help="Id or canonical of the plan; that of a case, or the one top-level plan, when absent.",
)
@click.option(
    "--now",
    type=AwareDateTime(),
    default=None,
    help="The moment to apply at, for who is no case; now when absent.",
)
@parameters_option
@click.option(
    "--alone", is_flag=True, help="The folders are all there is, without the shipped content."
)
@click.option(
    "--format", "output", type=click.Choice(_FORMATS), default="text", show_default=True,
    help="What to print.",
)  # fmt: skip
def diff(old: str, new: str, patients: Path, output: str, alone: bool, **options: Any) -> None:
    """Tell which patients get another plan when content OLD becomes NEW, by action.

    Each is a folder with definitions, or the word `shipped`.  The exit code is 0 when no plan
    differs, 1 when some do, and 2 when something cannot be read or compared.
    """
    from carepath.authoring.compare import compare
    from carepath.command.patients import Terms, patients_in

    with refusing(TROUBLE):
        terms = Terms(
            now=options["now"] or datetime.now().astimezone(),
            pathway=options["pathway"],
            parameters=parameters_of(options["parameters"]),
        )
        before, after = ((name, _content(name, alone)) for name in (old, new))
        comparison = compare(patients_in(patients, terms), before, after)
        if not comparison.compared and not comparison.problems:
            raise InvalidParameter("--patients", str(patients), "a folder or file with patients")
    click.echo(_outputs()[output](comparison), nl=False)
    sys.exit(TROUBLE if comparison.problems else DIFFERENT if comparison.found else 0)


def _content(name: str, alone: bool) -> Any:
    """Return the content of a name; raises ContentError, InvalidParameter for no folder."""
    from carepath.knowledge import Knowledge

    if name == SHIPPED:
        return Knowledge.shipped()
    folder = Path(name)
    if not folder.is_dir():
        raise InvalidParameter("OLD or NEW", name, f"a folder, or `{SHIPPED}`")
    return knowledge_of((folder,), Knowledge.of(()) if alone else None)


def _outputs() -> dict[str, Callable[["Comparison"], str]]:
    from carepath.authoring.compare.pages import as_html, as_markdown
    from carepath.authoring.compare.report import as_text

    return {"text": as_text, "markdown": as_markdown, "html": as_html}
