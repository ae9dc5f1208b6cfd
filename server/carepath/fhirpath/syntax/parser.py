"""From tokens to the syntax tree, by operator precedence.

https://hl7.org/fhirpath/#operator-precedence
"""

from decimal import Decimal

from carepath.errors import ExpressionSyntaxError
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
    children,
    named_type,
)
from carepath.fhirpath.syntax.lexer import END, Token, tokens, unescape
from carepath.fhirpath.syntax.precedence import POWER, TYPE_TEST, UNARY
from carepath.fhirpath.values.quantity import CALENDAR_UNITS, Quantity
from carepath.fhirpath.values.temporal import InvalidMoment, moment_literal

MAX_DEPTH = 100
"""How deep expressions may nest; the compiled form must fit into the interpreter's stack."""
MAX_CHAIN = 150
"""How many operators or steps may follow each other, and how deep the tree may be in all."""
MAX_LENGTH = 100_000
"""Characters; no expression written by hand comes near."""
MAX_DIGITS = 100
"""Digits of a number; FHIR asks for 18."""

_OPERAND = "an expression"
_NAMES = frozenset({"word", "quoted", "is", "as", "in", "contains"})


def parse_expression(text: str) -> Ast:
    """Return the syntax tree of `text`; raises ExpressionSyntaxError."""
    if len(text) > MAX_LENGTH:
        raise ExpressionSyntaxError(text[:80], 1, f"at most {MAX_LENGTH} characters")
    parser = _Parser(text)
    node = parser.expression(0)
    parser.expect(END, "an operator or " + END)
    if parser.place > MAX_CHAIN and _depth(node) > MAX_CHAIN:
        raise ExpressionSyntaxError(text, 1, f"a tree at most {MAX_CHAIN} levels deep")
    return node


def _depth(node: Ast) -> int:
    """Return the levels of a tree, level by level: it may be too deep for recursion."""
    levels, level = 0, [node]
    while level:
        levels += 1
        level = [child for each in level for child in children(each)]
    return levels


