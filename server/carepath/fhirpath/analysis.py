"""What can be told about an expression before it is evaluated, from the type of its input.

https://hl7.org/fhirpath/#type-safety-and-strict-evaluation

Every node gets the types its result may have, or None when nothing is known; only what cannot be
right whatever the data hold is an error.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from carepath.errors import EvaluationError
from carepath.fhirpath.functions import FUNCTIONS
from carepath.fhirpath.functions.types import named_type
from carepath.fhirpath.nodes import (
    Ast,
    Binary,
    Call,
    EmptySet,
    Indexer,
    Literal,
    Member,
    SortKey,
    Special,
    TypeTest,
    Unary,
    Variable,
)
from carepath.fhirpath.signatures import (
    BOOLEAN_RESULT,
    ORDERED,
    RESULTS,
    SAME,
    TEXT_INPUT,
    UNORDERED,
)
from carepath.fhirpath.text import text_of
from carepath.fhirpath.types import (
    BOOLEAN,
    DATE,
    DATE_TIME,
    DECIMAL,
    INTEGER,
    LONG,
    OBJECT,
    STRING,
    SYSTEM,
    TypeInfo,
    fhir_type,
    fits,
    is_type,
    known_type,
    model,
)

Types = frozenset[str] | None
"""Full names such as `FHIR.Patient`; None: anything."""

_NUMERIC = frozenset({INTEGER, LONG, DECIMAL})
_ANY_RESOURCE = frozenset({"Resource", "DomainResource"})


class Kinds(NamedTuple):
    """What is known about the result of a node."""

    types: Types
    single: bool = True
    ordered: bool = True


ANYTHING = Kinds(None, False)


def analyse(text: str, ast: Ast, input_type: str, *, strict_order: bool = False) -> None:
    """Raise EvaluationError for the first thing that cannot be right on `input_type`."""
    if model().type_of(input_type) is None:
        raise EvaluationError(text, input_type, "there is no such type in FHIR R4")
    _Analysis(text, strict_order).kinds(ast, Kinds(frozenset({f"FHIR.{input_type}"})))


def _info(name: str) -> TypeInfo:
    space, _, bare = name.partition(".")
    return SYSTEM[bare] if space == "System" else fhir_type(bare)


class _Analysis:
    """One walk over one expression."""

    def __init__(self, text: str, strict_order: bool) -> None:
        self.text = text
        self.strict_order = strict_order

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
        return ANYTHING

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
            children, is_list = _children_of(name, node.name)
            if children is None:
                return ANYTHING
            known = known or bool(children)
            single = single and not is_list
            found |= children
        if source.types and not known:
            raise self.error(node, _unknown(node.name, source.types))
        return Kinds(frozenset(found), single, source.ordered)

    def _root_type(self, node: Member, source: Kinds) -> Kinds | None:
        """Return the input when the path starts with its type; None when it is an element."""
        assert source.types is not None  # noqa: S101 - the caller looked
        if any(node.name in _info(t).ancestors for t in source.types):
            return source
        if model().type_of(node.name) is not None and not any(
            t.removeprefix("FHIR.") in _ANY_RESOURCE for t in source.types
        ):
            raise self.error(node, f"the input is {_listed(source.types)}, never a {node.name}")
        return None

    def call(self, node: Call, this: Kinds) -> Kinds:
        function = FUNCTIONS.get(node.name)
        if function is None:
            raise self.error(node, f"there is no function `{node.name}`")
        if not function.takes(len(node.arguments)):
            raise self.error(node, f"it takes {function.arity}, found {len(node.arguments)}")
        source = this if node.source is None else self.kinds(node.source, this)
        if self.strict_order and node.name in ORDERED and not source.ordered:
            raise self.error(node, "the order of its input is not defined")
        self._check_text_input(node, source)
        rule = _CALLS.get(node.name)
        if rule is not None:
            return rule(self, node, source, this)
        looped = node.name in _LOOPED
        for argument in node.arguments:
            self.kinds(argument, source._replace(single=True) if looped else this)
        return _result(node.name, source)

    def _check_text_input(self, node: Call, source: Kinds) -> None:
        if node.name not in TEXT_INPUT or not source.types:
            return
        if all(_info(name).kind != STRING for name in source.types):
            raise self.error(node, f"it applies to a string, not to {_listed(source.types)}")

    def projection(self, node: Call, source: Kinds, _: Kinds) -> Kinds:
        inner = self.kinds(node.arguments[0], source._replace(single=True))
        return Kinds(inner.types, source.single and inner.single, source.ordered and inner.ordered)

    def criteria(self, node: Call, source: Kinds, _: Kinds) -> Kinds:
        for argument in node.arguments:
            self._boolean(argument, source._replace(single=True), node)
        return source if node.name == "where" else Kinds(BOOLEAN_RESULT)

    def _boolean(self, node: Ast, this: Kinds, call: Call) -> None:
        """Refuse a condition that can never be a Boolean."""
        found = self.kinds(node, this)
        if found.types and all(_info(name).kind != BOOLEAN for name in found.types):
            raise self.error(call, f"`{text_of(node)}` is no condition but {_listed(found.types)}")

    def iif(self, node: Call, source: Kinds, this: Kinds) -> Kinds:
        focus = this if node.source is None else source._replace(single=True)
        self._boolean(node.arguments[0], focus, node)
        branches = [self.kinds(argument, focus) for argument in node.arguments[1:]]
        return _either(branches)

    def repetition(self, node: Call, source: Kinds, _: Kinds) -> Kinds:
        """Check the projection on the input; what it gives may lack the element and ends it."""
        self.kinds(node.arguments[0], source._replace(single=True))
        return ANYTHING

    def type_function(self, node: Call, source: Kinds, _: Kinds) -> Kinds:
        name = named_type(node.arguments[0])
        if name is None or not known_type(name):
            if node.name == "is" and name is not None and "." in name:
                return Kinds(BOOLEAN_RESULT)
            raise self.error(node, "it expects the name of a type there is")
        if node.name == "is":
            return Kinds(BOOLEAN_RESULT)
        return Kinds(_narrowed(source.types, name), source.single, source.ordered)

    def type_test(self, node: TypeTest, this: Kinds) -> Kinds:
        operand = self.kinds(node.operand, this)
        if not known_type(node.type):
            raise self.error(node, f"there is no type `{node.type}`")
        if node.operator == "is":
            return Kinds(BOOLEAN_RESULT)
        narrowed = _narrowed(operand.types, node.type)
        if operand.types and narrowed == frozenset():
            raise self.error(node, f"{_listed(operand.types)} is never a {node.type}")
        return Kinds(narrowed, operand.single, operand.ordered)

    def definition(self, node: Call, source: Kinds, _: Kinds) -> Kinds:
        for argument in node.arguments:
            self.kinds(argument, source)
        return source

    def indexer(self, node: Indexer, this: Kinds) -> Kinds:
        source = self.kinds(node.source, this)
        self.kinds(node.index, this)
        if self.strict_order and not source.ordered:
            raise self.error(node, "the order of its input is not defined")
        return source._replace(single=True)

    def unary(self, node: Unary, this: Kinds) -> Kinds:
        return self.kinds(node.operand, this)

    def sort_key(self, node: SortKey, this: Kinds) -> Kinds:
        return self.kinds(node.key, this)

    def binary(self, node: Binary, this: Kinds) -> Kinds:
        left, right = self.kinds(node.left, this), self.kinds(node.right, this)
        if node.operator == "|":
            return _either([left, right])._replace(single=False, ordered=True)
        if node.operator in ("+", "-", "*", "/", "div", "mod", "&"):
            return self._arithmetic(node, left, right)
        return Kinds(BOOLEAN_RESULT)

    def _arithmetic(self, node: Binary, left: Kinds, right: Kinds) -> Kinds:
        ours, theirs = _only_kind(left), _only_kind(right)
        if ours in (DATE, DATE_TIME) and theirs in _NUMERIC:
            raise self.error(node, "a date moves by a quantity such as `7 days`, not by a number")
        if OBJECT in (ours, theirs):
            raise self.error(node, f"`{node.operator}` does not apply to objects")
        return ANYTHING._replace(single=True)


def _only_kind(kinds: Kinds) -> int | None:
    found = {_info(name).kind for name in kinds.types or ()}
    return found.pop() if len(found) == 1 else None


def _children_of(owner: str, name: str) -> tuple[frozenset[str] | None, bool]:
    """Return the types of an element and whether it repeats; None for types not known."""
    if owner.startswith("System."):
        return (None, False) if owner in _WITH_MEMBERS else (frozenset(), False)
    bare = owner.removeprefix("FHIR.")
    if bare in _ANY_RESOURCE:
        return None, True
    type_ = model().type_of(bare)
    if type_ is None:
        return None, True
    if type_.kind == "primitive" and name == "value":
        return None, False
    if name in type_.choices:
        return frozenset(f"FHIR.{e.type}" for e in type_.choices[name]), False
    element = type_.elements.get(name)
    if element is None or element.choice:
        return frozenset(), False
    return frozenset({f"FHIR.{element.type}"}), element.is_list


_WITH_MEMBERS = frozenset({"System.Quantity", "System.TypeInfo"})


def _narrowed(types: Types, wanted: str) -> Types:
    """Return those of the types that `as` and `ofType` let pass, narrowed to what is wanted."""
    namespace, _, bare = wanted.rpartition(".")
    in_fhir = namespace != "System" and model().type_of(bare) is not None
    full = f"FHIR.{bare}" if in_fhir else f"System.{bare}"
    if types is None:
        return None if in_fhir and bare in SYSTEM else frozenset({full})
    found = set()
    for name in types:
        if fits(_info(name), wanted):
            found.add(name)
        elif in_fhir and is_type(fhir_type(bare), name):
            found.add(full)
    return frozenset(found)


def _result(function: str, source: Kinds) -> Kinds:
    if function in SAME:
        single = source.single or function in ("first", "last", "single")
        return source._replace(single=single)
    if function in UNORDERED:
        return Kinds(None, False, ordered=False)
    known = RESULTS.get(function)
    return Kinds(frozenset({known})) if known else ANYTHING


def _either(branches: list[Kinds]) -> Kinds:
    if any(branch.types is None for branch in branches):
        return ANYTHING
    types = frozenset[str]().union(*(branch.types or () for branch in branches))
    return Kinds(types, all(b.single for b in branches), all(b.ordered for b in branches))


def _listed(types: frozenset[str]) -> str:
    names = sorted(types)
    return ", ".join(names[:4]) + (", …" if len(names) > 4 else "")  # noqa: PLR2004


def _unknown(name: str, types: frozenset[str]) -> str:
    for owner in sorted(types):
        type_ = model().type_of(owner.removeprefix("FHIR."))
        element = type_.elements.get(name) if type_ else None
        if element is not None and element.choice:
            return f"`{name}` is written `{element.choice}.ofType({element.type})` in FHIRPath"
    return f"{_listed(types)} has no element `{name}`"


_LOOPED = frozenset({"all", "sort", "aggregate", "trace"})
_CALLS: dict[str, Callable[[_Analysis, Call, Kinds, Kinds], Kinds]] = {
    "where": _Analysis.criteria,
    "exists": _Analysis.criteria,
    "all": _Analysis.criteria,
    "select": _Analysis.projection,
    "repeat": _Analysis.repetition,
    "repeatAll": _Analysis.repetition,
    "iif": _Analysis.iif,
    "is": _Analysis.type_function,
    "as": _Analysis.type_function,
    "ofType": _Analysis.type_function,
    "defineVariable": _Analysis.definition,
}
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
    SortKey: _Analysis.sort_key,
}
