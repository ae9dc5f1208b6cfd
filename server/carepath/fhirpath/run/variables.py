"""Environment variables: those of the specifications, and those the caller gives.

https://hl7.org/fhirpath/#environment-variables and https://hl7.org/fhir/R4/fhirpath.html#variables
"""

from typing import Any

from carepath.fhirpath.nodes import Variable
from carepath.fhirpath.values.context import Context, Evaluator
from carepath.fhirpath.values.failure import Failure
from carepath.fhirpath.values.known import Known, items_of
from carepath.fhirpath.values.results import text
from carepath.fhirpath.values.standard_variables import CONSTANTS, PREFIXED, STANDARD, is_given
from carepath.fhirpath.values.types import Item, Items


def variable(node: Variable, *, noted: bool = False) -> Evaluator:
    """Return the evaluator for `%name`; `noted`, what it stood for is in hand from then on."""
    read = _reading(node)
    return _noting(node.name, read) if noted and is_given(node.name) else read


def _reading(node: Variable) -> Evaluator:
    name = node.name
    standard = STANDARD.get(name)

    def evaluate(context: Context, _: Item) -> Items:
        defined = context.scope.get(name)
        if defined is not None:
            return defined
        if standard is not None:
            return standard(context)
        try:
            value = context.environment.variables[name]
        except KeyError:
            raise Failure(f"`%{name}` is not defined", (), node) from None
        if type(value) is Known and not context.traced:
            return value.items
        try:
            return _traced(context, name, value) if context.traced else items_of(value)
        except Failure as failure:
            failure.node = node
            raise

    if name in CONSTANTS:
        constant = text(CONSTANTS[name])
        return lambda _context, _this: constant
    for prefix, url in PREFIXED.items():
        if name.startswith(prefix):
            return _prefixed(text(url + name.removeprefix(prefix)), evaluate, name)
    return evaluate


def _noting(name: str, read: Evaluator) -> Evaluator:
    def evaluate(context: Context, this: Item) -> Items:
        return context.noted(name, read(context, this))

    return evaluate


def _traced(context: Context, name: str, value: Any) -> Items:
    """Return what a name stands for with evidence; once, as a loop reads it again and again."""
    found = context.roots.get(name)
    if found is None:
        found = context.roots[name] = items_of(value, traced=True)
    return found


def _prefixed(constant: Items, given: Evaluator, name: str) -> Evaluator:
    """A variable of the caller with such a name goes before the standard meaning."""

    def evaluate(context: Context, this: Item) -> Items:
        if name in context.environment.variables or name in context.scope:
            return given(context, this)
        return constant

    return evaluate
