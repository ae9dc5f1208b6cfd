"""Operators: how each is compiled.

https://hl7.org/fhirpath/#operations
"""

from collections.abc import Callable
from decimal import Decimal
from operator import ge, gt, le, lt
from typing import Any, TypeVar

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

_T = TypeVar("_T")
Operate = Callable[[Context, Items, Items], _T]
"""What an operator gives for the collections on both sides."""


def _equality(compiler: Compiler, node: Binary) -> Truth:
    answer = node.operator == "="
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


_AS_IT_IS = {(INTEGER, int), (LONG, int), (DECIMAL, int), (DECIMAL, Decimal)}
"""Numbers whose JSON value compares as the number that it is."""


def _ordered(
    operator: str, is_so: Callable[[Any, Any], bool], *accepted: int
) -> Operate[bool | None]:
    """Return the truth of `<` and its like: on numbers, or by the orders that make it true."""

    def operate(_: Context, ours: Items, theirs: Items) -> bool | None:
        if not ours or not theirs:
            return None
        if len(ours) > 1 or len(theirs) > 1:
            raise Failure(
                f"`{operator}` compares one with one, found {len(ours)} and {len(theirs)}",
                ours if len(ours) > 1 else theirs,
            )
        left, right = ours[0], theirs[0]
        is_number = (left[1].kind, type(left[0])) in _AS_IT_IS
        if is_number and (right[1].kind, type(right[0])) in _AS_IT_IS:
            return is_so(left[0], right[0])
        found = order(left, right)
        return found in accepted if found is not None else None

    return operate


def _equivalence(answer: bool) -> Operate[bool | None]:
    def operate(context: Context, ours: Items, theirs: Items) -> bool | None:
        context.spend_on(len(ours) * len(theirs))
        return equivalent(ours, theirs) is answer

    return operate


def _membership(operator: str) -> Operate[bool | None]:
    def operate(context: Context, ours: Items, theirs: Items) -> bool | None:
        element, collection = (ours, theirs) if operator == "in" else (theirs, ours)
        if not element:
            return None
        if len(element) > 1:
            raise Failure(f"`{operator}` looks for one item", element)
        return holds(context, collection, element[0])

    return operate


def _short(compiler: Compiler, node: Binary) -> Truth:
    left, right = compiler.truth(node.left), compiler.truth(node.right)
    decisive, answer = SHORT[node.operator]

    def truth(context: Context, this: Item) -> bool | None:
        try:
            ours = left(context, this)
            if ours is decisive:
                return answer
            theirs = right(context, this)
        except Failure as failure:
            raise located(failure, node, EMPTY) from None
        return theirs if ours is not None or theirs is answer else None

    return truth


def _xor(compiler: Compiler, node: Binary) -> Truth:
    left, right = compiler.truth(node.left), compiler.truth(node.right)

    def truth(context: Context, this: Item) -> bool | None:
        try:
            ours, theirs = left(context, this), right(context, this)
        except Failure as failure:
            raise located(failure, node, EMPTY) from None
        return None if ours is None or theirs is None else ours is not theirs

    return truth


def _union(context: Context, ours: Items, theirs: Items) -> Items:
    items = ours + theirs
    context.spend_on(len(items))
    return context.checked(distinct(items))


def _both(compiler: Compiler, node: Binary, operate: Operate[_T]) -> Callable[[Context, Item], _T]:
    """Compile what looks at the collections on both sides."""
    left, right = compiler.items(node.left), compiler.items(node.right)

    def evaluate(context: Context, this: Item) -> _T:
        ours, theirs = left(context, this), right(context, this)
        try:
            return operate(context, ours, theirs)
        except Failure as failure:
            raise located(failure, node, ours or theirs) from None

    return evaluate


def _decision(compiler: Compiler, node: Binary) -> Truth:
    return _both(compiler, node, DECIDES[node.operator])


def operation(compiler: Compiler, node: Binary) -> Evaluator:
    """Compile an operator that gives a collection."""
    return _both(compiler, node, OPERATES[node.operator])


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
    if not isinstance(node, Binary) or node.operator not in OPERATES or node.operator == "|":
        return False
    return all(isinstance(each, Literal) or is_constant(each) for each in children(node))


SHORT = {"and": (False, False), "or": (True, True), "implies": (False, True)}
"""What on the left side gives the answer alone, and that answer.

https://hl7.org/fhirpath/#boolean-logic: where the left side is unknown, only a right side that is
the answer gives one; else the right side decides.
"""
DECIDES: dict[str, Operate[bool | None]] = {
    "~": _equivalence(True),
    "!~": _equivalence(False),
    "<": _ordered("<", lt, -1),
    "<=": _ordered("<=", le, -1, 0),
    ">": _ordered(">", gt, 1),
    ">=": _ordered(">=", ge, 0, 1),
    "in": _membership("in"),
    "contains": _membership("contains"),
}
OPERATES: dict[str, Operate[Items]] = {
    "|": _union,
    "+": arithmetic.add,
    "-": arithmetic.subtract,
    "*": arithmetic.multiply,
    "/": arithmetic.divide,
    "div": arithmetic.whole_quotient,
    "mod": arithmetic.remainder,
    "&": arithmetic.concatenate,
}
TRUTHS: dict[str, Callable[[Compiler, Binary], Truth]] = {
    "=": _equality,
    "!=": _equality,
    **dict.fromkeys(DECIDES, _decision),
    **dict.fromkeys(SHORT, _short),
    "xor": _xor,
}
