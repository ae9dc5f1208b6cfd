"""Operators: how each is compiled.

https://hl7.org/fhirpath/#operations
"""

from collections.abc import Callable
from decimal import Decimal
from operator import ge, gt, le, lt
from typing import Any

from carepath.fhirpath.functions import FUNCTIONS
from carepath.fhirpath.functions.row import Compiler
from carepath.fhirpath.functions.table import located
from carepath.fhirpath.nodes import Ast, Binary, Call, Literal, Member, Unary, children
from carepath.fhirpath.run.steps import first_step
from carepath.fhirpath.values import arithmetic
from carepath.fhirpath.values.comparison import equal, equal_items, equivalent, order
from carepath.fhirpath.values.context import Context, Evaluator, Truth
from carepath.fhirpath.values.failure import Failure
from carepath.fhirpath.values.identity import distinct, holds
from carepath.fhirpath.values.results import EMPTY, text
from carepath.fhirpath.values.types import DECIMAL, INTEGER, LONG, PRIMITIVE, STRING, Item, Items


def _equality(compiler: Compiler, node: Binary, answer: bool) -> Truth:
    if not compiler.traced and _is_own_member(node.left) and _is_text(node.right):
        return _member_is_text(node.left.name, node.right.value, answer)  # type: ignore[union-attr]
    left, right = compiler.items(node.left), compiler.items(node.right)

    def truth(context: Context, this: Item) -> bool | None:
        ours, theirs = left(context, this), right(context, this)
        if len(ours) == 1 == len(theirs):
            same = equal_items(ours[0], theirs[0])
        else:
            same = equal(ours, theirs)
        return same is answer if same is not None else None

    return truth


def _is_own_member(node: Ast) -> bool:
    return isinstance(node, Member) and node.source is None and not node.name[:1].isupper()


def _is_text(node: Ast) -> bool:
    return isinstance(node, Literal) and node.type == "String"


def _member_is_text(name: str, wanted: str, answer: bool) -> Truth:
    """Compile `name = 'text'`, by far the most frequent condition there is."""
    from_member = first_step(name)
    right = text(wanted)

    def truth(context: Context, this: Item) -> bool | None:
        kind, property_, beside, child = this[1].members[name]
        if kind == PRIMITIVE and child.kind == STRING and beside not in this[0]:
            value = this[0].get(property_)
            if type(value) is str:
                return (value == wanted) is answer
            if value is None:
                return None
        same = equal(from_member(context, this), right)
        return same is answer if same is not None else None

    return truth


def _equals(compiler: Compiler, node: Binary) -> Truth:
    return _equality(compiler, node, True)


def _differs(compiler: Compiler, node: Binary) -> Truth:
    return _equality(compiler, node, False)


def _equivalence(answer: bool) -> Callable[[Compiler, Binary], Truth]:
    def compile_(compiler: Compiler, node: Binary) -> Truth:
        left, right = compiler.items(node.left), compiler.items(node.right)

        def truth(context: Context, this: Item) -> bool | None:
            ours, theirs = left(context, this), right(context, this)
            context.spend_on(len(ours) * len(theirs))
            return equivalent(ours, theirs) is answer

        return truth

    return compile_


_AS_IT_IS = {(INTEGER, int), (LONG, int), (DECIMAL, int), (DECIMAL, Decimal)}
"""Numbers whose JSON value compares as the number that it is."""
_COMPARES: dict[str, Callable[[Any, Any], bool]] = {"<": lt, "<=": le, ">": gt, ">=": ge}


def ordered(ours: Items, theirs: Items, operator: str) -> bool | None:
    """Return the truth of `ours operator theirs` for `<`, `<=`, `>` and `>=`."""
    if not ours or not theirs:
        return None
    if len(ours) > 1 or len(theirs) > 1:
        raise Failure(
            f"`{operator}` compares one with one, found {len(ours)} and {len(theirs)}",
            ours if len(ours) > 1 else theirs,
        )
    left, right = ours[0], theirs[0]
    if (left[1].kind, type(left[0])) in _AS_IT_IS and (right[1].kind, type(right[0])) in _AS_IT_IS:
        return _COMPARES[operator](left[0], right[0])
    found = order(left, right)
    return found in ACCEPTED[operator] if found is not None else None


def _ordering(compiler: Compiler, node: Binary) -> Truth:
    left, right, operator = compiler.items(node.left), compiler.items(node.right), node.operator

    def truth(context: Context, this: Item) -> bool | None:
        ours, theirs = left(context, this), right(context, this)
        try:
            return ordered(ours, theirs, operator)
        except Failure as failure:
            raise located(failure, node, ours) from None

    return truth


def _and(compiler: Compiler, node: Binary) -> Truth:
    left, right = compiler.truth(node.left), compiler.truth(node.right)

    def truth(context: Context, this: Item) -> bool | None:
        ours = left(context, this)
        if ours is False:
            return False
        theirs = right(context, this)
        return theirs if ours or theirs is False else None

    return _located(node, truth)


