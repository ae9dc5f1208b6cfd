"""The values that a fact may have, as far as they make a difference to an expression.

https://hl7.org/fhirpath/#boolean-logic

They are what the content compares the fact with, the values that the Library has words for, and
true and false.  Beside a number stand its neighbours, since what is compared is often a limit.
"""

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from carepath.apply.compile.formula import Formula
from carepath.apply.compile.names import Fact
from carepath.fhirpath.nodes import Ast, Binary, Call, Literal, Variable, children, walk

_COMPARING = {"=", "!=", "~", "!~", "<", "<=", ">", ">=", "in", "contains"}


def possible_values(fact: Fact, formulas: Iterable[Formula]) -> tuple[Any, ...]:
    """Return the values of a fact that may decide formulas, each once; true and false come last."""
    found = [value for formula in formulas for value in _compared_with(formula, fact.name)]
    values = [*_described(fact.texts), *_with_neighbours(found, has_texts=bool(fact.texts))]
    if not values or any(isinstance(value, bool) for value in values):
        values += [True, False]
    return tuple({(type(value), value): value for value in values}.values())


def _compared_with(formula: Formula, name: str) -> tuple[Any, ...]:
    """Return the literals that an expression compares a fact with; looked for once."""
    found = formula.compared.get(name)
    if found is None:
        tree = formula.tree
        found = () if tree is None else tuple(_beside(tree, name))
        formula.compared[name] = found
    return found


def _beside(node: Ast, name: str) -> Iterator[Any]:
    """Yield the literals of the comparisons, and of the criteria, that a variable stands in."""
    reading = [child for child in children(node) if _reads(child, name)]
    if isinstance(node, Binary) and node.operator in _COMPARING and reading:
        yield from _literals(node)
        return
    if isinstance(node, Call) and node.source is not None and _reads(node.source, name):
        for argument in node.arguments:
            yield from _literals(argument)
    for child in reading:
        yield from _beside(child, name)


def _reads(node: Ast, name: str) -> bool:
    return any(isinstance(inner, Variable) and inner.name == name for inner in walk(node))


def _literals(node: Ast) -> Iterator[Any]:
    for inner in walk(node):
        if isinstance(inner, Literal) and isinstance(inner.value, bool | int | str | Decimal):
            yield inner.value


def _described(texts: Mapping[str, str]) -> Iterator[Any]:
    """Yield the values that have words; one that reads as a number may be one."""
    for text in texts:
        if text.isdecimal():
            yield int(text)
        yield text


def _with_neighbours(values: Iterable[Any], *, has_texts: bool) -> Iterator[Any]:
    """Yield values, and for a limit what lies on either side of it."""
    for value in values:
        if isinstance(value, bool | str) or has_texts:
            yield value
        else:
            yield from (value - 1, value, value + 1)
