"""Whether it is known what the request of an action would mean: to do, or not to do.

https://hl7.org/fhir/R4/conformance-rules.html#isModifier

A dynamicValue for `doNotPerform`, `status`, `intent` or a modifier extension changes what the whole
request means.  Where it gives nothing or fails, there is no request: missing is never "no".
"""

from carepath.apply.compile.compiled import CompiledAction
from carepath.apply.compile.dynamic_value import DynamicValue
from carepath.apply.issues import issue_of
from carepath.apply.run.applicability import Verdict
from carepath.apply.run.empty_values import is_unwanted
from carepath.apply.run.missing import missing_facts
from carepath.apply.run.put_value import put
from carepath.apply.run.scope import FAILURES, Scope
from carepath.apply.run.session import Session
from carepath.apply.run.step import MET, UNDETERMINED
from carepath.apply.run.value_scopes import value_scopes
from carepath.issues import Issue


def decide_values(action: CompiledAction, scope: Scope, session: Session) -> Verdict:
    """Return whether all is known that decides what the request of an action means.

    The last value for an element counts, and it must be known.
    """
    inner, scope = value_scopes(action, scope, session)
    activity = action.activity
    own = activity.decisive if activity is not None else ()
    kind = activity.resource_type if activity is not None else ""
    last = {value.decides: (value, inner if value in own else scope) for value in action.decisive}
    found = [verdict for pair in last.values() if (verdict := _unknown(*pair, kind)) is not None]
    if not found:
        return Verdict(MET)
    return Verdict(
        UNDETERMINED,
        tuple(dict.fromkeys(name for verdict in found for name in verdict.missing)),
        tuple(problem for verdict in found for problem in verdict.problems),
    )


def _unknown(value: DynamicValue, scope: Scope, resource_type: str) -> Verdict | None:
    """Return why a value is not known, None when it is."""
    formula = value.formula
    if value.wrong:
        told = f"Nobody can tell `{value.decides}` of the request. {value.wrong}"
        return Verdict(UNDETERMINED, (), (Issue("error", "invalid", told),))
    try:
        if formula.error is not None:
            raise formula.error
        known = formula.evaluate_known(scope.focus, scope.environment)
        if value.is_set and value.path.places:
            put({"resourceType": resource_type}, value.path, known.nodes())
    except FAILURES as error:
        problem = issue_of(error)
        told = f"Nobody can tell `{value.decides}` of the request. {problem.diagnostics}"
        issue = Issue(problem.severity, problem.code, told)
        return Verdict(UNDETERMINED, missing_facts(formula, scope), (issue,))
    values = known.nodes()
    if not values:
        return _empty(value, scope)
    if value.is_set or all(node.value is False for node in values):
        return None
    told = f"R4 has no place for `{value.decides}` in this kind of request."
    return Verdict(UNDETERMINED, (), (Issue("error", "not-supported", told),))


def _empty(value: DynamicValue, scope: Scope) -> Verdict | None:
    """Return the verdict on a value that gives nothing, with what is missing behind it.

    There is none where its author wants nothing: an `iif` whose criterion is false.
    """
    if is_unwanted(value.formula, scope):
        return None
    missing = missing_facts(value.formula, scope)
    told = f"Nobody can tell `{value.decides}` of the request: `{value.formula.text}` gives nothing"
    needs = ", ".join(f"`{name}`" for name in missing)
    text = f"{told}; it needs {needs}." if missing else f"{told}."
    return Verdict(UNDETERMINED, missing, (Issue("warning", "incomplete", text),))