def _or(compiler: Compiler, node: Binary) -> Truth:
    left, right = compiler.truth(node.left), compiler.truth(node.right)

    def truth(context: Context, this: Item) -> bool | None:
        ours = left(context, this)
        if ours:
            return True
        theirs = right(context, this)
        return theirs if ours is False or theirs else None

    return _located(node, truth)


def _xor(compiler: Compiler, node: Binary) -> Truth:
    left, right = compiler.truth(node.left), compiler.truth(node.right)

    def truth(context: Context, this: Item) -> bool | None:
        ours, theirs = left(context, this), right(context, this)
        return None if ours is None or theirs is None else ours is not theirs

    return _located(node, truth)


def _implies(compiler: Compiler, node: Binary) -> Truth:
    left, right = compiler.truth(node.left), compiler.truth(node.right)

    def truth(context: Context, this: Item) -> bool | None:
        ours = left(context, this)
        if ours is False:
            return True
        theirs = right(context, this)
        return theirs if ours or theirs else None

    return _located(node, truth)


def _located(node: Ast, inner: Truth) -> Truth:
    def truth(context: Context, this: Item) -> bool | None:
        try:
            return inner(context, this)
        except Failure as failure:
            raise located(failure, node, EMPTY) from None

    return truth


def is_in(context: Context, element: Items, collection: Items, operator: str) -> bool | None:
    """Return the truth of `element in collection`."""
    if not element:
        return None
    if len(element) > 1:
        raise Failure(f"`{operator}` looks for one item", element)
    return holds(context, collection, element[0])


def _membership(compiler: Compiler, node: Binary) -> Truth:
    left, right = compiler.items(node.left), compiler.items(node.right)
    element_first = node.operator == "in"

    def truth(context: Context, this: Item) -> bool | None:
        ours, theirs = left(context, this), right(context, this)
        element, collection = (ours, theirs) if element_first else (theirs, ours)
        try:
            return is_in(context, element, collection, node.operator)
        except Failure as failure:
            raise located(failure, node, element) from None

    return truth


def _union(context: Context, ours: Items, theirs: Items) -> Items:
    items = ours + theirs
    context.spend_on(len(items))
    return context.checked(distinct(items))


def _operation(
    operate: Callable[[Context, Items, Items], Items],
) -> Callable[[Compiler, Binary], Evaluator]:
    def compile_(compiler: Compiler, node: Binary) -> Evaluator:
        left, right = compiler.items(node.left), compiler.items(node.right)

        def evaluate(context: Context, this: Item) -> Items:
            ours, theirs = left(context, this), right(context, this)
            try:
                return operate(context, ours, theirs)
            except Failure as failure:
                raise located(failure, node, ours or theirs) from None

        return evaluate

    return compile_


def unary(compiler: Compiler, node: Unary) -> Evaluator:
    """Compile `-x` or `+x`."""
    operand, negative = compiler.items(node.operand), node.operator == "-"

    def evaluate(context: Context, this: Item) -> Items:
        items = operand(context, this)
        try:
            return arithmetic.signed(items, negative=negative)
        except Failure as failure:
            raise located(failure, node, items) from None

    return evaluate


def is_constant(node: Ast) -> bool:
    """Tell whether a node with work in it gives the same in every round of a loop."""
    if isinstance(node, Call):
        function = FUNCTIONS.get(node.name)
        alone = node.source is None and not node.arguments
        return alone and function is not None and function.stands_alone
    if not isinstance(node, Binary) or node.operator not in ITEMS or node.operator == "|":
        return False
    return all(isinstance(each, Literal) or is_constant(each) for each in children(node))


TRUTHS: dict[str, Callable[[Compiler, Binary], Truth]] = {
    "=": _equals,
    "!=": _differs,
    "~": _equivalence(True),
    "!~": _equivalence(False),
    "<": _ordering,
    "<=": _ordering,
    ">": _ordering,
    ">=": _ordering,
    "and": _and,
    "or": _or,
    "xor": _xor,
    "implies": _implies,
    "in": _membership,
    "contains": _membership,
}
ACCEPTED: dict[str, tuple[int, ...]] = {"<": (-1,), "<=": (-1, 0), ">": (1,), ">=": (0, 1)}
"""The orders that make a comparison true."""
OPERATES: dict[str, Callable[[Context, Items, Items], Items]] = {
    "|": _union,
    "+": arithmetic.add,
    "-": arithmetic.subtract,
    "*": arithmetic.multiply,
    "/": arithmetic.divide,
    "div": arithmetic.whole_quotient,
    "mod": arithmetic.remainder,
    "&": arithmetic.concatenate,
}
ITEMS: dict[str, Callable[[Compiler, Binary], Evaluator]] = {
    operator: _operation(operate) for operator, operate in OPERATES.items()
}
