"""Which facts decided an expression: those without which it would not be what it is.

https://hl7.org/fhirpath/#boolean-logic

Of `a or b` the first that is true decides a yes, of `a and b` the first that is false decides a no;
what was read beside it changes nothing and is not told.  Of `iif` the branch that was taken counts,
of a union what gave something, of an empty collection not what would have been asked of its items.
In anything else every fact counts.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Literal

from carepath.apply.compile.formula import Formula
from carepath.apply.run.parts import items_of_part
from carepath.apply.run.scope import Scope
from carepath.fhirpath.nodes import Ast, Binary, Call, Variable, walk

Truth = Literal[True, False] | None


def deciding_names(formula: Formula, scope: Scope) -> tuple[str, ...]:
    """Return the names (facts, parameters) that decided an expression, in the order written."""
    if formula.tree is None:
        return tuple(formula.variables)
    return tuple(dict.fromkeys(_names(formula.tree, formula, scope)))


def truth_of(formula: Formula, scope: Scope) -> Truth:
    """Return what a condition is; one without a tree is not looked into."""
    return None if formula.tree is None else _truth(formula.tree, formula, scope)


def _names(node: Ast, formula: Formula, scope: Scope) -> Iterator[str]:
    for part in _deciding(node, formula, scope):
        if part is node:
            yield from (n.name for n in walk(node) if isinstance(n, Variable))
        else:
            yield from _names(part, formula, scope)


def _deciding(node: Ast, formula: Formula, scope: Scope) -> Iterable[Ast]:
    """Return the parts that decided a node, the node itself when there is none smaller."""
    if isinstance(node, Binary):
        return _OPERATORS.get(node.operator, _as_it_is)(node, formula, scope)
    if isinstance(node, Call):
        return _FUNCTIONS.get(node.name, _of_function)(node, formula, scope)
    return (node,)


def _as_it_is(node: Ast, formula: Formula, scope: Scope) -> Iterable[Ast]:
    return (node,)


def _of_function(node: Call, formula: Formula, scope: Scope) -> Iterable[Ast]:
    """Return the collection that a function is asked of where that is empty, else the whole.

    What would have been asked of each of its items was asked of none.
    """
    if node.source is None or not node.arguments or items_of_part(node.source, formula, scope):
        return (node,)
    return (node.source,)


def _of_logic(node: Binary, formula: Formula, scope: Scope) -> Iterable[Ast]:
    """Return the first operand that decides alone, else both."""
    for operand, decisive in zip((node.left, node.right), _DECIDES[node.operator], strict=True):
        if _truth(operand, formula, scope) is decisive:
            return (operand,)
    return (node.left, node.right)


def _of_negation(node: Call, formula: Formula, scope: Scope) -> Iterable[Ast]:
    return (node,) if node.source is None else (node.source,)


def _of_choice(node: Call, formula: Formula, scope: Scope) -> Iterable[Ast]:
    """Return the criterion of `iif` and the branch that was taken."""
    if node.source is not None or not node.arguments:
        return (node,)
    criterion, *branches = node.arguments
    taken = branches[:1] if _truth(criterion, formula, scope) is True else branches[1:]
    return (criterion, *taken)


def _of_union(node: Binary, formula: Formula, scope: Scope) -> Iterable[Ast]:
    return _that_gave((node.left, node.right), formula, scope)


def _of_combination(node: Call, formula: Formula, scope: Scope) -> Iterable[Ast]:
    if node.source is None:
        return (node,)
    return _that_gave((node.source, *node.arguments), formula, scope)


def _that_gave(parts: tuple[Ast, ...], formula: Formula, scope: Scope) -> Iterable[Ast]:
    """Return the collections that gave something, all when none did."""
    return tuple(part for part in parts if items_of_part(part, formula, scope)) or parts


_DECIDES: dict[str, tuple[bool, bool]] = {
    "and": (False, False),
    "or": (True, True),
    "implies": (False, True),
}
"""The value of each operand with which it decides alone."""

_OPERATORS: dict[str, Callable[[Binary, Formula, Scope], Iterable[Ast]]] = {
    **dict.fromkeys(_DECIDES, _of_logic),
    "|": _of_union,
}
_FUNCTIONS: dict[str, Callable[[Call, Formula, Scope], Iterable[Ast]]] = {
    "not": _of_negation,
    "iif": _of_choice,
    "union": _of_combination,
    "combine": _of_combination,
}
"""How to look into what a function gave."""


def _truth(node: Ast, formula: Formula, scope: Scope) -> Truth:
    """Return the truth of a part of an expression; one that fails or has no value has none."""
    items = items_of_part(node, formula, scope)
    if len(items) != 1:
        return None
    # As in logic, a single value that is no boolean stands for true.
    value = items[0][0]
    return value if isinstance(value, bool) else True
