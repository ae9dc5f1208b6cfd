"""Who the patient is, in one line of facts, and where they stand on the way.

Which facts these are, and in which form, the Library says (extension `patient-line`); which phases
of care there are, the plan (extension `care-phase`).
"""

import re

from carepath.apply.compile.formula import Formula
from carepath.apply.compile.names import LinePart
from carepath.apply.explain.because import shown
from carepath.apply.page.reasons import date_of, is_negative
from carepath.apply.page.sheet import Stage, Told
from carepath.apply.run.evidence import evidence_of_fact
from carepath.apply.run.scope import FAILURES, FactValue, Scope
from carepath.apply.run.walk import Walk
from carepath.fhirpath import Known

_IS_DATE = re.compile(r"\d{4}-\d\d").match


def patient_line(walk: Walk) -> tuple[tuple[Told, ...], tuple[str, ...]]:
    """Return the facts that are known, and what people call those that are not recorded.

    What is not there (no recurrence, no biopsy) is not told: nobody looks for it in the line.
    """
    scope = Scope(walk.plan.names, walk.session, walk.session.root)
    told: list[Told] = []
    missed: list[str] = []
    for fact, part in walk.plan.names.patient_line:
        value = _value(scope, fact.name)
        if value is not None and value.known.items:
            if not is_negative(value):
                told.append(_told(value, part))
        elif part.is_missed and (not part.when or _is_true(scope, part.when)):
            missed.append(fact.words)
    return tuple(told), tuple(missed)


def stages(walk: Walk) -> tuple[Stage, ...]:
    """Return the phases of care; the present one is the first that is not behind the patient."""
    scope = Scope(walk.plan.names, walk.session, walk.session.root)
    found: list[Stage] = []
    is_reached = False
    for phase in walk.plan.phases:
        if is_reached:
            found.append(Stage(phase.title, "future"))
        elif phase.past is not None and _holds(phase.past, scope):
            found.append(Stage(phase.title, "past"))
        else:
            found.append(Stage(phase.title, "present"))
            is_reached = True
    return tuple(found)


def _value(scope: Scope, name: str) -> FactValue | None:
    """Return a fact, worked out now if nothing has asked for it; None when that fails."""
    try:
        scope[name]
    except FAILURES:
        return None
    return scope.fact(name)


def _told(value: FactValue, part: LinePart) -> Told:
    text = shown(value)
    if part.unit:
        text = f"{text} {part.unit}"
    evidence = evidence_of_fact(value)
    date = "" if _IS_DATE(text) else date_of(value, evidence)
    return Told(value.fact.words, text, part.is_labelled, date, evidence)


def _is_true(scope: Scope, name: str) -> bool:
    try:
        return [item[0] for item in Known.of(scope[name]).items] == [True]
    except FAILURES:
        return False


def _holds(formula: Formula, scope: Scope) -> bool:
    try:
        known = formula.evaluate_known(scope.session.focus, scope.environment)
    except FAILURES:
        return False
    return [item[0] for item in known.items] == [True]
