"""Expressions as callers see them.

https://hl7.org/fhirpath/ and https://hl7.org/fhir/R4/fhirpath.html
"""

from contextlib import suppress
from functools import cached_property
from typing import Any, NamedTuple

from carepath.errors import EvaluationError
from carepath.fhirpath.environment import Environment
from carepath.fhirpath.functions import DEFINING, FUNCTIONS, asks_for_places
from carepath.fhirpath.nodes import Ast, Binary, Call, Literal, Variable, walk
from carepath.fhirpath.run import operators
from carepath.fhirpath.run.compiler import Compiler, Write
from carepath.fhirpath.syntax.parser import parse_expression
from carepath.fhirpath.syntax.text import text_of
from carepath.fhirpath.values.access import many
from carepath.fhirpath.values.context import Context, Evaluator, Truth
from carepath.fhirpath.values.evidence import Evidence, evidence_of, merge, rooted
from carepath.fhirpath.values.failure import Failure, LimitReached
from carepath.fhirpath.values.known import Known, Node, items_of, node_of
from carepath.fhirpath.values.results import OF_TRUTH, as_truth
from carepath.fhirpath.values.standard_variables import names_of
from carepath.fhirpath.values.types import STRING, Item, Items, system_value


class Traced(NamedTuple):
    """A result and the places it rests on."""

    values: list[Any]
    evidence: Evidence
    nodes: list[Node]


