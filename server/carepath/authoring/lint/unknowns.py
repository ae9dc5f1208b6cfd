"""The rule that what is not known stays apart from no: traps that turn an empty fact into false.

https://hl7.org/fhirpath/#boolean-logic

An empty fact makes its comparison empty, and the action undetermined. Asked for its existence it
gives false, `false and {}` is false, and what nobody recorded counts as no.
"""

from collections.abc import Callable, Iterator, Sequence

from carepath.authoring.lint.names import Names, names_in, names_of
from carepath.authoring.lint.walk import actions, parse
from carepath.errors import ExpressionError
from carepath.fhirpath.nodes import Ast, Binary, Call, Literal, Variable, children, walk
from carepath.fhirpath.syntax.text import text_of
from carepath.issues import Issue
from carepath.knowledge import Knowledge
from carepath.r4.model import RESOURCE_TYPES
from carepath.resources import Resource

_EQUIVALENCE = frozenset({"~", "!~"})


def keeps_unknown_apart_from_no(definition: Resource, knowledge: Knowledge) -> Iterator[Issue]:
    """No condition asks whether a fact is there to decide what it is: unknown would become no."""
    names = names_of(definition, knowledge)
    for path, tree in _decisive(definition):
        for text in _told(names, tree):
            yield Issue("error", "business-rule", text, (f"{path}.expression",))
    for path, action in actions(definition):
        conditions = [c.get("expression") or {} for c in action.get("condition") or ()]
        trees = [found for c in conditions if (found := _tree(c)) is not None]
        told = {text for each in trees for text in _told(names, each)}
        for text in _guarded(names, [part for each in trees for part in _conjuncts(each)]):
            if text not in told:
                yield Issue("error", "business-rule", text, (f"{path}.condition",))


def _decisive(definition: Resource) -> Iterator[tuple[str, Ast]]:
    """Yield the conditions of a plan, and the facts that are nothing but a conjunction.

    Deeper inside a fact a guard is often meant: what is asked there is not asked of people.
    """
    for path, action in actions(definition):
        for index, condition in enumerate(action.get("condition") or ()):
            decided = _tree(condition.get("expression") or {})
            if decided is not None:
                yield f"{path}.condition[{index}].expression", decided
    for name in names_in(definition):
        if name.expression is not None and not name.is_auxiliary:
            fact = _tree({"language": "text/fhirpath", "expression": name.expression})
            if fact is not None and _is_conjunction(fact):
                yield name.path, fact


def _tree(expression: Resource) -> Ast | None:
    if expression.get("language") != "text/fhirpath":
        return None
    try:
        return parse(expression.get("expression", "")).ast
    except ExpressionError:
        return None  # Another rule tells.


def _told(names: Names, tree: Ast) -> list[str]:
    """Return what is wrong with an expression, each sentence once."""
    found = [text for node in _heads(tree) for trap in _TRAPS for text in trap(names, node)]
    return list(dict.fromkeys(found))


def _heads(tree: Ast) -> Iterator[Ast]:
    """Yield the nodes of a tree; of a chain of `and` only the outermost."""
    inner = {
        id(child)
        for node in walk(tree)
        if _is_conjunction(node)
        for child in children(node)
        if _is_conjunction(child)
    }
    yield from (node for node in walk(tree) if id(node) not in inner)


def _exists_and(names: Names, node: Ast) -> Iterator[str]:
    if _is_conjunction(node):
        yield from _guarded(names, list(_conjuncts(node)))


def _guarded(names: Names, parts: Sequence[Ast]) -> Iterator[str]:
    """Tell of facts whose existence one of several conditions asks and whose value another."""
    for part in parts:
        name = _asked_for_existence(part)
        if name and _is_datum(names, name) and any(_reads(o, name) for o in parts if o is not part):
            yield (
                f"`{text_of(part)}` makes no of a `%{name}` that nobody recorded; leave it out: "
                "where the fact is not known the action is undetermined, and the fact is asked for."
            )


def _equivalence(names: Names, node: Ast) -> Iterator[str]:
    if isinstance(node, Binary) and node.operator in _EQUIVALENCE:
        for side in (node.left, node.right):
            if isinstance(side, Variable) and _is_datum(names, side.name):
                wanted = node.operator.replace("~", "=")
                yield (
                    f"`{text_of(node)}` is decided even where nobody recorded `%{side.name}`; "
                    f"write `{wanted}`, which stays empty."
                )


_TRAPS: tuple[Callable[[Names, Ast], Iterator[str]], ...] = (_exists_and, _equivalence)


def _is_datum(names: Names, name: str) -> bool:
    """Tell whether a name is a fact that people record, and no collection of resources."""
    entry = names.entries.get(name)
    if entry is None or entry.expression is None or entry.is_auxiliary:
        return False
    types = names.kinds(name).types
    return types is None or not any(t.removeprefix("FHIR.") in RESOURCE_TYPES for t in types)


def _is_conjunction(node: Ast) -> bool:
    return isinstance(node, Binary) and node.operator == "and"


def _conjuncts(node: Ast) -> Iterator[Ast]:
    """Yield what is joined by `and`, however it is bracketed."""
    if isinstance(node, Binary) and node.operator == "and":
        yield from _conjuncts(node.left)
        yield from _conjuncts(node.right)
    else:
        yield node


def _reads(node: Ast, name: str) -> bool:
    """Tell whether an expression reads the value of a name, not only whether it is there."""
    if _asked_for_existence(node) == name or _asked_for_absence(node) == name:
        return False
    if isinstance(node, Variable):
        return node.name == name
    return any(_reads(child, name) for child in children(node))


def _asked_for_existence(node: Ast) -> str:
    """Return the name of which an expression asks whether it has a value, else nothing."""
    if isinstance(node, Call) and node.name in ("exists", "hasValue") and not node.arguments:
        return _name(node.source)
    if isinstance(node, Call) and node.name == "not" and node.source is not None:
        return _asked_for_absence(node.source)
    return _counted(node, {(">", 0), ("!=", 0), (">=", 1)})


def _asked_for_absence(node: Ast) -> str:
    """Return the name of which an expression asks whether it has no value, else nothing."""
    if isinstance(node, Call) and node.name == "empty":
        return _name(node.source)
    if isinstance(node, Call) and node.name == "not" and node.source is not None:
        return _asked_for_existence(node.source)
    return _counted(node, {("=", 0), ("<", 1)})


def _counted(node: Ast, forms: set[tuple[str, int]]) -> str:
    """Return the name whose values an expression counts in one of some forms."""
    if not (isinstance(node, Binary) and isinstance(node.right, Literal)):
        return ""
    counts = isinstance(node.left, Call) and node.left.name == "count"
    if counts and isinstance(node.left, Call) and (node.operator, node.right.value) in forms:
        return _name(node.left.source)
    return ""


def _name(node: Ast | None) -> str:
    return node.name if isinstance(node, Variable) else ""
