"""From the syntax tree to Python closures.

https://hl7.org/fhirpath/#expressions

`Compiler.items` makes an evaluator that returns a collection, `Compiler.truth` one that returns
True, False or None without building a collection; conditions run on the second.  A tracing
compiler wraps every evaluator, so tracing costs nothing when it is off.
"""

from collections.abc import Callable
from typing import Any, TypeVar

from carepath.fhirpath.functions import DEFINING, FOLLOWING, FUNCTIONS, asks_for_places
from carepath.fhirpath.nodes import (
    Ast,
    Binary,
    Call,
    EmptySet,
    Indexer,
    Instance,
    Literal,
    Member,
    SortKey,
    Special,
    TypeTest,
    Unary,
    Variable,
)
from carepath.fhirpath.run import operators
from carepath.fhirpath.run.instances import instance
from carepath.fhirpath.run.steps import first_step, step
from carepath.fhirpath.run.tracing import chosen, traced, traced_step
from carepath.fhirpath.run.variables import variable
from carepath.fhirpath.run.wrappers import in_own_scope, made_when_run, once
from carepath.fhirpath.values.access import Key, spread
from carepath.fhirpath.values.context import Context, Evaluator, Truth
from carepath.fhirpath.values.failure import Failure
from carepath.fhirpath.values.results import EMPTY, as_truth, integer, of_truth, one_integer
from carepath.fhirpath.values.types import MANY, SYSTEM, Item, Items

_T = TypeVar("_T")
Write = Callable[[str, str, Ast], Any]
"""Gives the quick form of a part or None, from `items` or `truth`, the whole text and the part."""


class Compiler:
    """Compiles one expression; `indexed` and its like say what its text makes necessary."""

    __slots__ = (
        "follows",
        "indexed",
        "loops",
        "paths",
        "placed",
        "scoped",
        "text",
        "traced",
        "write",
    )

    def __init__(
        self, text: str, *, traced: bool = False, paths: bool = True, write: Write | None = None
    ) -> None:
        self.text = text
        self.placed = asks_for_places(text)
        self.traced = traced or self.placed
        self.paths = paths or self.placed
        self.write = write
        """Given where it is worth it to write functions for parts that need no tracing."""
        self.indexed = "$index" in text
        self.scoped, self.follows = (any(n in text for n in each) for each in (DEFINING, FOLLOWING))
        self.loops = 0
        """How many loops stand around what is being compiled."""

    def items(self, node: Ast) -> Evaluator:
        """Compile an operand, an argument or a whole expression."""
        evaluator = self.link(node)
        if self.scoped and _defines(node):
            evaluator = in_own_scope(evaluator)
        if self.loops and not self.traced and operators.is_constant(node):
            evaluator = once(evaluator)
        return evaluator

    def link(self, node: Ast) -> Evaluator:
        """Compile what stands before a `.`: variables it defines stay visible after it."""
        evaluator = _ITEMS[type(node)](self, node)
        if not self.traced:
            return evaluator
        evaluator = traced(evaluator)
        if self.write is not None and _chooses(node):
            return chosen(self.unobserved_items(node), evaluator)
        return evaluator

    def unobserved_items(self, node: Ast) -> Evaluator:
        """Compile a part of a traced expression whose own evidence does not matter."""
        if self.placed:
            return self.items(node)
        made: Evaluator = made_when_run(
            lambda: self._written("items", node) or self._plain().items(node)
        )
        return made

    def unobserved_truth(self, node: Ast) -> Truth:
        """Compile a condition of a traced expression whose own evidence does not matter."""
        if self.placed:
            return self.truth(node)
        made: Truth = made_when_run(
            lambda: self._written("truth", node) or self._plain().truth(node)
        )
        return made

    def _written(self, form: str, node: Ast) -> Any:
        """Return the quick form of a part, None where there is none or it is not worth it."""
        return None if self.write is None else self.write(form, self.text, node)

    def _plain(self) -> "Compiler":
        """Return the compiler of the same expression without tracing."""
        plain = Compiler(self.text)
        plain.loops = self.loops + 1
        return plain

    def truth(self, node: Ast) -> Truth:
        """Compile a condition."""
        if not self.traced and not (self.scoped and _defines(node)):
            if isinstance(node, Binary):
                maker = operators.TRUTHS.get(node.operator)
                if maker is not None:
                    return maker(self, node)
            elif isinstance(node, Call):
                made = self._truth_of_call(node)
                if made is not None:
                    return made
        evaluator = self.items(node)

        def truth(context: Context, this: Item) -> bool | None:
            return as_truth(evaluator(context, this))

        return truth

    def _truth_of_call(self, node: Call) -> Truth | None:
        function = FUNCTIONS.get(node.name)
        if function is None or function.truth is None or not function.takes(len(node.arguments)):
            return None
        return function.truth(self, node)

    def source(self, node: Call | Member) -> Evaluator:
        """Compile what a function is applied to; `$this` when nothing stands before it."""
        return self.link(node.source) if node.source is not None else _this

    def member(self, node: Member, key: Key) -> Evaluator:
        """Compile `source.name`; with a key of two parts `source.name.ofType(T)`."""
        if self.traced:
            first = node.source is None
            return traced_step(self.source(node), key, first=first, paths=self.paths)
        if node.source is None:
            return first_step(key)
        return step(self.link(node.source), key)

    def in_loop(self, compile_: Callable[[Ast], _T], node: Ast) -> _T:
        """Compile an argument that is evaluated again and again."""
        self.loops += 1
        try:
            return compile_(node)
        finally:
            self.loops -= 1


