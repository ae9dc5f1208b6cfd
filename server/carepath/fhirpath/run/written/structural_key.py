"""What a part of an expression is, and whether it looks at `$this`."""

from collections.abc import Hashable
from typing import Any

from carepath.fhirpath.nodes import Ast, Call, Literal, Member, Special, children

_OF_THE_MOMENT = frozenset({"now", "today", "timeOfDay"})
_ON_EACH = frozenset({"where", "select", "exists", "all", "repeat", "repeatAll", "sort", "agreed"})
"""Functions whose arguments see the items before the dot as `$this`."""


class Shapes:
    """Numbers for the parts of one expression: the same for parts that mean the same.

    Each part is looked at once, however deep it stands; the parts live as long as their tree.
    """

    def __init__(self) -> None:
        self._by_part: dict[int, int] = {}
        self._by_form: dict[Hashable, int] = {}

    def of(self, node: Ast) -> int:
        """Return the number of a part."""
        found = self._by_part.get(id(node))
        if found is None:
            form = self._form(node)
            found = self._by_part[id(node)] = self._by_form.setdefault(form, len(self._by_form))
        return found

    def _form(self, node: Ast) -> Hashable:
        if isinstance(node, Literal):
            return ("Literal", node.type, str(node.value))
        fields = (getattr(node, name) for name in node.__slots__ if name != "at")
        return (type(node).__name__, *map(self._key, fields))

    def _key(self, value: Any) -> Hashable:
        if isinstance(value, tuple):
            return tuple(map(self._key, value))
        # A number of our own is told apart from a number that stands in the expression.
        return ("part", self.of(value)) if hasattr(value, "at") else value


def is_free(node: Ast) -> bool:
    """Tell whether a part gives the same whatever `$this` is."""
    if isinstance(node, Special):
        return False
    if isinstance(node, Member) and node.source is None:
        return False
    if isinstance(node, Call):
        if node.source is None:
            return node.name in _OF_THE_MOMENT or (node.name == "iif" and _are_free(node.arguments))
        if node.name in _ON_EACH:
            return is_free(node.source)
        if node.name in ("is", "as", "ofType"):
            return is_free(node.source)
    return _are_free(children(node))


def _are_free(nodes: tuple[Ast, ...]) -> bool:
    return all(map(is_free, nodes))
