"""Laws that hold for every expression and every resource."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carepath.errors import CarepathError
from carepath.fhirpath import Environment, Expression, Known, Limits, Quantity, parse
from carepath.fhirpath.functions import FUNCTIONS
from carepath.fhirpath.nodes import (
    Ast,
    Binary,
    Call,
    EmptySet,
    Indexer,
    Instance,
    Literal,
    Member,
    Special,
    TypeTest,
    Unary,
    Variable,
)
from carepath.fhirpath.syntax.precedence import POWER
from carepath.fhirpath.syntax.text import text_of
from carepath.fhirpath.values.quantity import CALENDAR_UNITS
from carepath.fhirpath.values.temporal import Date, DateTime, Time

NOW = datetime(2026, 3, 31, 9, 15, tzinfo=UTC)
ENVIRONMENT = Environment(
    now=NOW,
    variables={"a": 1, "b": ["x", "y"], "odd name": True},
    limits=Limits(steps=20_000, items=2_000, text=5_000),
)

NAMES = st.sampled_from(
    ["name", "given", "value", "code", "coding", "entry", "resource", "extension", "item", "is",
     "div", "a b", "ü", "Patient", "status", "period", "start", "birthDate", "id"]
)  # fmt: skip
TYPES = st.sampled_from(["Quantity", "System.String", "FHIR.Patient", "code", "Integer", "Period"])
TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=("Cs",)), max_size=6)
NUMBERS = st.decimals(0, 1000, places=2, allow_nan=False)
LITERALS = st.one_of(
    st.builds(Literal, st.integers(0, 2**31 - 1), st.just("Integer")),
    st.builds(Literal, NUMBERS, st.just("Decimal")),
    st.builds(Literal, TEXTS, st.just("String")),
    st.builds(Literal, st.booleans(), st.just("Boolean")),
    st.builds(Literal, st.integers(0, 2**40), st.just("Long")),
    st.builds(Literal, st.dates().map(lambda d: Date.parse(str(d))), st.just("Date")),
    st.builds(Literal, st.datetimes().map(DateTime.of), st.just("DateTime")),
    st.builds(
        Literal, st.sampled_from(["09", "09:15", "23:59:59.5"]).map(Time.parse), st.just("Time")
    ),
    st.builds(
        Literal,
        st.builds(Quantity, NUMBERS, st.sampled_from(["mm", "cm", "kg", "mm[Hg]", "a'b"])),
        st.just("Quantity"),
    ),
    st.builds(
        Literal,
        st.builds(
            Quantity, NUMBERS, st.sampled_from(sorted(set(CALENDAR_UNITS.values()))), st.just(True)
        ),
        st.just("Quantity"),
    ),
)
LEAVES: st.SearchStrategy[Ast] = st.one_of(
    LITERALS,
    st.just(EmptySet()),
    st.sampled_from(["$this", "$index", "$total"]).map(Special),
    st.sampled_from(["a", "b", "odd name", "resource", "ucum", "vs-x"]).map(Variable),
    NAMES.map(lambda name: Member(None, name)),
)


def _call(source: Ast | None, name: str, arguments: list[Ast]) -> Ast:
    row = FUNCTIONS[name]
    count = min(max(len(arguments), row.least), row.most)
    padded = (arguments + [EmptySet()] * count)[:count]
    return Call(source, name, tuple(padded))


def _grown(inner: st.SearchStrategy[Ast]) -> st.SearchStrategy[Ast]:
    return st.one_of(
        st.builds(Member, inner, NAMES),
        st.builds(_call, inner | st.none(), st.sampled_from(sorted(FUNCTIONS)),
                  st.lists(inner, max_size=3)),
        st.builds(Indexer, inner, inner),
        st.builds(Unary, st.sampled_from("+-"), inner),
        st.builds(Binary, st.sampled_from(sorted(set(POWER) - {"is", "as"})), inner, inner),
        st.builds(Instance, TYPES, st.lists(st.tuples(NAMES, inner), max_size=3).map(tuple)),
        st.builds(TypeTest, st.sampled_from(["is", "as"]), inner, TYPES),
    )  # fmt: skip


TREES = st.recursive(LEAVES, _grown, max_leaves=12)

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-100, 100)
    | NUMBERS.map(Decimal)
    | st.floats(allow_nan=True)
    | st.sampled_from(["", "a", "2026-03-31", "2026-02-30", "T", "Patient/1", "#x", "mm"])
)
KEYS = st.sampled_from(
    ["resourceType", "name", "given", "_given", "valueQuantity", "valueString", "value", "code",
     "coding", "entry", "resource", "extension", "item", "birthDate", "_birthDate", "period",
     "start", "id", "status", "system", "unit", "contained", "reference", "subject"]
)  # fmt: skip
TREES_OF_JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=15,
)
RESOURCES = st.builds(
    lambda name, body: {**body, "resourceType": name},
    st.sampled_from(["Patient", "Observation", "Bundle", "Questionnaire", "Condition"]),
    st.dictionaries(KEYS, TREES_OF_JSON, max_size=6),
)


@given(TREES)
@settings(max_examples=300, deadline=None)
def test_text_of_a_tree_parses_to_the_same_tree(tree: Ast) -> None:
    assert parse(text_of(tree)).ast == tree


@given(TREES, RESOURCES | TREES_OF_JSON)
@settings(max_examples=400, deadline=None)
def test_only_our_own_errors_on_any_tree_and_any_json(tree: Ast, resource: Any) -> None:
    before = repr(resource)
    expression = Expression(text_of(tree), tree)
    for run in (expression.evaluate, expression.evaluate_nodes, expression.trace):
        try:
            run(resource, ENVIRONMENT)
        except CarepathError as error:
            assert str(error)
    assert repr(resource) == before


@given(TREES, RESOURCES)
@settings(max_examples=200, deadline=None)
def test_tracing_changes_no_result(tree: Ast, resource: Any) -> None:
    expression = Expression(text_of(tree), tree)
    try:
        values = expression.evaluate(resource, ENVIRONMENT)
    except CarepathError:
        return
    assert repr(expression.trace(resource, ENVIRONMENT).values) == repr(values)


@given(TREES, st.sampled_from(["Patient", "Observation", "Bundle", "HumanName"]))
@settings(max_examples=200, deadline=None)
def test_static_check_ends_with_our_own_errors(tree: Ast, type_: str) -> None:
    try:
        parse(text_of(tree), input_type=type_)
    except CarepathError as error:
        assert str(error)


@given(st.text(max_size=40) | st.text("'`%@${}()[].,|&+-*/<>=!~ 0aT:", max_size=20))
@settings(max_examples=400, deadline=None)
def test_any_text_parses_or_is_refused_by_us(text: str) -> None:
    try:
        parse(text)
    except CarepathError as error:
        assert str(error)


VALUES = {"true": True, "false": False, "{}": None}


def truth(text: str) -> bool | None:
    """Return the truth of a formula: both forms find the same, evaluated or decided."""
    plain, quick = parse(text), parse(text)
    quick.prepare()
    decided = plain.decide(Known.of([]), ENVIRONMENT)
    assert quick.decide(Known.of([]), ENVIRONMENT) is decided
    for form in (plain, quick):
        assert form.evaluate([], ENVIRONMENT) == ([] if decided is None else [decided])
    return decided


def _and(a: bool | None, b: bool | None) -> bool | None:
    return False if a is False or b is False else None if a is None or b is None else True


def _or(a: bool | None, b: bool | None) -> bool | None:
    return True if a or b else None if a is None or b is None else False


def _not(a: bool | None) -> bool | None:
    return None if a is None else not a


KLEENE: dict[str, Callable[[bool | None, bool | None], bool | None]] = {
    "and": _and,
    "or": _or,
    "xor": lambda a, b: None if a is None or b is None else a is not b,
    "implies": lambda a, b: _or(_not(a), b),
}


@pytest.mark.parametrize("operator", KLEENE)
@pytest.mark.parametrize("left", VALUES)
@pytest.mark.parametrize("right", VALUES)
def test_logic_has_three_values(operator: str, left: str, right: str) -> None:
    expected = KLEENE[operator](VALUES[left], VALUES[right])
    assert truth(f"{left} {operator} {right}") is expected
    assert truth(f"({left}).not()") is _not(VALUES[left])


FORMULAS = st.recursive(
    st.sampled_from(sorted(VALUES)),
    lambda inner: st.one_of(
        st.builds("({}).not()".format, inner),
        st.builds(
            lambda a, op, b: f"({a} {op} {b})", inner, st.sampled_from(sorted(KLEENE)), inner
        ),
    ),
    max_leaves=8,
)


@given(FORMULAS, FORMULAS)
@settings(max_examples=150, deadline=None)
def test_laws_of_logic(p: str, q: str) -> None:
    assert truth(f"({p} and {q}).not()") is truth(f"({p}).not() or ({q}).not()")
    assert truth(f"({p} or {q}).not()") is truth(f"({p}).not() and ({q}).not()")
    assert truth(f"{p} implies {q}") is truth(f"({p}).not() or {q}")
    assert truth(f"{p} and {q}") is truth(f"{q} and {p}")
    assert truth(f"{p} xor {q}") is truth(f"{q} xor {p}")
    assert truth(f"({p}).not().not()") is truth(p)