def _chooses(node: Ast) -> bool:
    """Tell whether a part only chooses among the items of a variable."""
    if not isinstance(node, Call):
        return False
    function = FUNCTIONS.get(node.name)
    if function is None or not function.only_chooses:
        return False
    return isinstance(node.source, Variable) or (node.source is not None and _chooses(node.source))


def _this(_: Context, this: Item) -> Items:
    return spread(this) if this[1] is MANY else [this]


def _defines(node: Ast) -> bool:
    """Tell whether a variable is defined along the path `a.b().c` itself."""
    current: Ast | None = node
    while isinstance(current, Call | Member | Indexer):
        if isinstance(current, Call) and current.name in DEFINING:
            return True
        current = current.source
    return False


def _literal(_: Compiler, node: Literal) -> Evaluator:
    items = [(node.value, SYSTEM[node.type])]
    return lambda _context, _this: items


def _empty_set(_: Compiler, __: EmptySet) -> Evaluator:
    return lambda _context, _this: EMPTY


def _special(_: Compiler, node: Special) -> Evaluator:
    if node.name == "$this":
        return _this
    if node.name == "$total":
        return lambda context, _: context.total

    def index(context: Context, _: Item) -> Items:
        if context.index is None:
            raise Failure("`$index` stands outside of a loop", (), node)
        return integer(context.index)

    return index


def _variable(compiler: Compiler, node: Variable) -> Evaluator:
    return variable(node, noted=compiler.follows)


def _member(compiler: Compiler, node: Member) -> Evaluator:
    return compiler.member(node, node.name)


def _call(compiler: Compiler, node: Call) -> Evaluator:
    function = FUNCTIONS.get(node.name)
    if function is None:
        raise Failure(f"there is no function `{node.name}`", (), node)
    if not function.takes(len(node.arguments)):
        raise Failure(
            f"`{node.name}()` takes {function.arity}, found {len(node.arguments)}", (), node
        )
    return function.build(compiler, node)


def _indexer(compiler: Compiler, node: Indexer) -> Evaluator:
    source, index = compiler.link(node.source), compiler.items(node.index)

    def evaluate(context: Context, this: Item) -> Items:
        items = source(context, this)
        place = one_integer(index(context, this))
        if place is None or not 0 <= place < len(items):
            return EMPTY
        return [items[place]]

    return evaluate


def _binary(compiler: Compiler, node: Binary) -> Evaluator:
    maker = operators.TRUTHS.get(node.operator)
    if maker is not None:
        truth = maker(compiler, node)
        return lambda context, this: of_truth(truth(context, this))
    return operators.operation(compiler, node)


def _type_test(compiler: Compiler, node: TypeTest) -> Evaluator:
    named = Member(None, node.type, node.at)
    if "." in node.type:
        space, _, bare = node.type.partition(".")
        named = Member(Member(None, space, node.at), bare, node.at)
    return FUNCTIONS[node.operator].build(
        compiler, Call(node.operand, node.operator, (named,), node.at)
    )


def _sort_key(_: Compiler, node: SortKey) -> Evaluator:
    raise Failure("`asc` and `desc` belong in `sort()`", (), node)


_ITEMS: dict[type, Callable[..., Evaluator]] = {
    Literal: _literal,
    EmptySet: _empty_set,
    Special: _special,
    Variable: _variable,
    Member: _member,
    Call: _call,
    Indexer: _indexer,
    Unary: operators.unary,
    Binary: _binary,
    TypeTest: _type_test,
    Instance: instance,
    SortKey: _sort_key,
}
