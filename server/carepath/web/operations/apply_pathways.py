"""`$apply-pathways`: any number of patients in, a CarePlan for each of them and each pathway out.

https://hl7.org/fhir/R4/bundle.html

Patients do not hold each other up: what is broken for one is an OperationOutcome in the answer.
Each entry has a link `about` (RFC 6903) to the patient whom it concerns.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from carepath.apply import ApplyRequest, apply_plan
from carepath.errors import CarepathError
from carepath.issues import Issue, operation_outcome
from carepath.knowledge import top_level_plans
from carepath.record import SUBJECT_ELEMENTS, Record, values_at
from carepath.resources import Resource, canonical_of
from carepath.validation import Readable, record_of
from carepath.web.http import exchange, logs
from carepath.web.http.outcomes import outcome_of
from carepath.web.http.refusals import NoPatient
from carepath.web.operations.apply import NO_DATA, with_people
from carepath.web.operations.call import Call

_ENTRY = re.compile(r"\.entry\[(\d+)\]")
_DATA = re.compile(r"Bundle|Parameters\.parameter\[(\d+)\]\.resource")
_MOST_REMARKS = 100

Problems = Mapping[str, list[Issue]]
"""Issues by the reference to a patient; those that concern no patient in particular under `*`."""
_ANYBODY = "*"
_NAMELESS = Issue(
    "error",
    "required",
    "A Patient has neither an id nor a full URL, so nothing can be said to be theirs.",
    ("Patient.id",),
)


def apply_pathways(call: Call) -> Resource:
    """Apply every top-level pathway to every patient; what fails for one holds up no other."""
    read = call.read
    record = record_of(read)
    if not record.subjects:
        raise NoPatient("data", "none", NO_DATA)
    plans = (canonical_of(plan) for plan in top_level_plans(call.service.knowledge))
    exchange.current().concern(record.subjects, plans)
    request = with_people(call, ApplyRequest({}, record, call.now))
    problems = _problems(call, read, record)
    entries = [
        entry
        for subject in dict.fromkeys(record.subjects)
        for entry in _answers(call, request, subject, problems)
    ]
    bundle: Resource = {"resourceType": "Bundle", "type": "collection"}
    return bundle | ({"entry": entries} if entries else {})


def _answers(
    call: Call, request: ApplyRequest, subject: str, problems: Problems
) -> Iterator[Resource]:
    """Yield the entries about one patient."""
    found = problems.get(subject, [])
    errors = [issue for issue in found if issue.is_error]
    if errors:
        yield _entry(operation_outcome(errors), subject)
        return
    odd = (*found, *problems.get(_ANYBODY, ()))[:_MOST_REMARKS]
    # The only patient needs no name, and may have none.
    chosen = None if request.record.subject is not None else subject
    for plan in top_level_plans(call.service.knowledge):
        own = replace(request, definition=plan, subject=chosen, issues=odd)
        made = _pathway(call, own, subject)
        if made is not None:
            yield _entry(made, subject, canonical_of(plan))


def _pathway(call: Call, request: ApplyRequest, subject: str) -> Resource | None:
    """Return the CarePlan of a pathway that concerns a patient, or what went wrong."""
    try:
        applied = apply_plan(request, call.service.knowledge)
        if any(decision.outcome != "not-met" for decision in applied.decisions):
            return applied.care_plan()
    except CarepathError as error:
        outcome = outcome_of(error).resource
    except Exception as error:  # noqa: BLE001  a fault of ours must not cost the other patients
        logs.ERRORS.error("unexpected error", exc_info=error)
        outcome = outcome_of(error).resource
    else:
        return None
    for issue in outcome["issue"]:
        issue["diagnostics"] = (
            f"{subject}, {canonical_of(request.definition)}: {issue['diagnostics']}"
        )
    return outcome


def _entry(resource: Resource, subject: str, plan: str = "") -> Resource:
    """Return an entry about a patient, with a full URL that the same request always gets."""
    identifiers = resource.get("identifier")
    made = f"urn:uuid:{uuid5(NAMESPACE_URL, f'{plan}|{subject}|OperationOutcome')}"
    entry: Resource = {"link": [{"relation": "about", "url": subject}]} if subject else {}
    full_url = identifiers[0]["value"] if identifiers else made
    return {**entry, "fullUrl": full_url, "resource": resource}


def _problems(call: Call, read: Readable, record: Record) -> Problems:
    """Sort by patient what is left out or odd; a Patient who is left out has no plan."""
    problems: dict[str, list[Issue]] = {}
    for one in read.left_out:
        if one.is_patient:
            problems.setdefault(record.reference_to(one.remainder), []).append(one.refusal)
        else:
            _note(problems, one.issue, _named_by(one.resource, record))
    for issue in read.remarks:
        resource = _resource_of(issue, call)
        _note(problems, issue, [] if resource is None else _owners(resource, record))
    if "" in record.subjects and record.subject is None:
        problems.setdefault("", []).append(_NAMELESS)
    return problems


def _note(problems: dict[str, list[Issue]], issue: Issue, subjects: list[str]) -> None:
    for subject in subjects or (_ANYBODY,):
        problems.setdefault(subject, []).append(issue)


def _resource_of(issue: Issue, call: Call) -> Resource | None:
    """Return the resource of the data that an issue is in, None when it is in no entry."""
    path = issue.expression[0] if issue.expression else ""
    start = _DATA.match(path)
    at = call.one("data")
    if start is None or (start[1] and not _is_data(call, int(start[1]))):
        return None
    for step in _ENTRY.finditer(path, start.end()):
        if not isinstance(at, dict) or at.get("resourceType") != "Bundle":
            break
        entry = at["entry"][int(step[1])] if isinstance(at.get("entry"), list) else None
        at = entry.get("resource") if isinstance(entry, dict) else None
    return at if isinstance(at, dict) and at.get("resourceType") != "Bundle" else None


def _is_data(call: Call, index: int) -> bool:
    sent = call.sent or {}
    return bool(sent["parameter"][index].get("name") == "data")


def _owners(resource: Resource, record: Record) -> list[str]:
    """Return references to the patients of the record whom a resource of theirs is about."""
    if resource.get("resourceType") == "Patient":
        return _subjects_among([resource], record)
    references = [r for name in SUBJECT_ELEMENTS for r in values_at(resource, name)]
    found = [_target(reference, resource, record) for reference in references]
    return _subjects_among(found, record)


def _named_by(left_out: Resource, record: Record) -> list[str]:
    """Return the patients whom a resource names that may have any form: by plain text only."""
    texts = [text for name in SUBJECT_ELEMENTS for text in values_at(left_out, f"{name}.reference")]
    found = [record.resolve(text) for text in texts if isinstance(text, str)]
    return _subjects_among(found, record)


def _target(reference: Any, within: Resource, record: Record) -> Resource | None:
    return record.resolve(reference, within) if isinstance(reference, dict) else None


def _subjects_among(resources: Sequence[Resource | None], record: Record) -> list[str]:
    patients = [r for r in resources if r is not None and r.get("resourceType") == "Patient"]
    named = dict.fromkeys(record.reference_to(patient) for patient in patients)
    return [subject for subject in named if subject in record.subjects]
