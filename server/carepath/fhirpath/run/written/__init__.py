"""From the syntax tree to one Python function: the quick form of expressions that run often.

https://hl7.org/fhirpath/#expressions

A closure for each node is made at once and is small; a function for the whole expression takes
some tenths of a millisecond to make and runs two to four times as fast.  `Expression.prepare`
asks for it.  Both forms give the same collection for everything; where the function cannot go on,
the closures run again and say where and why.

Nothing of an expression's text ever gets into the source: names of elements, texts and whatever
else comes from outside are constants of the function, so an expression cannot become code.
"""

from collections.abc import Callable
from typing import Any

from carepath.fhirpath.functions import FUNCTIONS
from carepath.fhirpath.nodes import Ast
from carepath.fhirpath.run.compiler import Compiler
from carepath.fhirpath.run.written.emit import FORMS
from carepath.fhirpath.run.written.writer import Writer
from carepath.fhirpath.values.context import Evaluator, Truth
from carepath.fhirpath.values.failure import Failure

_BY_CLOSURES_ONLY = (
    "$index",
    *(name for name, row in FUNCTIONS.items() if row.effect or row.needs_places),
)
"""What changes the context while it runs, or is seen from outside when it runs twice."""


def items_function(text: str, ast: Ast) -> Evaluator | None:
    """Return the function that gives the collection, None where closures have to do."""
    found: Evaluator | None = _written(text, lambda writer: writer.items(ast, "this"))
    return found


def truth_function(text: str, ast: Ast) -> Truth | None:
    """Return the function that gives true, false or None, None where closures have to do."""
    found: Truth | None = _written(text, lambda writer: writer.truth(ast, "this"))
    return found


def function_of(form: str, text: str, ast: Ast) -> Any:
    """Return the function of one form, None where closures have to do."""
    return items_function(text, ast) if form == "items" else truth_function(text, ast)


def _written(text: str, emit: Callable[[Writer], str]) -> Any:
    if any(word in text for word in _BY_CLOSURES_ONLY):
        return None
    writer = Writer(Compiler(text), FORMS)
    try:
        return writer.function(emit(writer))
    except (Failure, RecursionError, SyntaxError, MemoryError):
        # A fault of the expression, which the closures tell, or one too deep for Python's parser.
        return None
