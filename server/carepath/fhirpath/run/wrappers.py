"""What is put around an evaluator: it is made late, has its own variables, or runs once.

https://hl7.org/fhirpath/#expressions
"""

from collections.abc import Callable
from typing import Any

from carepath.fhirpath.values.context import Context, Evaluator
from carepath.fhirpath.values.types import Item, Items


def made_when_run(make: Callable[[], Any]) -> Any:
    """Return a function that is made when it is first called."""
    made: Any = None

    def run(context: Context, this: Item) -> Any:
        nonlocal made
        if made is None:
            made = make()
        return made(context, this)

    return run


def in_own_scope(evaluator: Evaluator) -> Evaluator:
    """Return the evaluator whose variables are gone when it is through."""

    def evaluate(context: Context, this: Item) -> Items:
        outer = context.scope
        try:
            return evaluator(context, this)
        finally:
            context.scope = outer

    return evaluate


def once(evaluator: Evaluator) -> Evaluator:
    """Evaluate what does not depend on the items of a loop only once in an evaluation."""

    def evaluate(context: Context, this: Item) -> Items:
        key = id(evaluate)
        found = context.cache.get(key)
        if found is None:
            found = context.cache[key] = evaluator(context, this)
        return found

    return evaluate
