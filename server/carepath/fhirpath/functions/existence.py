"""Is there something, and is it so?

https://hl7.org/fhirpath/#existence
"""

from carepath.fhirpath.functions.row import (
    A_BOOLEAN,
    AN_INTEGER,
    HOLDS,
    ITEMS,
    Argument,
    Build,
    BuildTruth,
    Compiler,
    Function,
    Table,
    Writer,
    Written,
)
from carepath.fhirpath.functions.table import located, plain
from carepath.fhirpath.nodes import Call, focus_of
from carepath.fhirpath.values.comparison import equal_items, key_of
from carepath.fhirpath.values.context import Context, Evaluator, Truth
from carepath.fhirpath.values.failure import Failure
from carepath.fhirpath.values.identity import distinct
from carepath.fhirpath.values.results import integer, of_truth
from carepath.fhirpath.values.types import BOOLEAN, Item, Items, system_value


def _exists(compiler: Compiler, node: Call) -> Truth:
    source = compiler.source(node)
    if not node.arguments:
        return lambda context, this: bool(source(context, this))
    holds = compiler.in_loop(compiler.truth, node.arguments[0])

    def truth(context: Context, this: Item) -> bool | None:
        items = source(context, this)
        return _first_that(context, items, holds, True, node)

    return truth


def _all(compiler: Compiler, node: Call) -> Truth:
    source = compiler.source(node)
    holds = compiler.in_loop(compiler.truth, node.arguments[0])

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


def _empty(compiler: Compiler, node: Call) -> Truth:
    source = compiler.source(node)
    return lambda context, this: not source(context, this)


def _not(compiler: Compiler, node: Call) -> Truth:
    value = compiler.truth(focus_of(node))

    def truth(context: Context, this: Item) -> bool | None:
        try:
            found = value(context, this)
        except Failure as failure:
            raise located(failure, node, []) from None
        return found if found is None else not found

    return truth


def _from_truth(make: BuildTruth) -> Build:
    def build(compiler: Compiler, node: Call) -> Evaluator:
        truth = make(compiler, node)
        return lambda context, this: of_truth(truth(context, this))

    return build


_untraced_exists = _from_truth(_exists)


def _build_exists(compiler: Compiler, node: Call) -> Evaluator:
    # Traced, `exists(c)` is `where(c).exists()`: what did not match is no evidence.
    if compiler.traced and node.arguments:
        matching = Call(node.source, "where", node.arguments, node.at)
        return _untraced_exists(compiler, Call(matching, "exists", (), node.at))
    return _untraced_exists(compiler, node)


def _predicate(
    make: BuildTruth, written: Written, arguments: tuple[Argument, ...] = (), least: int = 0
) -> Function:
    """A row for a function that is compiled as a condition."""
    return Function(_from_truth(make), arguments, least, A_BOOLEAN, truth=make, written=written)


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


def _write_exists(writer: Writer, node: Call, this: str) -> str:
    source = writer.source(node, this)
    if not node.arguments:
        return writer.put("t", f"bool({source})")
    return _some(writer, source, node, found="True")


def _write_all(writer: Writer, node: Call, this: str) -> str:
    return _some(writer, writer.source(node, this), node, found="False")


def _some(writer: Writer, source: str, node: Call, *, found: str) -> str:
    """Write the search for an item of which the condition is true (or is not)."""
    writer.spend(source)
    out = writer.put("t", "False" if found == "True" else "True")
    with writer.loop(source) as item:
        holds = writer.truth(node.arguments[0], item)
        with writer.block(f"if {holds} is{'' if found == 'True' else ' not'} True:"):
            writer.line(f"{out} = {found}")
            writer.line("break")
    return out


def _write_empty(writer: Writer, node: Call, this: str) -> str:
    return writer.put("t", f"not {writer.source(node, this)}")


def _write_not(writer: Writer, node: Call, this: str) -> str:
    holds = writer.truth(focus_of(node), this)
    return writer.put("t", f"None if {holds} is None else not {holds}")


FUNCTIONS: Table = {
    "empty": _predicate(_empty, Written(truth=_write_empty)),
    "exists": _predicate(_exists, Written(truth=_write_exists), (HOLDS,))._replace(
        build=_build_exists
    ),
    "all": _predicate(_all, Written(truth=_write_all), (HOLDS,), 1),
    "not": _predicate(_not, Written(truth=_write_not)),
    "allTrue": plain(_all_true, gives=A_BOOLEAN),
    "anyTrue": plain(_any_true, gives=A_BOOLEAN),
    "allFalse": plain(_all_false, gives=A_BOOLEAN),
    "anyFalse": plain(_any_false, gives=A_BOOLEAN),
    "subsetOf": plain(_subset_of, 1, gives=A_BOOLEAN),
    "supersetOf": plain(_superset_of, 1, gives=A_BOOLEAN),
    "count": plain(_count, gives=AN_INTEGER),
    "distinct": plain(_distinct, gives=ITEMS),
    "isDistinct": plain(_is_distinct, gives=A_BOOLEAN),
}
