"""Whether an action does not apply because what it asks for is on record already.

Read from the conditions: one that wants a fact to be absent (`%scan.empty()`) is false once the
fact is there.  A negation (`%removed.not()`) counts only where a deed or an order is behind the
fact, for a finding that forbids something is nothing done.
"""

from collections.abc import Callable

from carepath.apply.compile.formula import Formula
from carepath.apply.explain.deciding import truth_of
from carepath.apply.run.evidence import evidence_of_fact
from carepath.apply.run.parts import items_of_part
from carepath.apply.run.scope import FactValue, Scope
from carepath.apply.run.step import NOT_MET, Step
from carepath.fhirpath.nodes import Ast, Binary, Call, Variable, walk

_DEEDS = frozenset(
    {
        "Communication",
        "CommunicationRequest",
        "DeviceRequest",
        "DiagnosticReport",
        "ImagingStudy",
        "Immunization",
        "MedicationAdministration",
        "MedicationDispense",
        "MedicationRequest",
        "MedicationStatement",
        "Procedure",
        "ServiceRequest",
        "Task",
    }
)


def is_done(step: Step) -> bool:
    """Tell whether all that keeps an action from applying is that it has been done or ordered."""
    if step.outcome != NOT_MET or step.action.any_condition:
        return False
    refusing = [c for c in step.action.conditions if truth_of(c, step.scope) is False]
    return bool(refusing) and all(
        formula.tree is not None and _is_behind(formula.tree, formula, step.scope)
        for formula in refusing
    )


def _is_behind(node: Ast, formula: Formula, scope: Scope) -> bool:
    """Tell whether a part of a condition is false because something is on record."""
    if isinstance(node, Binary) and node.operator in _JOINED:
        parts = [p for p in (node.left, node.right) if _is_false(p, formula, scope)]
        return bool(parts) and all(_is_behind(part, formula, scope) for part in parts)
    if not isinstance(node, Call) or node.source is None or node.arguments:
        return False
    tells = _TELLS.get(node.name)
    facts = scope.read_facts(n.name for n in walk(node.source) if isinstance(n, Variable))
    return tells is not None and bool(facts) and all(map(tells, facts))


def _is_false(node: Ast, formula: Formula, scope: Scope) -> bool:
    return [item[0] for item in items_of_part(node, formula, scope)] == [False]


def _is_there(value: FactValue) -> bool:
    return bool(value.known.items)


def _is_deed(value: FactValue) -> bool:
    """Tell whether a fact is true by something that was done or ordered."""
    types = {name.partition("/")[0] for name in evidence_of_fact(value)}
    return not types.isdisjoint(_DEEDS) and [i[0] for i in value.known.items] != [False]


_JOINED = ("and", "or")
_TELLS: dict[str, Callable[[FactValue], bool]] = {"empty": _is_there, "not": _is_deed}
