"""`$apply-pathways`: any number of patients in, a CarePlan for each of them and each pathway out.

https://hl7.org/fhir/R4/bundle.html

Patients do not hold each other up: what is broken for one is an OperationOutcome in the answer.
Each entry has a link `about` (RFC 6903) to the patient whom it concerns.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from uuid import NAMESPACE_URL, uuid5

from carepath.apply import ApplyRequest, apply_plan
from carepath.errors import CarepathError, InvalidParameter, InvalidResource
from carepath.issues import Issue, operation_outcome
from carepath.knowledge import top_level_plans
from carepath.record import Record
from carepath.resources import Resource, canonical_of
from carepath.validation.structure import MOST_ISSUES
from carepath.web import logs
from carepath.web.apply_operations import NO_DATA, with_people
from carepath.web.operation import Call
from carepath.web.outcomes import outcome_of

_ENTRY = re.compile(r"\.entry\[(\d+)\]")
_DATA = re.compile(r"Bundle|Parameters\.parameter\[(\d+)\]\.resource")
_MOST_REMARKS = 100

Problems = Mapping[str, list[Issue]]
"""Issues by the reference to a patient; those that concern no patient in particular under `*`."""
_ANYBODY = "*"


def apply_pathways(call: Call) -> Resource:
    """Apply every top-level pathway to every patient; what fails for one holds up no other."""
    record = Record.of(call.one("data"))
    if not record.subjects:
        raise InvalidParameter("data", "no Patient", NO_DATA)
    request = with_people(call, ApplyRequest({}, record, call.now))
    problems = _problems(call, record)
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


def _problems(call: Call, record: Record) -> Problems:
    """Sort what is wrong or odd by patient; raise what may be about any of them."""
    problems: dict[str, list[Issue]] = {}
    owners = _Owners(record)
    for issue in call.issues:
        resource = _resource_of(issue, call)
        subjects = owners.of(resource) if resource is not None else ()
        for subject in subjects or (_ANYBODY,):
            problems.setdefault(subject, []).append(issue)
    errors = [issue for issue in call.issues if issue.is_error]
    if len(errors) >= MOST_ISSUES or any(i.is_error for i in problems.get(_ANYBODY, ())):
        raise InvalidResource(errors)
    for subject, count in Counter(record.subjects).items():
        if count > 1 or not (subject or record.subject):
            problems.setdefault(subject, []).append(_ambiguous(subject))
    return problems


def _ambiguous(subject: str) -> Issue:
    if not subject:
        text = "A Patient has neither an id nor a full URL, so nothing can be said to be theirs."
        return Issue("error", "required", text, ("Patient.id",))
    text = f"`{subject}` is sent more than once, under different full URLs."
    return Issue("error", "duplicate", text, ("Patient.id",))


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


class _Owners:
    """Whose each resource is; worked out type by type, when first asked for."""

    def __init__(self, record: Record) -> None:
        self._record = record
        self._views = {
            subject: record if record.subject is not None else record.for_subject(subject)
            for subject in record.subjects
            if subject or record.subject is not None
        }
        self._by_type: dict[str, dict[int, list[str]]] = {}

    def of(self, resource: Resource) -> list[str]:
        """Return references to the patients that a resource belongs to."""
        resource_type = resource.get("resourceType")
        if resource_type == "Patient":
            return [self._record.reference_to(resource)]
        if not isinstance(resource_type, str):
            return []
        if resource_type not in self._by_type:
            self._by_type[resource_type] = self._sort(resource_type)
        return self._by_type[resource_type].get(id(resource), [])

    def _sort(self, resource_type: str) -> dict[int, list[str]]:
        found: dict[int, list[str]] = {}
        for subject, view in self._views.items():
            for resource in view.resources(resource_type):
                found.setdefault(id(resource), []).append(subject)
        return found
