"""What a part of an expression gives, evaluated by itself: for who asks why the whole is as it is.

https://hl7.org/fhirpath/#expressions
"""

from collections.abc import Sequence
from typing import Any

from carepath.apply.compile.formula import Formula
from carepath.apply.run.scope import FAILURES, Scope
from carepath.fhirpath import Expression
from carepath.fhirpath.nodes import Ast


def items_of_part(node: Ast, formula: Formula, scope: Scope) -> Sequence[Any]:
    """Return the items that a node of an expression gives; one that fails gives nothing."""
    part = formula.parts.get(id(node))
    if part is None:
        part = formula.parts[id(node)] = Expression("", node)
    try:
        return part.evaluate_known(scope.session.focus, scope.environment).items
    except FAILURES:
        return ()
