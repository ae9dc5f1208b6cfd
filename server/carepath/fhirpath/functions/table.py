"""Rows of functions that are compiled alike: on collections, or with an argument run in a loop."""

from carepath.fhirpath.functions.row import (
    COMPUTED,
    EACH,
    VALUE,
    Argument,
    Build,
    Compiler,
    Function,
    Operate,
    Result,
    Written,
)
from carepath.fhirpath.nodes import Ast, Call
from carepath.fhirpath.values.context import Context, Evaluator
from carepath.fhirpath.values.failure import Failure
from carepath.fhirpath.values.types import Item, Items


def plain(
    operate: Operate,
    least: int = 0,
    most: int | None = None,
    *,
    first: Argument = VALUE,
    gives: Result = COMPUTED,
    written: Written | None = None,
    needs_order: bool = False,
    on_text: bool = False,
) -> Function:
    """A row for `operate(context, items, *arguments)`, the arguments being collections."""
    count = least if most is None else most
    return Function(
        _applying(operate),
        ((first,) + (VALUE,) * (count - 1))[:count],
        least,
        gives,
        operate,
        written=written,
        needs_order=needs_order,
        on_text=on_text,
    )


def _applying(operate: Operate) -> Build:
    def build(compiler: Compiler, node: Call) -> Evaluator:
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

    return build


def looping(operate: Operate, *, gives: Result, written: Written | None = None) -> Function:
    """A row for `operate(context, items, evaluator)`: the argument is run for each item."""
    return Function(looped(operate), (EACH,), 1, gives, written=written)


def looped(operate: Operate) -> Build:
    """Return how a call is compiled whose argument is run for each item."""

    def build(compiler: Compiler, node: Call) -> Evaluator:
        source = compiler.source(node)
        argument = compiler.in_loop(compiler.items, node.arguments[0])

        def evaluate(context: Context, this: Item) -> Items:
            items = source(context, this)
            index = context.index
            try:
                return operate(context, items, argument)
            except Failure as failure:
                raise located(failure, node, items) from None
            finally:
                context.index = index

        return evaluate

    return build


def located(failure: Failure, node: Ast, items: Items) -> Failure:
    """Return the failure with the node it happened at, unless it knows a nearer one."""
    if failure.node is None:
        failure.node = node
        failure.items = failure.items or items
    return failure
