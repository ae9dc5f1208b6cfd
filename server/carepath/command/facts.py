"""`carepath facts`: what is known of one patient, on what it rests, and what was left out."""

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


@click.command(name="facts")
@click.argument("file", type=click.File("rb"))
@click.option(
    "--library",
    default=None,
    help="Id or canonical of the Library; the one that the plans name when absent.",
)
@subject_option
@click.option("--now", type=AwareDateTime(), default=None, help="The moment; now when absent.")
@parameters_option
@click.option("--all", "auxiliary", is_flag=True, help="Also the facts that only serve others.")
@click.option(
    "--format",
    "output",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="What to print.",
)
@content_option
def facts(file: Any, output: str, content: tuple[Path, ...], **options: Any) -> None:
    """Print every fact about the patient in FILE, and what was left out (`-` for standard input).

    For each fact: its value, the resources that it rests on, and why it is not known.
    """
    from carepath.command.facts_text import facts_json, facts_text

    with refusing():
        report = _report(file.read(), knowledge_of(content), **options)
        text = facts_text(report) if output == "text" else pretty(facts_json(report))
        click.echo(text, nl=False)


def _report(
    data: bytes,
    knowledge: Any,
    *,
    library: str | None,
    subject: str | None,
    now: datetime | None,
    parameters: str,
    auxiliary: bool,
) -> Any:
    """Read, check and work out the facts; raises errors of ours only."""
    from carepath.apply.explain.facts import fact_library, facts_of, plan_of
    from carepath.command.reading import apply_request, read_data

    read = read_data(data)
    found = fact_library(library, knowledge)
    plan = plan_of(found)
    request = apply_request(
        read,
        knowledge.with_definitions([plan]),
        pathway=plan["id"],
        subject=subject,
        now=now or datetime.now().astimezone(),
        parameters=parameters_of(parameters),
    )
    return facts_of(request, found, knowledge, auxiliary=auxiliary)
