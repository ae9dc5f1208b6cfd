"""Which facts are missing when a condition cannot be decided.

The boolean structure of the condition is walked: below `and`, `or`, `xor`, `implies` and `not()`
only the operands that are empty themselves are looked into.  There, each fact that is empty (or
failed) is missing.  An auxiliary fact is never asked for itself: its own expression is walked on.
"""

from collections.abc import Iterator

from carepath.apply.collection import Collection
from carepath.apply.formula import Formula
from carepath.apply.names import Fact, Parameter
from carepath.apply.scope import FAILURES, Scope
from carepath.fhirpath import Expression, Known
from carepath.fhirpath.nodes import Ast, Binary, Call, Variable, walk

_LOGICAL = {"and", "or", "xor", "implies"}


def missing_facts(condition: Formula, scope: Scope) -> tuple[str, ...]:
    """Return the names of the facts that keep a condition from being decided, each once."""
    tree = getattr(condition.compiled, "ast", None)
    if tree is None:
        return ()
    return tuple(dict.fromkeys(_missing(tree, scope, frozenset())))


def _missing(node: Ast, scope: Scope, seen: frozenset[str]) -> Iterator[str]:
    """Yield what is missing below a node that is empty."""
    operands = _operands(node)
    if operands:
        for operand in operands:
            if _is_empty(operand, scope):
                yield from _missing(operand, scope, seen)
        return
    for inner in walk(node):
        if isinstance(inner, Variable):
            yield from _missing_variable(inner.name, scope, seen)


def _operands(node: Ast) -> tuple[Ast, ...]:
    """Return the operands of a logical operator, nothing for any other node."""
    if isinstance(node, Binary) and node.operator in _LOGICAL:
        return (node.left, node.right)
    if isinstance(node, Call) and node.name == "not" and node.source is not None:
        return (node.source,)
    return ()


def _is_empty(node: Ast, scope: Scope) -> bool:
    """Tell whether a part of a condition has no value; one that fails has none."""
    try:
        return not Expression("", node).evaluate(scope.session.focus, scope.environment)
    except FAILURES:
        return True


def _missing_variable(name: str, scope: Scope, seen: frozenset[str]) -> Iterator[str]:
    """Yield a fact by its name when it is empty, or what is missing behind an auxiliary one."""
    entry = scope.definition(name)
    if entry is None or isinstance(entry, Collection) or name in seen:
        return
    try:
        if Known.of(scope[name]).items:
            return
    except FAILURES:
        pass
    if isinstance(entry, Parameter):
        return
    if not entry.is_auxiliary:
        yield name
        return
    tree = getattr(entry.formula.compiled, "ast", None)
    if tree is not None:
        home = scope if entry.home is scope.names else scope.session.scope_of(entry.home)
        yield from _missing(tree, _home(entry, scope) or home, seen | {name})


def _home(fact: Fact, scope: Scope) -> Scope | None:
    """Return the scope, from here outwards, that defines a fact itself."""
    current: Scope | None = scope
    while current is not None:
        if current.names is fact.home:
            return current
        current = current.outer
    return None
