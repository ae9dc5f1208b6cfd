"""`carepath apply`: one plan for one patient, as a resource, as decisions or as text.

https://hl7.org/fhir/R4/plandefinition-operation-apply.html
"""

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
    type=click.Choice(["careplan", "bundle", "decisions", "text"]),
    default="careplan",
    show_default=True,
    help="What to print.",
)
@content_option
def apply(file: Any, output: str, content: tuple[Path, ...], **options: Any) -> None:
    """Apply a pathway to the bundle in FILE (`-` for standard input)."""
    with refusing():
        applied = _applied(file.read(), knowledge_of(content), **options)
        click.echo(_OUTPUTS[output](applied), nl=False)


def _applied(
    data: bytes,
    knowledge: Any,
    pathway: str | None,
    subject: str | None,
    now: datetime | None,
    parameters: str,
) -> Any:
    """Read, check and apply; raises errors of ours only."""
    from carepath.apply import apply_plan
    from carepath.command.reading import apply_request, read_data

    request = apply_request(
        read_data(data),
        knowledge,
        pathway=pathway,
        subject=subject,
        now=now or datetime.now().astimezone(),
        parameters=parameters_of(parameters),
    )
    return apply_plan(request, knowledge)


def _text(applied: Any) -> str:
    from carepath.command.plan_text import care_plan_text

    return care_plan_text(applied.care_plan()) + "\n"


_OUTPUTS: dict[str, Callable[[Any], str]] = {
    "careplan": lambda applied: pretty(applied.care_plan()),
    "bundle": lambda applied: pretty(applied.bundle()),
    "decisions": lambda applied: pretty(applied.decisions_document()),
    "text": _text,
}
