"""The shape of the function table, and how its rows are compiled."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from carepath.fhirpath.nodes import Call
from carepath.fhirpath.values.context import Context, Evaluator
from carepath.fhirpath.values.failure import Failure
from carepath.fhirpath.values.types import Item, Items

if TYPE_CHECKING:
    from carepath.fhirpath.run.compiler import Compiler

Builder = Callable[["Compiler", Call], Evaluator]
Plain = Callable[..., Items]


class Function(NamedTuple):
    """One row: how many arguments it takes and how a call of it is compiled."""

    least: int
    most: int
    build: Builder
    operate: Plain | None = None
    """What a plain row does with its collections."""

    def takes(self, count: int) -> bool:
        """Tell whether the function may be called with so many arguments."""
        return self.least <= count <= self.most

    @property
    def arity(self) -> str:
        """How many arguments, in words for a message."""
        if self.least == self.most:
            return f"{self.least} argument{'' if self.least == 1 else 's'}"
        return f"{self.least} to {self.most} arguments"


Table = Mapping[str, Function]


def plain(operate: Plain, least: int = 0, most: int | None = None) -> Function:
    """A row for `operate(context, items, *arguments)`, the arguments being collections."""

    def build(compiler: "Compiler", node: Call) -> Evaluator:
        source = compiler.source(node)
        arguments = [compiler.items(argument) for argument in node.arguments]

        def evaluate(context: Context, this: Item) -> Items:
            items = source(context, this)
            try:
                context.spend_on(len(items))
                return operate(context, items, *[a(context, this) for a in arguments])
            except Failure as failure:
                raise located(failure, node, items) from None

        return evaluate

    return Function(least, least if most is None else most, build, operate)


def looping(operate: Plain, least: int = 1, most: int | None = None) -> Function:
    """A row for `operate(context, items, *evaluators)`: arguments run once for each item."""

    def build(compiler: "Compiler", node: Call) -> Evaluator:
        source = compiler.source(node)
        arguments = [compiler.in_loop(compiler.items, argument) for argument in node.arguments]

        def evaluate(context: Context, this: Item) -> Items:
            items = source(context, this)
            index = context.index
            try:
                return operate(context, items, *arguments)
            except Failure as failure:
                raise located(failure, node, items) from None
            finally:
                context.index = index

        return evaluate

    return Function(least, least if most is None else most, build)


def located(failure: Failure, node: Call, items: Items) -> Failure:
    """Return the failure with the call it happened in, unless it knows a nearer one."""
    if failure.node is None:
        failure.node = node
        failure.items = failure.items or items
    return failure
