"""Which facts are missing when a condition cannot be decided.

The boolean structure of the condition is walked: below `and`, `or`, `xor`, `implies` and `not()`
only the operands that are empty themselves are looked into.  There, each fact that is empty (or
failed) is missing.  An auxiliary fact is never asked for itself: its own expression is walked on.
"""

from collections.abc import Iterator

from carepath.apply.compile.collection import Collection
from carepath.apply.compile.formula import Formula
from carepath.apply.compile.names import Fact, Parameter
from carepath.apply.run.parts import items_of_part
from carepath.apply.run.scope import FAILURES, Scope
from carepath.fhirpath import Known
from carepath.fhirpath.nodes import Ast, Binary, Call, Variable, walk

_LOGICAL = {"and", "or", "xor", "implies"}


def missing_facts(condition: Formula, scope: Scope) -> tuple[str, ...]:
    """Return the names of the facts that keep a condition from being decided, each once."""
    return tuple(dict.fromkeys(_missing_in(condition, scope, frozenset())))


def _missing_in(formula: Formula, scope: Scope, seen: frozenset[str]) -> Iterator[str]:
    """Yield what is missing in an expression that is empty."""
    tree = formula.tree
    if tree is not None:
        yield from _missing(tree, formula, scope, seen)


def _missing(node: Ast, formula: Formula, scope: Scope, seen: frozenset[str]) -> Iterator[str]:
    """Yield what is missing below a node that is empty."""
    operands = _operands(node)
    if operands:
        for operand in operands:
            if not items_of_part(operand, formula, scope):
                yield from _missing(operand, formula, scope, seen)
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
    found = scope.session.missing_behind.get(entry)
    if found is None:
        home = _home(entry, scope) or scope.session.scope_of(entry.home)
        found = tuple(dict.fromkeys(_missing_in(entry.formula, home, seen | {name})))
        scope.session.missing_behind[entry] = found
    yield from found


def _home(fact: Fact, scope: Scope) -> Scope | None:
    """Return the scope, from here outwards, that defines a fact itself."""
    current: Scope | None = scope
    while current is not None:
        if current.names is fact.home:
            return current
        current = current.outer
    return None
