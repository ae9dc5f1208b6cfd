"""Lines of Python, the names in them, and what is known at each place.

Each part of an expression that was computed is remembered for the block it stands in and the
blocks inside, so that the same part is not computed again.  What does not depend on the item of
a loop is computed by the first round that needs it, for all.
"""

from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from types import CodeType
from typing import Any, Literal

from carepath.fhirpath.nodes import Ast, Call, EmptySet, Member, focus_of
from carepath.fhirpath.nodes import Literal as LiteralNode
from carepath.fhirpath.run.compiler import Compiler
from carepath.fhirpath.run.written import steps
from carepath.fhirpath.run.written.runtime import RUNTIME
from carepath.fhirpath.run.written.structural_key import Shapes
from carepath.fhirpath.values.access import Key

_DEEPEST_LOOP = 12
"""Python allows twenty loops inside each other."""


Form = Literal["items", "truth", "text"]
"""As what a part is wanted: a collection; True, False or None; its one text or None."""
Emit = Callable[["Writer", Ast, str], str]
"""Writes what computes a part for the item of this name; returns the name that holds it."""


@lru_cache(maxsize=256)
def _compiled(source: str) -> CodeType:
    """Return the code of a source; expressions that differ only in constants have the same."""
    return compile(source, "<fhirpath>", "exec")


class Writer:
    """Writes one function of a context and an item."""

    def __init__(self, compiler: Compiler, forms: Mapping[Form, Emit]) -> None:
        self.compiler = compiler
        self.forms = forms
        self.loops = 0
        self._lines: list[str] = []
        self._memos: list[str] = []
        self._constants: dict[str, Any] = {}
        self._names: dict[int, str] = {}
        self._known: list[dict[Hashable, str]] = [{}]
        self._shapes = Shapes(compiler.text)
        self._count = 0

    def items(self, node: Ast, this: str) -> str:
        """Write what gives the collection of a part; return the name that holds it."""
        return self._part("items", node, this)

    def truth(self, node: Ast, this: str) -> str:
        """Write what gives True, False or None; return the name that holds it."""
        return self._part("truth", node, this)

    def text(self, node: Ast, this: str) -> str:
        """Write what gives the one text or None; return the name that holds it."""
        return self._part("text", node, this)

    def closure(self, node: Ast, this: str) -> str:
        """Write a call of the closure of a part: nobody wrote a quicker form for it."""
        evaluator = self.constant(self.compiler.items(node))
        return self.put("v", f"{evaluator}(context, {this})")

    def source(self, node: Call, this: str) -> str:
        """Write what a function is applied to; return the name that holds it."""
        return self.items(focus_of(node), this)

    def member(self, node: Member, this: str, key: Key) -> str:
        """Write a path step; with a key of two parts `source.name.ofType(T)`."""
        return steps.member(self, node, this, key)

    def inner(self, node: Ast) -> Any:
        """Return a function of its own for a part."""
        writer = Writer(self.compiler, self.forms)
        return writer.function(writer.items(node, "this"))

    def _part(self, form: Form, node: Ast, this: str) -> str:
        free = self._shapes.is_free(node)
        key = (form, "" if free else this, self._shapes.of(node))
        name = self._find(key)
        if name is None:
            emit = self.forms[form]
            if free and self.loops and not isinstance(node, LiteralNode | EmptySet):
                name = self._once(lambda: emit(self, node, this))
            else:
                name = emit(self, node, this)
            self._known[-1][key] = name
        return name

    @property
    def is_deep(self) -> bool:
        """Whether no further loop fits."""
        return self.loops >= _DEEPEST_LOOP

    def line(self, text: str) -> None:
        """Write one statement where we are."""
        self._lines.append("    " * len(self._known) + text)

    def fresh(self, letter: str) -> str:
        """Return a name that nothing has yet."""
        self._count += 1
        return f"{letter}{self._count}"

    def constant(self, value: Any) -> str:
        """Return the name under which the function finds a value."""
        name = self._names.get(id(value))
        if name is None:
            name = self._names[id(value)] = self.fresh("k")
            self._constants[name] = value
        return name

    def spend(self, source: str) -> None:
        """Write the count of the items that a loop looks at."""
        self.line(f"context.steps -= len({source})")
        self.line("if context.steps < 0: context.spend(0)")

    def put(self, letter: str, expression: str) -> str:
        """Write an assignment to a fresh name and return the name."""
        name = self.fresh(letter)
        self.line(f"{name} = {expression}")
        return name

    @contextmanager
    def block(self, header: str) -> Iterator[None]:
        """Write a compound statement; what is remembered inside is forgotten at its end."""
        self.line(header)
        self._known.append({})
        try:
            yield
        finally:
            self._known.pop()

    @contextmanager
    def loop(self, items: str) -> Iterator[str]:
        """Write a loop and give the name of its item."""
        item = self.fresh("i")
        self.loops += 1
        with self.block(f"for {item} in {items}:"):
            yield item
        self.loops -= 1

    def _find(self, key: Hashable) -> str | None:
        """Return the name that holds a part here, None when it has not been computed."""
        return next((scope[key] for scope in reversed(self._known) if key in scope), None)

    def _once(self, emit: Callable[[], str]) -> str:
        """Write what is computed by the first round of the loops that comes here."""
        name = self.fresh("m")
        self._memos.append(name)
        outside, self.loops = self.loops, 0
        with self.block(f"if {name} is UNSET:"):
            self.line(f"{name} = {emit()}")
        self.loops = outside
        return name

    def function(self, result: str) -> Any:
        """Return the function that was written, with the name of its result."""
        head = [f"    {name} = UNSET" for name in self._memos]
        tail = [f"    return {result}"]
        source = "\n".join(["def expression(context, this):", *head, *self._lines, *tail])
        space = {**RUNTIME, **self._constants}
        # Only our own words stand in the source: see the package's first lines.
        exec(_compiled(source), space)  # noqa: S102
        return space["expression"]