class _Parser:
    """One pass over the tokens of one text."""

    __slots__ = ("depth", "place", "text", "tokens")

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens: list[Token] = tokens(text)
        self.place = 0
        self.depth = 0

    def error(self, token: Token, expected: str) -> ExpressionSyntaxError:
        return ExpressionSyntaxError(self.text, token[2] + 1, expected)

    def expect(self, kind: str, expected: str = "") -> Token:
        token = self.tokens[self.place]
        if token[0] != kind:
            raise self.error(token, expected or f"`{kind}`")
        self.place += 1
        return token

    def expression(self, least: int) -> Ast:
        """Read an expression whose operators bind tighter than `least`."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise self.error(self.tokens[self.place], f"at most {MAX_DEPTH} levels of nesting")
        left = self.operand()
        power_of = POWER.get
        joined = 0
        while True:
            kind, _, offset = self.tokens[self.place]
            power = power_of(kind, 0)
            if power <= least:
                break
            self.place += 1
            if power == TYPE_TEST:
                left = TypeTest(kind, left, self.type_name(), offset)
            else:
                left = Binary(kind, left, self.expression(power), offset)
            joined += 1
            if joined > MAX_CHAIN:
                raise self.too_long(offset)
        self.depth -= 1
        return left

    def too_long(self, offset: int) -> ExpressionSyntaxError:
        """Refuse chains such as `1+1+1+…`: the tree is as deep as they are long."""
        return ExpressionSyntaxError(
            self.text, offset + 1, f"at most {MAX_CHAIN} operators in one chain"
        )

    def operand(self) -> Ast:
        """Read a term and what follows it by `.` or `[`."""
        kind, _, offset = self.tokens[self.place]
        if kind in ("-", "+"):
            self.place += 1
            return Unary(kind, self.expression(UNARY), offset)
        node = self.term()
        links = 0
        found = self.tokens
        while True:
            kind, _, offset = found[self.place]
            if kind == ".":
                self.place += 1
                kind, name, place = found[self.place]
                if kind == "word" and found[self.place + 1][0] != "(":
                    # By far the most frequent link, without a further call.
                    self.place += 1
                    node = Member(node, name, place)
                else:
                    node = self.invocation(node)
            elif kind == "[":
                self.place += 1
                node = Indexer(node, self.expression(0), offset)
                self.expect("]")
            elif kind == "{" and (type_ := named_type(node)) is not None:
                self.place += 1
                node = Instance(type_, self.elements(), node.at)
            else:
                return node
            links += 1
            if links > MAX_CHAIN:
                raise self.too_long(offset)

    def term(self) -> Ast:
        """Read a literal, a name, a call, a variable or an expression in parentheses."""
        token = self.tokens[self.place]
        kind, word, offset = token
        if kind == "word":
            return self.invocation(None)
        reader = _TERMS.get(kind)
        if reader is not None:
            self.place += 1
            return reader(self, word, offset)
        if kind in _NAMES:
            return self.invocation(None)
        raise self.error(token, _OPERAND)

    def invocation(self, source: Ast | None) -> Ast:
        """Read `name` or `name(arguments)`, or `$this` and its like."""
        kind, word, offset = token = self.tokens[self.place]
        if kind not in _NAMES:
            if kind == "special" and source is None:
                self.place += 1
                return Special(word, offset)
            raise self.error(token, "a name")
        self.place += 1
        if kind == "quoted":
            word = unescape(self.text, word, offset)
        if self.tokens[self.place][0] != "(":
            return Member(source, word, offset)
        self.place += 1
        if self.tokens[self.place][0] == ")":
            self.place += 1
            return Call(source, word, (), offset)
        arguments = [self.argument(word)]
        while self.tokens[self.place][0] == ",":
            self.place += 1
            arguments.append(self.argument(word))
        self.expect(")", "`,` or `)`")
        return Call(source, word, tuple(arguments), offset)

    def argument(self, function: str) -> Ast:
        node = self.expression(0)
        if function == "sort":
            kind, word, offset = self.tokens[self.place]
            if kind == "word" and word in ("asc", "desc"):
                self.place += 1
                return SortKey(node, word == "desc", offset)
        return node

    def elements(self) -> tuple[tuple[str, Ast], ...]:
        """Read `name: expression, …}`, or `:}` for none."""
        found: list[tuple[str, Ast]] = []
        if self.tokens[self.place][0] == ":":
            self.place += 1
        else:
            found.append(self.element())
            while self.tokens[self.place][0] == ",":
                self.place += 1
                found.append(self.element())
        self.expect("}", "`,` or `}`" if found else "")
        return tuple(found)

    def element(self) -> tuple[str, Ast]:
        name = self._part("the name of an element")
        self.expect(":")
        return name, self.expression(0)

    def type_name(self) -> str:
        """Read `Type` or `Namespace.Type`."""
        name = self._part()
        if self.tokens[self.place][0] == ".":
            self.place += 1
            name += "." + self._part()
        return name

    def _part(self, expected: str = "the name of a type") -> str:
        kind, word, offset = token = self.tokens[self.place]
        if kind not in _NAMES:
            raise self.error(token, expected)
        self.place += 1
        return unescape(self.text, word, offset) if kind == "quoted" else word

    def string(self, word: str, offset: int) -> Ast:
        return Literal(unescape(self.text, word, offset), "String", offset)

    def number(self, word: str, offset: int) -> Ast:
        """Read a number, and the unit when one follows."""
        if len(word) > MAX_DIGITS:
            raise ExpressionSyntaxError(self.text, offset + 1, f"at most {MAX_DIGITS} digits")
        kind, unit, unit_offset = self.tokens[self.place]
        if kind == "string":
            self.place += 1
            unit = unescape(self.text, unit, unit_offset)
            return Literal(Quantity(Decimal(word), unit), "Quantity", offset)
        if kind == "word":
            if unit in CALENDAR_UNITS:
                self.place += 1
                quantity = Quantity(Decimal(word), CALENDAR_UNITS[unit], calendar=True)
                return Literal(quantity, "Quantity", offset)
            if unit == "L" and unit_offset == offset + len(word) and "." not in word:
                self.place += 1
                return Literal(int(word), "Long", offset)
        if "." in word:
            return Literal(Decimal(word), "Decimal", offset)
        return Literal(int(word), "Integer", offset)

    def moment(self, word: str, offset: int) -> Ast:
        try:
            value, type_name = moment_literal(word[1:])
        except InvalidMoment as error:
            raise ExpressionSyntaxError(
                self.text, offset + 1, "a date or time that exists"
            ) from error
        return Literal(value, type_name, offset)

    def boolean(self, word: str, offset: int) -> Ast:
        return Literal(word == "true", "Boolean", offset)

    def variable(self, word: str, offset: int) -> Ast:
        name = word[1:]
        if name[0] in "`'":
            name = unescape(self.text, name, offset + 1)
        return Variable(name, offset)

    def special(self, word: str, offset: int) -> Ast:
        return Special(word, offset)

    def group(self, _: str, __: int) -> Ast:
        node = self.expression(0)
        self.expect(")", "an operator or `)`")
        return node

    def empty(self, _: str, offset: int) -> Ast:
        self.expect("}")
        return EmptySet(offset)


_TERMS = {
    "string": _Parser.string,
    "number": _Parser.number,
    "moment": _Parser.moment,
    "true": _Parser.boolean,
    "false": _Parser.boolean,
    "variable": _Parser.variable,
    "special": _Parser.special,
    "(": _Parser.group,
    "{": _Parser.empty,
}
