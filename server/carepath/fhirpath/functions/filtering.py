"""Choosing, projecting and walking.

https://hl7.org/fhirpath/#filtering-and-projection and https://hl7.org/fhirpath/#tree-navigation
"""

from collections.abc import Callable
from contextlib import suppress

from carepath.fhirpath.functions.row import (
    EACH,
    HOLDS,
    HOLDS_WITHIN,
    ITEMS,
    VALUE,
    WITHIN,
    Compiler,
    Function,
    Result,
    Table,
    Writer,
    Written,
)
from carepath.fhirpath.functions.table import located, looping, plain
from carepath.fhirpath.nodes import Ast, Call
from carepath.fhirpath.values.access import all_children, many, spread
from carepath.fhirpath.values.comparison import key_of
from carepath.fhirpath.values.context import Context, Evaluator, Truth
from carepath.fhirpath.values.evidence import child_of, evidence_of
from carepath.fhirpath.values.failure import Failure
from carepath.fhirpath.values.types import Item, Items


def _where(compiler: Compiler, node: Call) -> Evaluator:
    source = compiler.source(node)
    holds = compiler.in_loop(compiler.truth, node.arguments[0])
    indexed = compiler.indexed
    if compiler.traced and not indexed:
        return _where_traced(source, holds, compiler.unobserved_truth(node.arguments[0]), node)

    def evaluate(context: Context, this: Item) -> Items:
        items = source(context, this)
        context.steps -= len(items)
        try:
            if context.steps < 0:
                context.spend(0)
            if not indexed:
                return [item for item in items if holds(context, item)]
            return _where_indexed(context, items, holds)
        except Failure as failure:
            raise located(failure, node, items) from None

    return evaluate


def _where_traced(source: Evaluator, holds: Truth, unobserved: Truth, node: Call) -> Evaluator:
    """Items that know where they are from keep it: then what the condition looks at is no matter.

    It is looked at only for items without evidence, and to tell where a condition fails.
    """

    def evaluate(context: Context, this: Item) -> Items:
        items = source(context, this)
        context.spend(len(items))
        if all(map(evidence_of, items)):
            with suppress(Failure):
                return [item for item in items if unobserved(context, item)]
        try:
            return [item for item in items if holds(context, item)]
        except Failure as failure:
            raise located(failure, node, items) from None

    return evaluate


def _where_indexed(context: Context, items: Items, holds: Truth) -> Items:
    outer = context.index
    found = []
    for context.index, item in enumerate(items):
        if holds(context, item):
            found.append(item)
    context.index = outer
    return found


def _select(context: Context, items: Items, projection: Evaluator) -> Items:
    context.spend(len(items))
    found: Items = []
    for context.index, item in enumerate(items):
        found += projection(context, item)
        if len(found) > context.limits.items:
            context.checked(found)
    return found


def _repeat(context: Context, items: Items, projection: Evaluator) -> Items:
    """Apply again to every new result; what was met before is not followed twice."""
    seen: dict[object, Item] = {}
    round_: Items = items
    while round_:
        context.spend(len(round_))
        fresh: Items = []
        for context.index, item in enumerate(round_):
            for each in projection(context, item):
                key = key_of(each)
                if key not in seen:
                    seen[key] = each
                    fresh.append(each)
            if len(seen) > context.limits.items:
                context.checked(list(seen.values()))
        round_ = fresh
    return list(seen.values())


def _repeat_all(context: Context, items: Items, projection: Evaluator) -> Items:
    """Like `repeat`, but keeps what equals something met before; the steps bound it."""
    found: Items = []
    round_: Items = items
    while round_:
        context.spend(len(round_))
        fresh: Items = []
        for context.index, item in enumerate(round_):
            fresh += projection(context, item)
            if len(found) + len(fresh) > context.limits.items:
                context.checked(found + fresh)
        found += fresh
        round_ = fresh
    return found


def _aggregate(compiler: Compiler, node: Call) -> Evaluator:
    source = compiler.source(node)
    aggregator = compiler.in_loop(compiler.items, node.arguments[0])
    start = compiler.items(node.arguments[1]) if len(node.arguments) > 1 else None

    def evaluate(context: Context, this: Item) -> Items:
        items = source(context, this)
        outer, outer_index = context.total, context.index
        total = start(context, this) if start else []
        context.spend(len(items))
        try:
            for context.index, item in enumerate(items):
                context.total = total
                total = context.checked(aggregator(context, item))
        except Failure as failure:
            raise located(failure, node, items) from None
        finally:
            context.total, context.index = outer, outer_index
        return total

    return evaluate


