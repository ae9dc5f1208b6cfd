"""The rule on coded facts: they are compared with values that their Library knows.

https://hl7.org/fhirpath/#equality
"""

from collections.abc import Iterator

from carepath.authoring.lint.names import Names, names_of
from carepath.authoring.lint.walk import expressions, parse
from carepath.authoring.lint.wording import enumerated, meant
from carepath.errors import ExpressionError
from carepath.fhirpath.nodes import Ast, Binary, Literal, Variable, walk
from carepath.issues import Issue
from carepath.knowledge import Knowledge
from carepath.resources import Resource

_COMPARING = frozenset({"=", "!=", "in", "contains"})


def compares_with_values_there_are(definition: Resource, knowledge: Knowledge) -> Iterator[Issue]:
    """A fact that has `fact-value-text` is compared with a value of that, or of its expression."""
    names = names_of(definition, knowledge)
    for path, expression in expressions(definition):
        try:
            tree = parse(expression.get("expression", "")).ast
        except ExpressionError:
            continue  # Another rule tells.
        for name, value in dict.fromkeys(_unknown(tree, names)):
            known = _values_of(name, names)
            near = meant(value, known) or f" There are: {enumerated(sorted(known))}."
            text = f"The fact `%{name}` has no value `{value}`.{near}"
            yield Issue("error", "code-invalid", text, (f"{path}.expression",))


def _unknown(tree: Ast, names: Names) -> Iterator[tuple[str, str]]:
    """Yield each fact with a text that it is compared with and never is."""
    for node in walk(tree):
        if isinstance(node, Binary) and node.operator in _COMPARING:
            for fact, other in ((node.left, node.right), (node.right, node.left)):
                if isinstance(fact, Variable) and fact.name in names.entries:
                    known = _values_of(fact.name, names)
                    yield from ((fact.name, v) for v in _texts(other) if known and v not in known)


def _values_of(name: str, names: Names) -> frozenset[str]:
    """Return the values of a fact that has words: those, and the texts that it is made of."""
    words = names.entries[name].values
    return words | frozenset(_made_of(name, names, set())) if words else words


def _made_of(name: str, names: Names, seen: set[str]) -> Iterator[str]:
    """Yield the texts in the expression of a fact and of the facts that it reads."""
    entry = names.entries.get(name)
    if name in seen or entry is None or entry.expression is None:
        return
    seen.add(name)
    try:
        expression = parse(entry.expression)
    except ExpressionError:
        return
    for node in walk(expression.ast):
        if isinstance(node, Literal) and isinstance(node.value, str):
            yield node.value
    for other in expression.variables:
        yield from _made_of(other, names, seen)


def _texts(node: Ast) -> Iterator[str]:
    """Yield the texts of a literal, or of several joined by `|`."""
    if isinstance(node, Literal) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, Binary) and node.operator == "|":
        yield from _texts(node.left)
        yield from _texts(node.right)
