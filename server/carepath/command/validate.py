"""`carepath validate`: one resource against R4, its invariants and profiles.

https://hl7.org/fhir/R4/resource-operation-validate.html
"""

import sys
from pathlib import Path
from typing import Any

import click

from carepath.command.options import content_option, knowledge_of
from carepath.command.refusing import REFUSED, refusing


@click.command()
@click.argument("file", type=click.File("rb"))
@click.option(
    "--profile",
    multiple=True,
    help="Canonical of a profile to check against; several may be given.",
)
@content_option
def validate(file: Any, profile: tuple[str, ...], content: tuple[Path, ...]) -> None:
    """Check the resource in FILE against R4, its invariants and profiles."""
    from carepath.command.reading import read_resource
    from carepath.validation import validate as check

    with refusing():
        knowledge = knowledge_of(content)
        resource = read_resource(file.read(), check=False)
        issues = check(
            resource,
            definitions=lambda url: knowledge.find(url, resource_type="StructureDefinition"),
            terminology=knowledge.terminology,
            profiles=profile,
        )
    for issue in issues:
        click.echo(f"{issue.severity}: {', '.join(issue.expression) or '-'}: {issue.diagnostics}")
    errors = sum(issue.is_error for issue in issues)
    click.echo(f"{errors} errors, {len(issues) - errors} other issues")
    sys.exit(REFUSED if errors else 0)
