"""The quick form of an expression gives what the closures give, whatever the expression."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

from carepath.errors import CarepathError
from carepath.fhirpath import Environment, Expression, Known, Node, parse
from carepath.fhirpath.nodes import Ast
from carepath.fhirpath.run.written import _BY_CLOSURES_ONLY, items_function, truth_function
from carepath.fhirpath.syntax.text import text_of

from .test_cases import CASES, environment, resource
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


def deciding(text: str, tree: Ast) -> Expression:
    """Return an expression that decides by its function, whether it is a condition or not."""
    quick = Expression(text, tree)
    quick._quick_truth = truth_function(text, tree)
    return quick


class Runs:
    """How often the written function of an expression gave a result; having one counts nothing."""

    def __init__(self, expression: Expression) -> None:
        self.number = 0
        for name in ("_quick_items", "_quick_truth"):
            function = getattr(expression, name)
            if function is not None and function.__code__.co_filename == "<fhirpath>":
                setattr(expression, name, self._counted(function))

    def _counted(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def run(context: Any, this: Any) -> Any:
            found = function(context, this)
            self.number += 1
            return found

        return run


def compared(
    text: str, tree: Ast, focus: Any, environment: Environment
) -> tuple[list[tuple[str, str]], bool]:
    """Return where the two forms differ, and whether the written one ran each time."""
    plain, quick = both(text, tree)
    decides = deciding(text, tree)
    runs = Runs(quick)
    pairs = [
        (outcome(plain, focus, environment), outcome(quick, focus, environment)),
        (truth(plain, focus, environment), truth(quick, focus, environment)),
        (truth(plain, focus, environment), truth(decides, focus, environment)),
    ]
    ran = runs.number == (2 if quick.is_condition else 1)
    return [(ours, theirs) for ours, theirs in pairs if ours != theirs], ran


@given(TREES, RESOURCES | TREES_OF_JSON)
@settings(max_examples=500, deadline=None)
def test_both_forms_give_the_same_for_any_tree_and_any_json(tree: Ast, focus: Any) -> None:
    differences, _ = compared(text_of(tree), tree, focus, ENVIRONMENT)
    assert differences == []


VALID = [case for case in CASES if not case.expected.startswith(("!syntax", "!static"))]


def test_every_case_in_both_forms() -> None:
    differing, not_run = {}, []
    for case in VALID:
        tree, focus = parse(case.expression).ast, resource(case.resource)
        differences, ran = compared(case.expression, tree, focus, environment())
        if differences:
            differing[case.place] = differences
        is_written = not any(word in case.expression for word in _BY_CLOSURES_ONLY)
        if is_written and case.expected != "!evaluation" and not ran:
            not_run.append(case.place)
    assert differing == {}
    assert not_run == []


@pytest.mark.skipif(not SUITE.exists(), reason="the official suite is not beside this checkout")
def test_the_official_suite_passes_in_the_quick_form(monkeypatch: pytest.MonkeyPatch) -> None:
    by_closures = Expression.evaluate_nodes
    differing: dict[str, list[tuple[str, str]]] = {}
    ran: list[bool] = []

    def evaluate(self: Expression, focus: Any, environment: Environment) -> list[Node]:
        with monkeypatch.context() as undisturbed:
            undisturbed.setattr(Expression, "evaluate_nodes", by_closures)
            differences, has_run = compared(self.text, self.ast, focus, environment)
        ran.append(has_run)
        if differences:
            differing[self.text] = differences
        self.prepare()
        return by_closures(self, focus, environment)

    monkeypatch.setattr(Expression, "evaluate_nodes", evaluate)
    tool = suite_tool()
    passed, by_kind = tool.failures(SUITE)
    assert list(tool.report(by_kind)) == []
    assert differing == {}
    assert passed == 935
    assert (sum(ran), len(ran)) == (894, 917)


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
        "%observations.where(status = 'final').distinct().value",
        "%observations.sort(status desc).first().status",
        "%observations.intersect(%observations.tail()).status",
        "%observations.ofType(Observation).last().status",
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
