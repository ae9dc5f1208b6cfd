"""The syntax tree of FHIRPath: what the parser makes and the compiler reads.

https://hl7.org/fhirpath/grammar.html

The classes are plain for the sake of parsing speed; nothing changes a node after it was made.
Two nodes are equal when they mean the same: the place in the text is no part of the comparison.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Literal:
    """A value written in the expression; `type` is its System type."""

    value: Any
    type: str
    at: int = field(default=0, compare=False)


@dataclass(slots=True)
class EmptySet:
    """`{}`"""

    at: int = field(default=0, compare=False)


@dataclass(slots=True)
class Special:
    """`$this`, `$index` or `$total`"""

    name: str
    at: int = field(default=0, compare=False)


@dataclass(slots=True)
class Variable:
    """`%name`"""

    name: str
    at: int = field(default=0, compare=False)


@dataclass(slots=True)
class Member:
    """`source.name`, or `name` alone when there is no source."""

    source: "Ast | None"
    name: str
    at: int = field(default=0, compare=False)


@dataclass(slots=True)
class Call:
    """`source.name(arguments)`, or `name(arguments)` when there is no source."""

    source: "Ast | None"
    name: str
    arguments: "tuple[Ast, ...]"
    at: int = field(default=0, compare=False)


@dataclass(slots=True)
class Indexer:
    """`source[index]`"""

    source: "Ast"
    index: "Ast"
    at: int = field(default=0, compare=False)


@dataclass(slots=True)
class Unary:
    """`-operand` or `+operand`"""

    operator: str
    operand: "Ast"
    at: int = field(default=0, compare=False)


@dataclass(slots=True)
class Binary:
    """`left operator right`"""

    operator: str
    left: "Ast"
    right: "Ast"
    at: int = field(default=0, compare=False)


@dataclass(slots=True)
class TypeTest:
    """`operand is Type` or `operand as Type`"""

    operator: str
    operand: "Ast"
    type: str
    at: int = field(default=0, compare=False)


@dataclass(slots=True)
class Instance:
    """`Type {name: value, …}`, an object that the expression makes"""

    type: str
    elements: "tuple[tuple[str, Ast], ...]"
    at: int = field(default=0, compare=False)


@dataclass(slots=True)
class SortKey:
    """`key asc` or `key desc`, only as an argument of `sort()`"""

    key: "Ast"
    descending: bool
    at: int = field(default=0, compare=False)


Ast = (
    Literal
    | EmptySet
    | Special
    | Variable
    | Member
    | Call
    | Indexer
    | Unary
    | Binary
    | TypeTest
    | Instance
    | SortKey
)


def named_type(node: Ast) -> str | None:
    """Return the type an argument names: `Quantity`, `FHIR.Quantity`; None when it names none."""
    match node:
        case Member(source=None, name=name):
            return name
        case Member(source=Member(source=None, name="System" | "FHIR" as space), name=name):
            return f"{space}.{name}"
    return None


def focus_of(node: Call) -> Ast:
    """Return what a function is applied to: `$this` when nothing stands before it."""
    return node.source or Special("$this", node.at)


def children(node: Ast) -> tuple[Ast, ...]:
    """Return the nodes directly under `node`, in the order they are written."""
    match node:
        case Member(source=source):
            return (source,) if source else ()
        case Call(source=source, arguments=arguments):
            return (source, *arguments) if source else arguments
        case Indexer(source=source, index=index):
            return (source, index)
        case Unary(operand=operand) | TypeTest(operand=operand):
            return (operand,)
        case Binary(left=left, right=right):
            return (left, right)
        case Instance(elements=elements):
            return tuple(value for _, value in elements)
        case SortKey(key=key):
            return (key,)
    return ()


def walk(node: Ast) -> Iterator[Ast]:
    """Yield `node` and everything under it."""
    stack = [node]
    while stack:
        current = stack.pop()
        yield current
        stack.extend(reversed(children(current)))