class Expression:
    """A parsed expression; it never changes and may be used by several threads at once."""

    def __init__(self, text: str, ast: Ast) -> None:
        self.text = text
        self.ast = ast
        self._quick_items: Evaluator | None = None
        self._quick_truth: Truth | None = None

    def __repr__(self) -> str:
        return f"Expression({self.text!r})"

    @cached_property
    def variables(self) -> frozenset[str]:
        """The names of the variables that the environment has to give."""
        nodes = list(walk(self.ast))
        defined = {
            node.arguments[0].value
            for node in nodes
            if isinstance(node, Call)
            and node.name in DEFINING
            and node.arguments
            and isinstance(node.arguments[0], Literal)
        }
        return names_of(n.name for n in nodes if isinstance(n, Variable)) - defined

    def evaluate(self, focus: Any, environment: Environment) -> list[Any]:
        """Return the values the expression has for a resource or value; never changes it."""
        return [_plain(item) for item in self._items(focus, environment)]

    def decide(self, focus: Known, environment: Environment) -> bool | None:
        """Return the truth of a condition (see `is_condition`), None when it is empty."""
        item = focus.item
        if self._quick_truth is not None:
            try:
                return self._quick_truth(Context(environment, item), item)
            except (Failure, RecursionError, KeyError):
                pass  # The closures go over it again: they know where it cannot go on.
        if self._asks_for_places:
            return as_truth(self._items(focus, environment))
        try:
            return self._truth(Context(environment, item), item)
        except Failure as failure:
            raise self._located(failure, focus, environment) from None
        except RecursionError:
            raise EvaluationError(self.text, self.text, "it nests too deep") from None

    @cached_property
    def is_condition(self) -> bool:
        """Whether the outermost operator or function can only give a boolean."""
        node = self.ast
        if isinstance(node, Binary):
            return node.operator in operators.TRUTHS
        function = FUNCTIONS.get(node.name) if isinstance(node, Call) else None
        return function is not None and function.truth is not None

    @cached_property
    def _asks_for_places(self) -> bool:
        return asks_for_places(self.text)

    @cached_property
    def _truth(self) -> Truth:
        return Compiler(self.text).truth(self.ast)

    def evaluate_nodes(self, focus: Any, environment: Environment) -> list[Node]:
        """Return the values with their types."""
        return [node_of(item) for item in self._items(focus, environment)]

    def evaluate_known(self, focus: Any, environment: Environment) -> Known:
        """Return the values in the engine's own form, for other expressions to read."""
        return Known(self._items(focus, environment))

    def trace(self, focus: Any, environment: Environment, *, paths: bool = True) -> Traced:
        """Return the values and what they rest on; slower than `evaluate`.

        Without `paths` the resources are told and not which elements of them, which is quicker.
        """
        try:
            evaluator = self._traced if paths else self._traced_to_resources
            items = self._run(evaluator, focus, environment, traced=True)
        except Failure as failure:
            raise self._error(failure) from None
        except RecursionError:
            raise EvaluationError(self.text, self.text, "it nests too deep") from None
        evidence = merge([place for item in items for place in evidence_of(item)])
        return Traced([_plain(i) for i in items], evidence, [node_of(i) for i in items])

    @cached_property
    def _compiled(self) -> Evaluator:
        return Compiler(self.text).items(self.ast)

    @cached_property
    def _traced(self) -> Evaluator:
        return Compiler(self.text, traced=True).items(self.ast)

    @cached_property
    def _traced_to_resources(self) -> Evaluator:
        write: Write | None = None
        if self._quick_items is not None or self._quick_truth is not None:
            from carepath.fhirpath.run.written import function_of  # noqa: PLC0415 - as in `prepare`

            write = function_of
        return Compiler(self.text, traced=True, paths=False, write=write).items(self.ast)

    def compile(self) -> "Expression":
        """Compile now instead of at the first evaluation; raises EvaluationError."""
        try:
            _ = self._compiled
        except Failure as failure:
            raise self._error(failure) from None
        return self

    def prepare(self) -> None:
        """Make the quick form; worth it for an expression that runs more than a few hundred times.

        Where there is none the closures are made; what cannot be compiled fails when it is run.
        """
        # Who evaluates an expression once has no use for the writer, a tenth of the engine's start.
        from carepath.fhirpath.run.written import items_function, truth_function  # noqa: PLC0415

        with suppress(Failure, RecursionError):
            if self.is_condition:
                self._quick_truth = truth_function(self.text, self.ast)
                _ = self._quick_truth or self._truth
            else:
                self._quick_items = items_function(self.text, self.ast)
                _ = self._quick_items or self._compiled

    def _items(self, focus: Any, environment: Environment) -> Items:
        if self._quick_items is not None or self._quick_truth is not None:
            try:
                item = focus.item if type(focus) is Known else many(items_of(focus))
                if self._quick_items is not None:
                    return self._quick_items(Context(environment, item), item)
                if self._quick_truth is not None:
                    return OF_TRUTH[self._quick_truth(Context(environment, item), item)]
            except (Failure, RecursionError, KeyError):
                pass  # As above.
        try:
            return self._run(self._compiled, focus, environment, traced=self._asks_for_places)
        except Failure as failure:
            raise self._located(failure, focus, environment) from None
        except RecursionError:
            raise EvaluationError(self.text, self.text, "it nests too deep") from None

    def _run(
        self, evaluator: Evaluator, focus: Any, environment: Environment, *, traced: bool = False
    ) -> Items:
        item = focus.item if type(focus) is Known else many(items_of(focus))
        if traced:
            item = rooted(item)
        return evaluator(Context(environment, item, traced=traced), item)

    def _located(self, failure: Failure, focus: Any, environment: Environment) -> EvaluationError:
        """Find the element an evaluation failed at: run it again, traced."""
        if isinstance(failure, LimitReached):
            return self._error(failure)
        try:
            self._run(self._traced, focus, environment, traced=True)
        except Failure as again:
            if again.reason == failure.reason:
                return self._error(again)
        except RecursionError:
            pass
        return self._error(failure)

    def _error(self, failure: Failure) -> EvaluationError:
        at = text_of(failure.node) if failure.node is not None else self.text
        element = next((place.path for i in failure.items for place in evidence_of(i)), "")
        return EvaluationError(self.text, at, failure.reason, element)


def _plain(item: Item) -> Any:
    """Return the value as callers want it: dates parsed, decimals exact."""
    type_ = item[1]
    if not type_.primitive or type_.kind == STRING:
        return item[0]
    value = system_value(item)
    return item[0] if value is None else value


def parse(text: str, *, input_type: str | None = None) -> Expression:
    """Return the expression for `text`; raises ExpressionSyntaxError with the column.

    With `input_type`, the type of the resource it will be evaluated on, unknown elements,
    functions and types that do not fit are found now: EvaluationError.
    """
    expression = Expression(text, parse_expression(text))
    if input_type is not None:
        check(expression, input_type)
    return expression


def check(expression: Expression, input_type: str, *, strict_order: bool = False) -> None:
    """Raise EvaluationError for what cannot be right on a resource of this type."""
    from carepath.fhirpath.checking.analysis import analyse  # noqa: PLC0415

    analyse(expression.text, expression.ast, input_type, strict_order=strict_order)


def compile_expression(text: str, *, input_type: str | None = None) -> Expression:
    """Parse and compile at once, so that the first evaluation is as fast as the others."""
    return parse(text, input_type=input_type).compile()
