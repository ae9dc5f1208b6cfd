"""What a part of an expression is, and whether it looks at `$this`."""

from collections.abc import Hashable
from typing import Any

from carepath.fhirpath.functions import FUNCTIONS
from carepath.fhirpath.functions.row import Argument
from carepath.fhirpath.nodes import Ast, Call, Literal, Member, Special, children, walk


class Shapes:
    """Numbers for the parts of one expression: the same for parts that mean the same.

    Each part is looked at once, however deep it stands.
    """

    def __init__(self, text: str) -> None:
        self._has_total = "$total" in text
        self._by_part: dict[int, int] = {}
        self._by_form: dict[Hashable, int] = {}
        self._free: dict[int, bool] = {}
        self._kept: list[Ast] = []
        """The parts, some of which the writer makes: an `id()` is theirs as long as they live."""

    def of(self, node: Ast) -> int:
        """Return the number of a part."""
        found = self._by_part.get(id(node))
        if found is None:
            form = self._form(node)
            self._kept.append(node)
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

    def is_free(self, node: Ast) -> bool:
        """Tell whether a part gives the same whatever `$this` is."""
        found = self._free.get(id(node))
        if found is None:
            self._kept.append(node)
            found = self._free[id(node)] = self._is_free(node)
        return found

    def _is_free(self, node: Ast) -> bool:
        if isinstance(node, Special):
            return False
        if isinstance(node, Member) and node.source is None:
            return False
        if isinstance(node, Call):
            return self._is_free_call(node)
        return all(map(self.is_free, children(node)))

    def _is_free_call(self, node: Call) -> bool:
        function = FUNCTIONS.get(node.name)
        if function is None or len(node.arguments) > function.most:
            return False
        if node.source is None:
            return function.stands_alone and all(map(self.is_free, node.arguments))
        if not self.is_free(node.source):
            return False
        pairs = zip(function.arguments, node.arguments, strict=False)
        return all(self._is_free_argument(row, argument) for row, argument in pairs)

    def _is_free_argument(self, row: Argument, node: Ast) -> bool:
        """Tell whether an argument adds nothing that depends on `$this`.

        In many `$this` is not that of the call; `$total` always is.
        """
        if row.on == "call":
            return self.is_free(node)
        return row.on == "nothing" or not (self._has_total and any(map(_is_total, walk(node))))


def _is_total(node: Ast) -> bool:
    return isinstance(node, Special) and node.name == "$total"
