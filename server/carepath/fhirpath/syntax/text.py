"""From the syntax tree back to text, with no more parentheses than needed.

https://hl7.org/fhirpath/grammar.html
"""

from collections.abc import Callable
from typing import Any

from carepath.fhirpath.nodes import (
    Ast,
    Binary,
    Call,
    EmptySet,
    Indexer,
    Instance,
    Literal,
    Member,
    SortKey,
    Special,
    TypeTest,
    Unary,
    Variable,
)
from carepath.fhirpath.syntax.lexer import KEYWORDS
from carepath.fhirpath.syntax.precedence import POWER, UNARY

_POSTFIX = 13
_NOT_NAMES = KEYWORDS - {"is", "as", "in", "contains"}


def _is_plain(name: str) -> bool:
    """Tell whether a name needs no backticks."""
    return name.isascii() and name.isidentifier()


def text_of(node: Ast) -> str:
    """Return an expression that parses to a tree equal to `node`."""
    return _WRITERS[type(node)](node)


def _power(node: Ast) -> int:
    if isinstance(node, Binary):
        return POWER[node.operator]
    if isinstance(node, TypeTest):
        return POWER["is"]
    return UNARY if isinstance(node, Unary) else _POSTFIX


def _bound(node: Ast, least: int) -> str:
    """Return the text of an operand, in parentheses when it binds weaker than `least`."""
    text = text_of(node)
    return text if _power(node) >= least else f"({text})"


def name_of(name: str) -> str:
    """Return a name as it stands in an expression, in backticks where it needs them."""
    if _is_plain(name) and name not in _NOT_NAMES:
        return name
    return f"`{escaped(name, '`')}`"


def escaped(text: str, quote: str = "'") -> str:
    """Return a text as it stands between quotes in an expression."""
    marks = {"\\": "\\\\", quote: f"\\{quote}", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\f": "\\f"}
    return "".join(marks.get(c) or (c if c.isprintable() else _unicode(c)) for c in text)


def _unicode(character: str) -> str:
    code = ord(character)
    return f"\\u{code:04x}" if code < 0x10000 else character  # noqa: PLR2004


def _literal(node: Literal) -> str:
    value: Any = node.value
    match node.type:
        case "String":
            return f"'{escaped(value)}'"
        case "Boolean":
            return "true" if value else "false"
        case "Quantity" if not value.calendar:
            return f"{value.value:f} '{escaped(value.unit)}'"
        case "Long":
            return f"{value}L"
        case "Decimal":
            return f"{value:f}"
        case "Date":
            return f"@{value}"
        case "Time":
            return f"@T{value}"
        case "DateTime":
            return f"@{value}" if "T" in str(value) else f"@{value}T"
    return str(value)


def _call(node: Call) -> str:
    arguments = ", ".join(text_of(argument) for argument in node.arguments)
    return f"{_source(node.source)}{name_of(node.name)}({arguments})"


def _source(source: Ast | None) -> str:
    return "" if source is None else f"{_bound(source, _POSTFIX)}."


def _unary(node: Unary) -> str:
    # What follows a sign binds tighter than any operator, or it is a sign again.
    return f"{node.operator}{_bound(node.operand, UNARY)}"


def _binary(node: Binary) -> str:
    power = POWER[node.operator]
    return f"{_bound(node.left, power)} {node.operator} {_bound(node.right, power + 1)}"


def _type_test(node: TypeTest) -> str:
    name = ".".join(name_of(part) for part in node.type.split("."))
    return f"{_bound(node.operand, POWER['is'])} {node.operator} {name}"


def _instance(node: Instance) -> str:
    name = ".".join(name_of(part) for part in node.type.split("."))
    elements = ", ".join(f"{name_of(key)}: {text_of(value)}" for key, value in node.elements)
    return f"{name} {{{elements or ':'}}}"


def _variable(node: Variable) -> str:
    return f"%{node.name}" if _is_plain(node.name) else f"%`{escaped(node.name, '`')}`"


_WRITERS: dict[type, Callable[..., str]] = {
    Literal: _literal,
    EmptySet: lambda _: "{}",
    Special: lambda node: node.name,
    Variable: _variable,
    Member: lambda node: _source(node.source) + name_of(node.name),
    Call: _call,
    Indexer: lambda node: f"{_bound(node.source, _POSTFIX)}[{text_of(node.index)}]",
    Instance: _instance,
    Unary: _unary,
    Binary: _binary,
    TypeTest: _type_test,
    SortKey: lambda node: f"{text_of(node.key)} {'desc' if node.descending else 'asc'}",
}
