"""How functions say that they cannot go on; the outermost layer makes an EvaluationError of it."""

from collections.abc import Sequence
from typing import Any

from carepath.fhirpath.nodes import Ast


class Failure(Exception):
    """An evaluation that cannot go on: why, at which node, with which items in hand."""

    def __init__(self, reason: str, items: Sequence[tuple[Any, ...]] = (), node: Ast | None = None):
        super().__init__(reason)
        self.reason = reason
        self.items = items
        self.node = node


class LimitReached(Failure):
    """An evaluation that was stopped; trying again would only take as long once more."""


def described(value: Any) -> str:
    """Return a short description of a value for messages; never its contents."""
    return "an object" if isinstance(value, dict) else f"a {type(value).__name__}"
