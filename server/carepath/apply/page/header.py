"""Who the patient is, in one line of facts, and where they stand on the way.

Which facts these are, and in which form, the Library says (extension `patient-line`); which phases
of care there are, the plan (extension `care-phase`).
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, NamedTuple

from carepath.apply.compile.formula import Formula
from carepath.apply.compile.names import LinePart
from carepath.apply.page.reasons import date_of, is_negative, told_of
from carepath.apply.page.sheet import Stage, Told
from carepath.apply.run.evidence import evidence_of_fact
from carepath.apply.run.scope import FAILURES, FactValue, Scope
from carepath.apply.run.step import NOT_MET
from carepath.apply.run.walk import Walk
from carepath.fhirpath import Known
from carepath.record.patients import as_list
from carepath.resources import Resource

_IS_DATE = re.compile(r"\d{4}-\d\d").match


class PatientLine(NamedTuple):
    """What is known of a patient, what is on record without being understood, and what is not."""

    known: tuple[Told, ...]
    unread: tuple[Told, ...]
    missed: tuple[str, ...]


def patient_line(walk: Walk) -> PatientLine:
    """Return the line about the patient.

    That something is not there (no recurrence, no biopsy) is told where a finding says so: nobody
    looks in the line for what nobody looked for.
    """
    scope = Scope(walk.plan.names, walk.session, walk.session.root)
    known: list[Told] = []
    unread: list[Told] = []
    missed: list[str] = []
    for fact, part in walk.plan.names.patient_line:
        value = _value(scope, fact.name)
        if value is not None and value.known.items:
            told = _told(value, part)
            if told.date or not is_negative(value):
                known.append(told)
            continue
        seen = _value(scope, part.seen) if part.seen else None
        if seen is not None and seen.known.items:
            evidence = evidence_of_fact(seen)
            unread.append(Told(fact.words, "", True, date_of(seen, evidence), evidence))
        elif part.is_missed and (not part.when or _is_true(scope, part.when)):
            missed.append(fact.words)
    return PatientLine(tuple(known), tuple(unread), tuple(missed))


def name_of(patient: Resource) -> str:
    """Return what a patient is called: the text of the first name, else its parts.

    A subject of another type may have one name, which is a text.
    """
    if isinstance(patient.get("name"), str):
        return str(patient["name"])
    for name in _dicts(patient.get("name")):
        parts = [*as_list(name.get("given")), name.get("family")]
        found = name.get("text") or " ".join(p for p in parts if isinstance(p, str))
        if isinstance(found, str) and found:
            return found
    return ""


def identifiers_of(patient: Resource) -> Iterator[str]:
    """Yield the values of the identifiers of a patient, old ones left out."""
    for identifier in _dicts(patient.get("identifier")):
        value = identifier.get("value")
        if isinstance(value, str) and identifier.get("use") != "old":
            yield value


def _dicts(value: Any) -> list[Resource]:
    """Return the objects of a list; data may have any shape where nothing depends on it."""
    return [item for item in as_list(value) if isinstance(item, dict)]


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


def phase(walk: Walk) -> str:
    """Return the title of the present phase of care.

    It is empty where the plan tells of no phases, or concerns other patients.
    """
    concerned = any(step.outcome != NOT_MET for step in walk.steps)
    found = stages(walk) if concerned else ()
    return next((stage.title for stage in found if stage.state == "present"), "")


def _value(scope: Scope, name: str) -> FactValue | None:
    """Return a fact, worked out now if nothing has asked for it; None when that fails."""
    try:
        scope[name]
    except FAILURES:
        return None
    return scope.fact(name)


def _told(value: FactValue, part: LinePart) -> Told:
    """Return a fact as the line tells it; a value that is a date has no other day."""
    told = told_of(value)
    text = f"{told.value} {part.unit}" if part.unit else told.value
    date = "" if _IS_DATE(text) else told.date
    return replace(told, value=text, is_labelled=part.is_labelled, date=date)


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
