"""The quick form of an expression gives what the closures give, whatever the expression."""

import json
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

from carepath.errors import CarepathError
from carepath.fhirpath import Environment, Expression, Known, parse
from carepath.fhirpath.nodes import Ast
from carepath.fhirpath.source import items_function, truth_function
from carepath.fhirpath.text import text_of

from .test_cases import CASES, Case, environment, resource
from .test_evidence import BUNDLE, OBSERVATIONS
from .test_laws import ENVIRONMENT, RESOURCES, TREES, TREES_OF_JSON
from .test_official_suite import SUITE, suite_tool

LIBRARY = Path(__file__).parents[2] / "pathways/shared/libraries/mst-facts.json"


def outcome(expression: Expression, focus: Any, environment: Environment) -> str:
    """Return everything a caller can see of an evaluation."""
    try:
        nodes = expression.evaluate_nodes(focus, environment)
    except CarepathError as error:
        return f"{type(error).__name__}: {error}"
    return repr([(node.value, node.type, node.sibling) for node in nodes])


def truth(expression: Expression, focus: Any, environment: Environment) -> str:
    try:
        return repr(expression.decide(Known.of(focus), environment))
    except CarepathError as error:
        return f"{type(error).__name__}: {error}"


def both(text: str, tree: Ast) -> tuple[Expression, Expression]:
    """Return an expression that runs by closures and one that runs by its function."""
    quick = Expression(text, tree)
    quick.prepare()
    return Expression(text, tree), quick


@given(TREES, RESOURCES | TREES_OF_JSON)
@settings(max_examples=500, deadline=None)
def test_both_forms_give_the_same_for_any_tree_and_any_json(tree: Ast, focus: Any) -> None:
    plain, quick = both(text_of(tree), tree)
    assert outcome(quick, focus, ENVIRONMENT) == outcome(plain, focus, ENVIRONMENT)


@given(TREES, RESOURCES)
@settings(max_examples=300, deadline=None)
def test_both_forms_decide_the_same(tree: Ast, focus: Any) -> None:
    plain, quick = both(text_of(tree), tree)
    quick._quick_truth = truth_function(quick.text, tree)  # whether it is a condition or not
    assert truth(quick, focus, ENVIRONMENT) == truth(plain, focus, ENVIRONMENT)


VALID = [case for case in CASES if not case.expected.startswith(("!syntax", "!static"))]


@pytest.mark.parametrize("case", VALID, ids=[case.place for case in VALID])
def test_case_in_both_forms(case: Case) -> None:
    plain, quick = both(case.expression, parse(case.expression).ast)
    focus = resource(case.resource)
    assert outcome(quick, focus, environment()) == outcome(plain, focus, environment())


@pytest.mark.skipif(not SUITE.exists(), reason="the official suite is not beside this checkout")
def test_the_official_suite_passes_in_the_quick_form(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[bool] = []
    start = Expression.__init__

    def prepared(self: Expression, text: str, ast: Ast) -> None:
        start(self, text, ast)
        self.prepare()
        quick = self._quick_items or self._quick_truth
        made.append(quick is not None and quick.__code__.co_filename == "<fhirpath>")

    monkeypatch.setattr(Expression, "__init__", prepared)
    tool = suite_tool()
    passed, by_kind = tool.failures(SUITE)
    assert list(tool.report(by_kind)) == []
    assert passed == 935
    assert sum(made) > 700


def test_the_facts_that_are_shipped_have_a_quick_form() -> None:
    library = json.loads(LIBRARY.read_text("utf-8"))
    facts = [e["valueExpression"] for e in library["extension"] if "valueExpression" in e]
    texts = [fact["expression"] for fact in facts]
    slow = [text for text in texts if items_function(text, parse(text).ast) is None]
    assert len(texts) > 100
    assert slow == []


@pytest.mark.parametrize(
    "text",
    [
        "'\"); import os; x = (\"'",
        "`a'); raise SystemExit('`",
        "%`b\n    return 1`",
        "'\\u0000\\n\\\\'",
        "x.matches('\\'\\'\\')(?P<a>b)')",
    ],
)
def test_no_text_of_an_expression_becomes_code(text: str) -> None:
    plain, quick = both(text, parse(text).ast)
    assert outcome(quick, BUNDLE, ENVIRONMENT) == outcome(plain, BUNDLE, ENVIRONMENT)


def test_what_is_too_deep_for_python_runs_by_closures() -> None:
    text = "a" + ".where(b.exists(c" * 30 + "))" * 30
    plain, quick = both(text, parse(text).ast)
    focus = {"resourceType": "Patient"}
    assert outcome(quick, focus, ENVIRONMENT) == outcome(plain, focus, ENVIRONMENT)


@pytest.mark.parametrize(
    "text",
    [
        "%observations.where(status = 'final').first().value.ofType(Quantity).value",
        "%observations.where(code.coding.exists(code = '21889-1')).value > 5 'cm'",
        "%observations.code.coding.where(code = '21889-1').select(code.lower())",
        "iif(%observations.exists(status = 'final'), 'yes', 'no')",
        "%observations.where(value is Quantity).exists(status = 'final')",
        "%observations.select(iif(value is Quantity, value.value, 0))",
        "entry.resource.ofType(Condition).subject.resolve().gender",
        "%observations.status.distinct().where($this != 'amended')",
    ],
)
def test_evidence_without_paths_names_the_same_resources(text: str) -> None:
    environment = Environment(now=ENVIRONMENT.now, variables={"observations": OBSERVATIONS})
    found = []
    for paths, is_quick in ((True, False), (False, False), (False, True)):
        expression = parse(text)
        if is_quick:
            expression.prepare()
        try:
            traced = expression.trace(BUNDLE, environment, paths=paths)
            found.append((traced.values, list(dict.fromkeys(p.resource for p in traced.evidence))))
        except CarepathError as error:
            found.append(str(error))
    assert found[0] == found[1] == found[2]


@pytest.mark.parametrize(
    "text",
    ["%a" + ".where($this > 0)" * 40, "%a" + ".where(%a" * 18 + ".exists()" + ")" * 18,
     "name" + ".where(true)" * 40, "%a" + ".select($this).where(true)" * 20],
)  # fmt: skip
@pytest.mark.parametrize("is_quick", [False, True])
def test_tracing_takes_no_longer_for_what_is_compiled_twice(text: str, is_quick: bool) -> None:
    expression = parse(text)
    if is_quick:
        expression.prepare()
    environment = Environment(now=ENVIRONMENT.now, variables={"a": [1]})
    start = time.process_time()
    for paths in (True, False):
        expression.trace({"resourceType": "Patient"}, environment, paths=paths)
    assert time.process_time() - start < 5
