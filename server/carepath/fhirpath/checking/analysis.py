"""What can be told about an expression before it is evaluated, from the type of its input.

https://hl7.org/fhirpath/#type-safety-and-strict-evaluation

Every node gets the types its result may have, or None when nothing is known; only what cannot be
right whatever the data hold is an error.
"""

from collections.abc import Callable
from typing import Any

from carepath.errors import EvaluationError
from carepath.fhirpath.checking.comparison import never_compares
from carepath.fhirpath.checking.static_types import (
    ANY_RESOURCE,
    ANYTHING,
    BOOLEAN_RESULT,
    Kinds,
    children_of,
    either,
    info,
    listed,
    narrowed,
    only_kind,
    result_of,
    unknown_member,
)
from carepath.fhirpath.functions import FUNCTIONS
from carepath.fhirpath.functions.row import TYPE, Argument, Result
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
    named_type,
)
from carepath.fhirpath.syntax.text import text_of
from carepath.fhirpath.values.types import (
    BOOLEAN,
    DATE,
    DATE_TIME,
    DECIMAL,
    INTEGER,
    LONG,
    OBJECT,
    STRING,
    known_type,
    model,
)

_NUMERIC = frozenset({INTEGER, LONG, DECIMAL})


def analyse(text: str, ast: Ast, input_type: str, *, strict_order: bool = False) -> None:
    """Raise EvaluationError for the first thing that cannot be right on `input_type`."""
    if model().type_of(input_type) is None:
        raise EvaluationError(text, input_type, "there is no such type in FHIR R4")
    analysis = _Analysis(text, _anything, strict_order=strict_order, strict_comparison=False)
    analysis.kinds(ast, Kinds(frozenset({f"FHIR.{input_type}"})))


def kinds_of(text: str, ast: Ast, this: Kinds, variables: Callable[[str], Kinds]) -> Kinds:
    """Return the types that an expression may give, by those of its input and its variables.

    Raises EvaluationError for what cannot be right, comparisons that are never true among it.
    """
    analysis = _Analysis(text, variables, strict_order=False, strict_comparison=True)
    return analysis.kinds(ast, this)


def _anything(_name: str) -> Kinds:
    return ANYTHING