def _iif(compiler: Compiler, node: Call) -> Evaluator:
    source = compiler.source(node)
    condition = compiler.truth(node.arguments[0])
    chosen = compiler.items(node.arguments[1])
    otherwise = compiler.items(node.arguments[2]) if len(node.arguments) > 2 else None  # noqa: PLR2004
    is_call = node.source is not None

    def evaluate(context: Context, this: Item) -> Items:
        focus = this
        if is_call:
            items = source(context, this)
            if len(items) > 1:
                raise Failure(f"`iif()` expects one item, found {len(items)}", items, node)
            focus = many(items)
        try:
            holds = condition(context, focus)
        except Failure as failure:
            raise located(failure, node, spread(focus)) from None
        if holds:
            return chosen(context, focus)
        return otherwise(context, focus) if otherwise else []

    return evaluate


def _children(_: Context, items: Items) -> Items:
    return [child_of(item, name, child) for item in items for name, child in all_children(item)]


def _descendants(context: Context, items: Items) -> Items:
    """Return everything below, level by level; a tree needs no look for duplicates."""
    found: Items = []
    level = items
    while level:
        context.spend(len(level))
        level = _children(context, level)
        found += level
        context.checked(found)
    return found


def _write_where(writer: Writer, node: Call, this: str) -> str:
    source = writer.source(node, this)
    writer.spend(source)
    out = writer.put("v", "[]")
    with writer.loop(source) as item:
        holds = writer.truth(node.arguments[0], item)
        writer.line(f"if {holds}: {out}.append({item})")
    return out


def _write_select(writer: Writer, node: Call, this: str) -> str:
    source = writer.source(node, this)
    writer.spend(source)
    out = writer.put("v", "[]")
    with writer.loop(source) as item:
        found = writer.items(node.arguments[0], item)
        writer.line(f"{out} += {found}")
        writer.line(f"if len({out}) > context.limits.items: context.checked({out})")
    return out


def _write_aggregate(writer: Writer, node: Call, this: str) -> str:
    """Write the fold; the parts see the total in the context, as closures do."""
    source = writer.source(node, this)
    start = node.arguments[1:]
    total = writer.put("v", writer.items(start[0], this) if start else "EMPTY")
    outer = writer.put("v", "context.total")
    writer.spend(source)
    with writer.loop(source) as item:
        writer.line(f"context.total = {total}")
        writer.line(f"{total} = context.checked({writer.items(node.arguments[0], item)})")
    writer.line(f"context.total = {outer}")
    return total


def _write_iif(writer: Writer, node: Call, this: str) -> str:
    return _choice(writer, node, this, writer.items, "EMPTY")


def _write_truth_of_iif(writer: Writer, node: Call, this: str) -> str:
    return _choice(writer, node, this, writer.truth, "None")


def _choice(
    writer: Writer, node: Call, this: str, part: Callable[[Ast, str], str], nothing: str
) -> str:
    holds = writer.truth(node.arguments[0], this)
    out = writer.fresh("c")
    with writer.block(f"if {holds}:"):
        writer.line(f"{out} = {part(node.arguments[1], this)}")
    with writer.block("else:"):
        other = part(node.arguments[2], this) if node.arguments[2:] else nothing
        writer.line(f"{out} = {other}")
    return out


FUNCTIONS: Table = {
    "where": Function(_where, (HOLDS,), 1, ITEMS, written=Written(_write_where)),
    "select": looping(_select, gives=Result(of="arguments"), written=Written(_write_select)),
    "repeat": looping(_repeat, gives=Result(of="repeated")),
    "repeatAll": looping(_repeat_all, gives=Result(of="repeated")),
    "aggregate": Function(_aggregate, (EACH, VALUE), 1, written=Written(_write_aggregate)),
    "iif": Function(
        _iif,
        (HOLDS_WITHIN, WITHIN, WITHIN),
        2,
        Result(of="arguments"),
        written=Written(_write_iif, _write_truth_of_iif, stands_alone=True),
        stands_alone=True,
    ),
    "children": plain(_children, gives=Result(is_ordered=False)),
    "descendants": plain(_descendants, gives=Result(is_ordered=False)),
}
