"""A dynamicValue that sets nothing, and what it lacks.

https://hl7.org/fhir/R4/plandefinition-definitions.html#PlanDefinition.action.dynamicValue
"""

from collections.abc import Iterator

from carepath.apply.compile.dynamic_value import DynamicValue
from carepath.apply.compile.formula import Formula
from carepath.apply.run.missing import missing_facts
from carepath.apply.run.parts import items_of_part
from carepath.apply.run.scope import Scope
from carepath.fhirpath.nodes import Ast, Call
from carepath.issues import Issue

_WITHOUT_ELSE = 2


def nothing_set(value: DynamicValue, scope: Scope, place: str) -> Iterator[Issue]:
    """Yield what is to be known of a value that gives nothing: where, and what is missing.

    Nothing is told of `iif(criterion, value)` whose criterion is false: its author wants nothing.
    """
    if is_unwanted(value.formula, scope):
        return
    needs = ", ".join(f"`{name}`" for name in missing_facts(value.formula, scope))
    text = f"`{value.path.text}` was not set: `{value.formula.text}` gives nothing"
    text = f"{text}; it needs {needs}." if needs else f"{text}."
    yield Issue("information", "incomplete", text, (place,))


def is_unwanted(formula: Formula, scope: Scope) -> bool:
    """Tell whether an expression gives nothing because its author wants nothing here."""
    criterion = _only_if(formula.tree)
    items = () if criterion is None else items_of_part(criterion, formula, scope)
    return len(items) == 1 and items[0][0] is False


def _only_if(tree: Ast | None) -> Ast | None:
    """Return the criterion of an `iif` that has no second branch."""
    if isinstance(tree, Call) and tree.name == "iif" and len(tree.arguments) == _WITHOUT_ELSE:
        return tree.arguments[0]
    return None
