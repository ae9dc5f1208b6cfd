"""`carepath list` and `carepath show`: the definitions that are loaded."""

from pathlib import Path
from typing import Any

import click

from carepath.command.options import content_option, knowledge_of, pretty
from carepath.command.refusing import refusing
from carepath.errors import InvalidParameter


@click.command(name="list")
@click.option(
    "--type",
    "resource_type",
    default="PlanDefinition",
    show_default=True,
    help="The kind of definition.",
)
@content_option
def list_(resource_type: str, content: tuple[Path, ...]) -> None:
    """List the definitions: id, version and title."""
    with refusing():
        for definition in knowledge_of(content).all(resource_type):
            title = definition.get("title") or definition.get("name", "")
            click.echo(f"{definition['id']:<32} {definition.get('version', '-'):<8} {title}")


@click.command()
@click.argument("name")
@content_option
def show(name: str, content: tuple[Path, ...]) -> None:
    """Print the definition with this id or canonical (`Type/id` where ids are the same)."""
    with refusing():
        click.echo(pretty(_named(name, knowledge_of(content))), nl=False)


def _named(name: str, knowledge: Any) -> Any:
    """Return the definition with this canonical or id; raises when there is none, or several."""
    found = knowledge.find(name)
    if found is not None:
        return found
    same = [d for kind in knowledge.types() for d in knowledge.all(kind) if d.get("id") == name]
    kinds = {definition["resourceType"] for definition in same}
    if len(kinds) > 1:
        expected = " or ".join(f"`{kind}/{name}`" for kind in sorted(kinds))
        raise InvalidParameter("NAME", name, expected)
    return knowledge.definition(kinds.pop(), name) if kinds else knowledge.resolve(name)
