"""The pure function that every engine shares: the lines about one patient in, plans out.

https://hl7.org/fhir/R4/plandefinition-operation-apply.html

The same lines at the same moment give the same bytes, whoever calls it and wherever.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from carepath.apply import Applied, ApplyRequest, apply_plan
from carepath.apply.request import Explain
from carepath.deadline import Deadline, OutOfTime, until
from carepath.errors import CarepathError, InvalidResource, SubjectNotFound
from carepath.formats.json import encode
from carepath.issues import Issue
from carepath.knowledge import Knowledge
from carepath.population.decisions import rows
from carepath.population.lines_of_patient import data_of
from carepath.population.partition import SourceLine
from carepath.population.told import error_line, issues_of
from carepath.record import Record
from carepath.resources import Resource
from carepath.validation import Readable, record_of

Form = Literal["careplan", "transaction"]
MAX_PATIENT_BYTES = 64_000_000
"""Lines about one patient that hold more are not applied, and told."""
_MOST_REMARKS = 100
_URN = "urn:uuid:"


@dataclass(frozen=True, slots=True)
class How:
    """What is asked of every patient; a plain value, which pickles.

    `plans` are ids or canonicals of PlanDefinitions; `remarks` are sentences about the input that
    stand in every plan, since they may concern anybody; `seconds` bound the work for one patient.
    """

    plans: tuple[str, ...]
    now: datetime
    parameters: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    form: Form = "careplan"
    explain: Explain = "brief"
    remarks: tuple[str, ...] = ()
    seconds: float = 120.0
    max_bytes: int = MAX_PATIENT_BYTES


@dataclass(frozen=True, slots=True)
class PatientAnswer:
    """What comes of one patient: lines of `careplans.ndjson` and `errors.ndjson`, and rows.

    `careplans` holds a plan for each pathway, also where no action of it applies.
    """

    careplans: tuple[bytes, ...] = ()
    rows: tuple[dict[str, object], ...] = ()
    errors: tuple[bytes, ...] = ()


def answer(
    patient: str, lines: Sequence[SourceLine], how: How, knowledge: Knowledge
) -> PatientAnswer:
    """Apply the plans to one patient; whatever is wrong is an error in the answer, never raised.

    `lines` are all that is about the patient and what these refer to, in any order.
    """
    ordered = sorted(lines, key=lambda line: (line.file, line.line))
    try:
        with until(Deadline.after(how.seconds, time.monotonic)):
            return _answer(patient, ordered, how, knowledge)
    except OutOfTime:
        text = f"Applying the plans to `{patient}` takes longer than {how.seconds:g} seconds."
        issues: tuple[Issue, ...] = (Issue("error", "timeout", text),)
    except SubjectNotFound:
        issues = (Issue("error", "not-found", _nobody(patient, ordered)),)
    except CarepathError as error:
        issues = issues_of(error)
    except Exception as error:  # noqa: BLE001 - a fault of ours must not cost the other patients
        text = (
            f"`{patient}` met a fault of this program ({type(error).__name__}); please report it."
        )
        issues = (Issue("error", "exception", text),)
    return failed(patient, issues, ordered)


def failed(patient: str, issues: Sequence[Issue], lines: Sequence[SourceLine]) -> PatientAnswer:
    """Return the answer for a patient who gets no plan."""
    first = lines[0] if lines else SourceLine("", 0, b"")
    return PatientAnswer(errors=(error_line(patient, issues, first.file, first.line),))


def too_large(patient: str, size: int, how: How, line: SourceLine) -> PatientAnswer:
    """Return the answer for a patient whose lines are not even read."""
    text = f"The lines about `{patient}` hold {size} bytes, more than {how.max_bytes}."
    return failed(patient, (Issue("error", "too-costly", text),), (line,))


def _answer(
    patient: str, lines: Sequence[SourceLine], how: How, knowledge: Knowledge
) -> PatientAnswer:
    size = sum(len(line.data) for line in lines)
    if size > how.max_bytes:
        return too_large(patient, size, how, lines[0])
    found = data_of(patient, lines)
    issues = tuple(issue for one in found for issue in one.issues)
    refused = [issue for one in found for issue in one.refusals]
    if refused:
        raise InvalidResource(refused)
    record = _record(patient, found)
    general = tuple(Issue("warning", "incomplete", text) for text in how.remarks)
    request = ApplyRequest(
        {}, record, how.now, parameters=how.parameters, explain=how.explain,
        issues=(*issues[:_MOST_REMARKS], *general),
    )  # fmt: skip
    return _joined(_applied(patient, request, how, knowledge))


def _record(patient: str, found: tuple[Readable, ...]) -> Record:
    """Return the record of the patient; raises InvalidResource when the Patient is unreadable."""
    record = record_of(*found)
    if record.subject is None:
        record = record.for_subject(patient)
    for one in found:
        refusal = one.refusal_of(record.subject)
        if refusal is not None:
            raise InvalidResource([refusal])
    return record


def _applied(
    patient: str, request: ApplyRequest, how: How, knowledge: Knowledge
) -> Iterator[PatientAnswer]:
    """Yield what comes of each plan."""
    for name in how.plans:
        try:
            applied = apply_plan(replace(request, definition=knowledge.plan(name)), knowledge)
            made = tuple(rows(patient, applied))
            plan = encode(_FORMS[how.form](applied)) + b"\n"
            yield PatientAnswer((plan,), made)
        except CarepathError as error:
            yield failed(patient, issues_of(error), ())


def _care_plan(applied: Applied) -> Resource:
    """Return the CarePlan under an id that the same plan and patient always get."""
    made = applied.care_plan()
    name = str(made["identifier"][0]["value"])
    return {"resourceType": "CarePlan", "id": str(UUID(name.removeprefix(_URN))), **made}


_FORMS: Mapping[Form, Callable[[Applied], Resource]] = {
    "careplan": _care_plan,
    "transaction": Applied.transaction,
}


def _joined(answers: Iterator[PatientAnswer]) -> PatientAnswer:
    parts = list(answers)
    return PatientAnswer(
        tuple(line for one in parts for line in one.careplans),
        tuple(row for one in parts for row in one.rows),
        tuple(line for one in parts for line in one.errors),
    )


def _nobody(patient: str, lines: Sequence[SourceLine]) -> str:
    count = len(lines)
    about = "1 resource refers" if count == 1 else f"{count} resources refer"
    return f"`{patient}` is not in the input, and {about} to this patient."
