"""`carepath apply`: one plan for one patient, as a resource, as a page or as decisions.

https://hl7.org/fhir/R4/plandefinition-operation-apply.html
"""

import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from carepath.command.options import (
    AwareDateTime,
    content_option,
    knowledge_of,
    parameters_of,
    parameters_option,
    pretty,
    subject_option,
)
from carepath.command.refusing import refusing

FORMATS = ("summary", "text", "patient", "page", "careplan", "bundle", "decisions", "size")


@click.command()
@click.argument("file", type=click.File("rb"))
@click.option(
    "--pathway",
    default=None,
    help="Id or canonical of the plan; the one top-level plan when absent.",
)
@subject_option
@click.option(
    "--now", type=AwareDateTime(), default=None, help="The moment to apply at; now when absent."
)
@parameters_option
@click.option(
    "--format",
    "output",
    type=click.Choice(FORMATS),
    default=None,
    help="What to print: the page as text, the page for the patient as text, the page as HTML to "
    "print, a resource, every decision, or how much was made; text is summary.  [default: summary "
    "on a terminal, else careplan]",
)
@click.option(
    "--explain",
    type=click.Choice(["none", "brief", "full"]),
    default=None,
    help="How much of the reasons the resource holds.  [default: brief]",
)
@click.option(
    "--narrative",
    type=click.Choice(["clinician", "patient"]),
    default=None,
    help="For whom the resource and the HTML page are written.  [default: clinician]",
)
@click.option(
    "--since",
    type=click.File("rb"),
    default=None,
    help="A CarePlan of before; the page tells what has changed.",
)
@click.option(
    "--templates",
    type=click.Path(exists=True, file_okay=False),
    default=None,
    help="A folder of page templates that replace those that are shipped.",
)
@content_option
def apply(file: Any, output: str | None, content: tuple[Path, ...], **options: Any) -> None:
    """Apply a pathway to the bundle in FILE (`-` for standard input)."""
    shape = output or ("summary" if sys.stdout.isatty() else "careplan")
    with refusing():
        applied = _applied(file.read(), knowledge_of(content), shape, **options)
        click.echo(_OUTPUTS[shape](applied), nl=False)


def _applied(data: bytes, knowledge: Any, shape: str, **options: Any) -> Any:
    """Read, check and apply; raises errors of ours only."""
    from carepath.apply import apply_plan
    from carepath.command.reading import apply_request, read_data, read_resource

    since = options["since"]
    request = apply_request(
        read_data(data),
        knowledge,
        pathway=options["pathway"],
        subject=options["subject"],
        now=options["now"] or datetime.now().astimezone(),
        parameters=parameters_of(options["parameters"]),
        explain=options["explain"],
        narrative="patient" if shape == "patient" else options["narrative"],
        previous_plan=read_resource(since.read()) if since is not None else None,
        templates=options["templates"],
    )
    return apply_plan(request, knowledge)


def _text(applied: Any) -> str:
    from carepath.command.plan_text import care_plan_text

    return care_plan_text(applied.care_plan()) + "\n"


def _size(applied: Any) -> str:
    from carepath.command.plan_size import plan_size

    return plan_size(applied.care_plan())


_OUTPUTS: dict[str, Callable[[Any], str]] = {
    "summary": _text,
    "text": _text,
    "patient": _text,
    "page": lambda applied: applied.page() + "\n",
    "careplan": lambda applied: pretty(applied.care_plan()),
    "bundle": lambda applied: pretty(applied.bundle()),
    "decisions": lambda applied: pretty(applied.decisions_document()),
    "size": _size,
}
