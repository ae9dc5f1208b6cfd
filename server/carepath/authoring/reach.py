"""What definitions lead to: those that they name, by any canonical, and what these name in turn."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from carepath.knowledge import Knowledge
from carepath.resources import Resource

_QUOTED = re.compile(r"'(https?://[^']+)'")


def reached_from(definitions: Iterable[Resource], knowledge: Knowledge) -> list[Resource]:
    """Return definitions with all that they lead to, each once, themselves first."""
    found: dict[int, Resource] = {}
    waiting = list(definitions)
    while waiting:
        definition = waiting.pop(0)
        if id(definition) in found:
            continue
        found[id(definition)] = definition
        for text in dict.fromkeys(_texts(definition)):
            for canonical in (text, *_QUOTED.findall(text)):
                other = knowledge.find(canonical) if canonical.startswith("http") else None
                if other is not None:
                    waiting.append(other)
    return list(found.values())


def _texts(node: Any) -> Iterator[str]:
    if isinstance(node, str):
        yield node
    elif isinstance(node, dict):
        for value in node.values():
            yield from _texts(value)
    elif isinstance(node, list):
        for item in node:
            yield from _texts(item)
