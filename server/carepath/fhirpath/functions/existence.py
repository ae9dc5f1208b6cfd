"""Is there something, and is it so?

https://hl7.org/fhirpath/#existence
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from carepath.fhirpath.functions.table import Function, Table, located, plain
from carepath.fhirpath.nodes import Call, Special
from carepath.fhirpath.values.comparison import equal_items, key_of
from carepath.fhirpath.values.context import Context, Evaluator, Truth
from carepath.fhirpath.values.failure import Failure
from carepath.fhirpath.values.identity import distinct
from carepath.fhirpath.values.results import integer, of_truth
from carepath.fhirpath.values.types import BOOLEAN, Item, Items, system_value

if TYPE_CHECKING:
    from carepath.fhirpath.run.compiler import Compiler


def _exists(compiler: "Compiler", node: Call) -> Truth:
    source = compiler.source(node)
    if not node.arguments:
        return lambda context, this: bool(source(context, this))
    holds: Truth = compiler.in_loop(compiler.truth, node.arguments[0])  # type: ignore[assignment]

    def truth(context: Context, this: Item) -> bool | None:
        items = source(context, this)
        return _first_that(context, items, holds, True, node)

    return truth


def _all(compiler: "Compiler", node: Call) -> Truth:
    source = compiler.source(node)
    holds: Truth = compiler.in_loop(compiler.truth, node.arguments[0])  # type: ignore[assignment]

    def truth(context: Context, this: Item) -> bool | None:
        items = source(context, this)
        return not _first_that(context, items, holds, False, node)

    return truth


def _first_that(context: Context, items: Items, holds: Truth, wanted: bool, node: Call) -> bool:
    """Tell whether the condition is true (or is not true) for some item."""
    context.spend(len(items))
    outer = context.index
    try:
        for context.index, item in enumerate(items):
            if (holds(context, item) is True) is wanted:
                return True
    except Failure as failure:
        raise located(failure, node, items) from None
    finally:
        context.index = outer
    return False


def _empty(compiler: "Compiler", node: Call) -> Truth:
    source = compiler.source(node)
    return lambda context, this: not source(context, this)


def _not(compiler: "Compiler", node: Call) -> Truth:
    # Alone, `not()` applies to `$this`.
    value = compiler.truth(node.source if node.source is not None else Special("$this", node.at))

    def truth(context: Context, this: Item) -> bool | None:
        try:
            found = value(context, this)
        except Failure as failure:
            raise located(failure, node, []) from None
        return found if found is None else not found

    return truth


def _from_truth(make: Callable[["Compiler", Call], Truth], least: int, most: int) -> Function:
    def build(compiler: "Compiler", node: Call) -> Evaluator:
        truth = make(compiler, node)
        return lambda context, this: of_truth(truth(context, this))

    return Function(least, most, build)


def _exists_row() -> Function:
    plain_row = _from_truth(_exists, 0, 1)

    def build(compiler: "Compiler", node: Call) -> Evaluator:
        # Traced, `exists(c)` is `where(c).exists()`: what did not match is no evidence.
        if compiler.traced and node.arguments:
            matching = Call(node.source, "where", node.arguments, node.at)
            return plain_row.build(compiler, Call(matching, "exists", (), node.at))
        return plain_row.build(compiler, node)

    return Function(0, 1, build)


def _booleans(items: Items) -> list[bool]:
    found = []
    for item in items:
        value = system_value(item) if item[1].kind == BOOLEAN else None
        if value is None:
            raise Failure(f"expected Booleans, found {item[1]!r}", [item])
        found.append(value)
    return found


def _all_true(_: Context, items: Items) -> Items:
    return of_truth(all(_booleans(items)))


def _any_true(_: Context, items: Items) -> Items:
    return of_truth(any(_booleans(items)))


def _all_false(_: Context, items: Items) -> Items:
    return of_truth(not any(_booleans(items)))


def _any_false(_: Context, items: Items) -> Items:
    return of_truth(not all(_booleans(items)))


def _within(items: Items, others: Items) -> bool:
    keys = {key_of(other) for other in others}
    return all(
        key_of(item) in keys or any(equal_items(item, other) for other in others) for item in items
    )


def _subset_of(context: Context, items: Items, others: Items) -> Items:
    context.spend(len(items) * len(others))
    return of_truth(_within(items, others))


def _superset_of(context: Context, items: Items, others: Items) -> Items:
    context.spend(len(items) * len(others))
    return of_truth(_within(others, items))


def _count(_: Context, items: Items) -> Items:
    return integer(len(items))


def _distinct(_: Context, items: Items) -> Items:
    return distinct(items)


def _is_distinct(_: Context, items: Items) -> Items:
    return of_truth(len(distinct(items)) == len(items))


TRUTHS = {"exists": _exists, "all": _all, "empty": _empty, "not": _not}
FUNCTIONS: Table = {
    "empty": _from_truth(_empty, 0, 0),
    "exists": _exists_row(),
    "all": _from_truth(_all, 1, 1),
    "not": _from_truth(_not, 0, 0),
    "allTrue": plain(_all_true),
    "anyTrue": plain(_any_true),
    "allFalse": plain(_all_false),
    "anyFalse": plain(_any_false),
    "subsetOf": plain(_subset_of, 1),
    "supersetOf": plain(_superset_of, 1),
    "count": plain(_count),
    "distinct": plain(_distinct),
    "isDistinct": plain(_is_distinct),
}
