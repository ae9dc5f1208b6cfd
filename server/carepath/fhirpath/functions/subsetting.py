"""Parts of collections, and collections put together.

https://hl7.org/fhirpath/#subsetting and https://hl7.org/fhirpath/#combining
"""

from functools import cmp_to_key
from typing import TYPE_CHECKING

from carepath.fhirpath.functions.table import Function, Table, located, plain
from carepath.fhirpath.nodes import Ast, Call, SortKey, Unary
from carepath.fhirpath.values.comparison import order
from carepath.fhirpath.values.context import Context, Evaluator
from carepath.fhirpath.values.failure import Failure
from carepath.fhirpath.values.identity import among, distinct
from carepath.fhirpath.values.results import EMPTY, one, one_integer
from carepath.fhirpath.values.types import Item, Items

if TYPE_CHECKING:
    from carepath.fhirpath.run.compiler import Compiler


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


def _coalesce(compiler: "Compiler", node: Call) -> Evaluator:
    """The first argument that is not empty; the ones after it are not evaluated."""
    arguments = [compiler.items(argument) for argument in node.arguments]

    def evaluate(context: Context, this: Item) -> Items:
        for argument in arguments:
            items = argument(context, this)
            if items:
                return items
        return EMPTY

    return evaluate


def _sort(compiler: "Compiler", node: Call) -> Evaluator:
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
_ANY_NUMBER = 100

FUNCTIONS: Table = {
    "single": plain(_single),
    "first": plain(_first),
    "last": plain(_last),
    "tail": plain(_tail),
    "skip": plain(_skip, 1),
    "take": plain(_take, 1),
    "intersect": plain(_intersect, 1),
    "exclude": plain(_exclude, 1),
    "union": plain(_union, 1),
    "combine": plain(_combine, 1, 2),
    "coalesce": Function(1, _ANY_NUMBER, _coalesce),
    "sort": Function(0, _ANY_NUMBER, _sort),
}