class _Analysis:
    """One walk over one expression."""

    def __init__(
        self,
        text: str,
        variables: Callable[[str], Kinds],
        *,
        strict_order: bool,
        strict_comparison: bool,
    ) -> None:
        self.text = text
        self.variables = variables
        self.strict_order = strict_order
        self.strict_comparison = strict_comparison

    def error(self, node: Ast, reason: str) -> EvaluationError:
        return EvaluationError(self.text, text_of(node), reason)

    def kinds(self, node: Ast, this: Kinds) -> Kinds:
        return _RULES[type(node)](self, node, this)

    def literal(self, node: Literal, _: Kinds) -> Kinds:
        return Kinds(frozenset({f"System.{node.type}"}))

    def anything(self, _: Ast, __: Kinds) -> Kinds:
        return ANYTHING

    def empty_set(self, _: Ast, __: Kinds) -> Kinds:
        return Kinds(frozenset())

    def special(self, node: Special, this: Kinds) -> Kinds:
        if node.name == "$this":
            return this
        return Kinds(frozenset({"System.Integer"})) if node.name == "$index" else ANYTHING

    def variable(self, node: Variable, _: Kinds) -> Kinds:
        if node.name in ("sct", "loinc", "ucum"):
            return Kinds(frozenset({"System.String"}))
        return self.variables(node.name)

    def member(self, node: Member, this: Kinds) -> Kinds:
        source = this if node.source is None else self.kinds(node.source, this)
        if source.types is None:
            return ANYTHING
        if node.source is None and node.name[:1].isupper():
            named = self._root_type(node, source)
            if named is not None:
                return named
        found: set[str] = set()
        known, single = False, source.single
        for name in source.types:
            children, is_list = children_of(name, node.name)
            if children is None:
                return ANYTHING
            known = known or bool(children)
            single = single and not is_list
            found |= children
        if source.types and not known:
            raise self.error(node, unknown_member(node.name, source.types))
        return Kinds(frozenset(found), single, source.ordered)

    def _root_type(self, node: Member, source: Kinds) -> Kinds | None:
        """Return the input when the path starts with its type; None when it is an element."""
        assert source.types is not None  # noqa: S101 - the caller looked
        if any(node.name in info(t).ancestors for t in source.types):
            return source
        if model().type_of(node.name) is not None and not any(
            t.removeprefix("FHIR.") in ANY_RESOURCE for t in source.types
        ):
            raise self.error(node, f"the input is {listed(source.types)}, never a {node.name}")
        return None

    def call(self, node: Call, this: Kinds) -> Kinds:
        function = FUNCTIONS.get(node.name)
        if function is None:
            raise self.error(node, f"there is no function `{node.name}`")
        if not function.takes(len(node.arguments)):
            raise self.error(node, f"it takes {function.arity}, found {len(node.arguments)}")
        source = this if node.source is None else self.kinds(node.source, this)
        if self.strict_order and function.needs_order and not source.ordered:
            raise self.error(node, "the order of its input is not defined")
        if function.on_text and source.types and not _may_be(STRING, source):
            raise self.error(node, f"it applies to a string, not to {listed(source.types)}")
        if TYPE in function.arguments:
            return self._type_function(node, function.gives, source)
        given = [
            self._argument(node, row, argument, source, this)
            for row, argument in zip(function.arguments, node.arguments, strict=False)
        ]
        return result_of(function, source, given)

    def _argument(
        self, node: Call, row: Argument, argument: Ast, source: Kinds, this: Kinds
    ) -> Kinds:
        """Return what an argument gives, seen from where it is evaluated."""
        is_inside = row.on != "call" and (row.on == "each" or node.source is not None)
        found = self.kinds(argument, source._replace(single=True) if is_inside else this)
        if row.is_condition and found.types and not _may_be(BOOLEAN, found):
            told = f"`{text_of(argument)}` is no condition but {listed(found.types)}"
            raise self.error(node, told)
        return found

    def _type_function(self, node: Call, gives: Result, source: Kinds) -> Kinds:
        name = named_type(node.arguments[0])
        # A test may name a type of another model: the answer is no.
        is_elsewhere = gives.type and name is not None and "." in name
        if name is None or not (known_type(name) or is_elsewhere):
            raise self.error(node, "it expects the name of a type there is")
        if gives.type:
            return Kinds(frozenset({gives.type}))
        return Kinds(narrowed(source.types, name), source.single, source.ordered)

    def type_test(self, node: TypeTest, this: Kinds) -> Kinds:
        operand = self.kinds(node.operand, this)
        if not known_type(node.type):
            raise self.error(node, f"there is no type `{node.type}`")
        if node.operator == "is":
            return Kinds(BOOLEAN_RESULT)
        fitting = narrowed(operand.types, node.type)
        if operand.types and fitting == frozenset():
            raise self.error(node, f"{listed(operand.types)} is never a {node.type}")
        return Kinds(fitting, operand.single, operand.ordered)

    def indexer(self, node: Indexer, this: Kinds) -> Kinds:
        source = self.kinds(node.source, this)
        self.kinds(node.index, this)
        if self.strict_order and not source.ordered:
            raise self.error(node, "the order of its input is not defined")
        return source._replace(single=True)

    def unary(self, node: Unary, this: Kinds) -> Kinds:
        return self.kinds(node.operand, this)

    def instance(self, node: Instance, this: Kinds) -> Kinds:
        name = node.type.removeprefix("FHIR.")
        if model().type_of(name) is None:
            raise self.error(node, f"there is no type `{node.type}` in FHIR R4")
        for element, value in node.elements:
            if children_of(f"FHIR.{name}", element)[0] == frozenset():
                raise self.error(node, unknown_member(element, frozenset({f"FHIR.{name}"})))
            self.kinds(value, this)
        return Kinds(frozenset({f"FHIR.{name}"}))

    def sort_key(self, node: SortKey, this: Kinds) -> Kinds:
        return self.kinds(node.key, this)

    def binary(self, node: Binary, this: Kinds) -> Kinds:
        left, right = self.kinds(node.left, this), self.kinds(node.right, this)
        if node.operator == "|":
            return either([left, right])._replace(single=False, ordered=True)
        if node.operator in ("+", "-", "*", "/", "div", "mod", "&"):
            return self._arithmetic(node, left, right)
        why = never_compares(node.operator, left, right) if self.strict_comparison else None
        if why is not None:
            raise self.error(node, why)
        return Kinds(BOOLEAN_RESULT)

    def _arithmetic(self, node: Binary, left: Kinds, right: Kinds) -> Kinds:
        ours, theirs = only_kind(left), only_kind(right)
        if ours in (DATE, DATE_TIME) and theirs in _NUMERIC:
            raise self.error(node, "a date moves by a quantity such as `7 days`, not by a number")
        if OBJECT in (ours, theirs):
            raise self.error(node, f"`{node.operator}` does not apply to objects")
        return ANYTHING._replace(single=True)


def _may_be(kind: int, found: Kinds) -> bool:
    """Tell whether one of the types can be used as a System type."""
    return any(info(name).kind == kind for name in found.types or ())


_RULES: dict[type, Callable[[_Analysis, Any, Kinds], Kinds]] = {
    Literal: _Analysis.literal,
    EmptySet: _Analysis.empty_set,
    Special: _Analysis.special,
    Variable: _Analysis.variable,
    Member: _Analysis.member,
    Call: _Analysis.call,
    Indexer: _Analysis.indexer,
    Unary: _Analysis.unary,
    Binary: _Analysis.binary,
    TypeTest: _Analysis.type_test,
    Instance: _Analysis.instance,
    SortKey: _Analysis.sort_key,
}
