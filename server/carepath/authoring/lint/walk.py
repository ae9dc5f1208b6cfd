"""Walking a definition: its elements with their FHIRPath, its actions, its expressions."""

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from carepath.fhirpath import Expression
from carepath.fhirpath import parse as parse_anew
from carepath.resources import Resource


def elements(node: Any, path: str) -> Iterator[tuple[str, str, Any]]:
    """Yield path, key and value of every element below a node, depth first, in order."""
    if isinstance(node, dict):
        for key, value in node.items():
            yield from _element(key, value, f"{path}.{key}")
    elif isinstance(node, list):
        for index, item in enumerate(node):
            yield from elements(item, f"{path}[{index}]")


def _element(key: str, value: Any, path: str) -> Iterator[tuple[str, str, Any]]:
    yield path, key, value
    yield from elements(value, path)


def actions(plan: Resource) -> Iterator[tuple[str, Resource]]:
    """Yield path and content of every action of a plan, depth first."""

    def below(element: Resource, path: str) -> Iterator[tuple[str, Resource]]:
        for index, action in enumerate(element.get("action", ())):
            place = f"{path}.action[{index}]"
            yield place, action
            yield from below(action, place)

    if plan["resourceType"] == "PlanDefinition":
        yield from below(plan, "PlanDefinition")


def every_expression(definition: Resource) -> Iterator[tuple[str, Resource]]:
    """Yield path and content of every Expression element, whatever its language."""
    for path, key, value in elements(definition, definition["resourceType"]):
        if isinstance(value, dict) and key in ("expression", "valueExpression"):
            yield path, value


def expressions(definition: Resource) -> Iterator[tuple[str, Resource]]:
    """Yield path and content of every Expression element in FHIRPath."""
    for path, _, value in elements(definition, definition["resourceType"]):
        if isinstance(value, dict) and value.get("language") == "text/fhirpath":
            yield path, value


@lru_cache(maxsize=4096)
def parse(text: str) -> Expression:
    """Return an expression, which several rules look at; raises ExpressionSyntaxError."""
    return parse_anew(text)
