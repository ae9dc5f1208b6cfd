"""Parts of collections, and collections put together.

https://hl7.org/fhirpath/#subsetting and https://hl7.org/fhirpath/#combining
"""

from functools import cmp_to_key

from carepath.fhirpath.functions.row import (
    EACH,
    ITEM,
    ITEMS,
    MANY_ARGUMENTS,
    VALUE,
    Compiler,
    Function,
    Result,
    Table,
    Writer,
    Written,
)
from carepath.fhirpath.functions.table import located, plain
from carepath.fhirpath.nodes import Ast, Call, SortKey, Unary
from carepath.fhirpath.values.comparison import order
from carepath.fhirpath.values.context import Context, Evaluator
from carepath.fhirpath.values.failure import Failure
from carepath.fhirpath.values.identity import among, distinct
from carepath.fhirpath.values.results import EMPTY, one, one_integer
from carepath.fhirpath.values.types import Item, Items


def _single(_: Context, items: Items) -> Items:
    one(items)
    return items


def _first(_: Context, items: Items) -> Items:
    return items[:1]


def _last(_: Context, items: Items) -> Items:
    return items[-1:]


def _tail(_: Context, items: Items) -> Items:
    return items[1:]


def _skip(_: Context, items: Items, count: Items) -> Items:
    number = one_integer(count)
    return EMPTY if number is None else items[max(0, number) :]


def _take(_: Context, items: Items, count: Items) -> Items:
    number = one_integer(count)
    return EMPTY if number is None else items[: max(0, number)]


def _intersect(_: Context, items: Items, others: Items) -> Items:
    return distinct(among(items, others, wanted=True))


def _exclude(_: Context, items: Items, others: Items) -> Items:
    return among(items, others, wanted=False)


def _union(context: Context, items: Items, others: Items) -> Items:
    return context.checked(distinct(items + others))


def _combine(context: Context, items: Items, others: Items, keep_order: Items = EMPTY) -> Items:
    del keep_order  # The order is always kept here.
    return context.checked(items + others)


def _coalesce(compiler: Compiler, node: Call) -> Evaluator:
    """The first argument that is not empty; the ones after it are not evaluated."""
    arguments = [compiler.items(argument) for argument in node.arguments]

    def evaluate(context: Context, this: Item) -> Items:
        for argument in arguments:
            items = argument(context, this)
            if items:
                return items
        return EMPTY

    return evaluate


def _sort(compiler: Compiler, node: Call) -> Evaluator:
    """Sort by the keys, stably; `-key` and `key desc` turn the order, empty keys come first."""
    source = compiler.source(node)
    keys = [
        (compiler.in_loop(compiler.items, key), negated, descending)
        for key, negated, descending in map(sort_key, node.arguments)
    ]
    if not keys:
        keys = [(lambda _, item: [item], False, False)]

    def evaluate(context: Context, this: Item) -> Items:
        items = source(context, this)
        context.spend(len(items) * len(keys))
        outer = context.index
        try:
            return sorted_by(context, items, keys)
        except Failure as failure:
            raise located(failure, node, items) from None
        finally:
            context.index = outer

    return evaluate


Key = tuple[Evaluator, bool, bool]
"""Evaluator, whether the values are negated, whether the order is turned."""


def sort_key(argument: Ast) -> tuple[Ast, bool, bool]:
    """Read `-key` and `key desc`: a minus leaves empty keys in front, `desc` puts them last."""
    descending = negated = False
    if isinstance(argument, SortKey):
        descending, argument = argument.descending, argument.key
    while isinstance(argument, Unary):
        negated ^= argument.operator == "-"
        argument = argument.operand
    return argument, negated, descending


def sorted_by(context: Context, items: Items, keys: list[Key]) -> Items:
    """Return the items in the order of their keys."""
    ranked = list(items)
    # The last key first: each sort is stable, so the first key decides in the end.
    for key, negated, descending in reversed(keys):
        empty, pairs = [], []
        for context.index, item in enumerate(ranked):
            found = one(key(context, item))
            if found is None or found[0] is None:
                empty.append(item)
            else:
                pairs.append((found, item))
        pairs.sort(key=_BY_KEY, reverse=negated is not descending)
        values = [item for _, item in pairs]
        ranked = values + empty if descending else empty + values
    return ranked


def _compare_keys(left: tuple[Item, Item], right: tuple[Item, Item]) -> int:
    return order(left[0], right[0]) or 0


_BY_KEY = cmp_to_key(_compare_keys)


def _write_first(writer: Writer, node: Call, this: str) -> str:
    return writer.put("v", f"{writer.source(node, this)}[:1]")


def _write_combine(writer: Writer, node: Call, this: str) -> str:
    left, right = writer.source(node, this), writer.items(node.arguments[0], this)
    return writer.put("v", f"context.checked({left} + {right})")


def _write_coalesce(writer: Writer, node: Call, this: str) -> str:
    """Write the first argument that gives something; those after it are computed only then."""
    out = writer.put("c", writer.items(node.arguments[0], this))
    for argument in node.arguments[1:]:
        with writer.block(f"if not {out}:"):
            writer.line(f"{out} = {writer.items(argument, this)}")
    return out


def _write_sort(writer: Writer, node: Call, this: str) -> str:
    """Write the sort with a function for each key."""
    source = writer.source(node, this)
    keys = []
    for argument in node.arguments:
        key, negated, descending = sort_key(argument)
        keys.append((writer.inner(key), negated, descending))
    writer.line(f"context.spend(len({source}) * {len(keys)})")
    sort = writer.constant(sorted_by)
    return writer.put("v", f"{sort}(context, {source}, {writer.constant(keys)})")


FUNCTIONS: Table = {
    "single": plain(_single, gives=ITEM),
    "first": plain(_first, gives=ITEM, needs_order=True, written=Written(_write_first)),
    "last": plain(_last, gives=ITEM, needs_order=True),
    "tail": plain(_tail, gives=ITEMS, needs_order=True),
    "skip": plain(_skip, 1, gives=ITEMS, needs_order=True),
    "take": plain(_take, 1, gives=ITEMS, needs_order=True),
    "intersect": plain(_intersect, 1, gives=ITEMS),
    "exclude": plain(_exclude, 1, gives=ITEMS),
    "union": plain(_union, 1, gives=Result(of="both")),
    "combine": plain(
        _combine, 1, 2, gives=Result(of="both"), written=Written(_write_combine, most=1)
    ),
    "coalesce": Function(
        _coalesce,
        (VALUE,) * MANY_ARGUMENTS,
        1,
        Result(of="arguments"),
        written=Written(_write_coalesce, stands_alone=True),
        stands_alone=True,
    ),
    "sort": Function(
        _sort, (EACH,) * MANY_ARGUMENTS, 0, ITEMS, written=Written(_write_sort, least=1)
    ),
}
