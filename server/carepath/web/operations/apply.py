"""`$apply` over HTTP: from the arguments of a call to an ApplyRequest and back to a resource.

https://hl7.org/fhir/R4/plandefinition-operation-apply.html
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from carepath.apply import Applied, ApplyRequest, apply_activity, apply_plan, warm
from carepath.apply import data_requirements as requirements_of
from carepath.errors import CarepathError, InvalidParameter, InvalidResource, OtherSubject
from carepath.issues import Issue
from carepath.knowledge import Knowledge, top_level_plans
from carepath.record import Record
from carepath.resources import Resource, canonical_of
from carepath.validation import Readable, check_structure, readable, record_of
from carepath.validation.structure.data_units import data_in
from carepath.web.http import exchange, logs
from carepath.web.http.refusals import NoPatient, UnsupportedParameter
from carepath.web.operations.apply_arguments import request_fields
from carepath.web.operations.call import Call
from carepath.web.operations.definitions import definition_of
from carepath.web.operations.endpoints import knowledge_for
from carepath.web.operations.rights import refuse_reading
from carepath.web.operations.sent_definitions import NAME
from carepath.web.service import Service

_FORMS: Mapping[str, Callable[[Applied], Resource]] = {
    "contained": Applied.care_plan,
    "transaction": Applied.transaction,
}
_INLINE = ("planDefinition", "activityDefinition", NAME)
NO_DATA = "a Bundle with a Patient in `data`, or a data endpoint"


def apply_plan_definition(call: Call) -> Resource:
    """Apply a plan to one patient: a CarePlan, or a transaction that creates it."""
    form = call.one("returnAs", "contained")
    if form not in _FORMS:
        expected = ", ".join(f"`{known}`" for known in _FORMS)
        raise InvalidParameter("returnAs", form, f"one of {expected}")
    knowledge = knowledge_for(call, "PlanDefinition", "planDefinition")
    request = request_of(call, knowledge, "PlanDefinition", "planDefinition")
    return _FORMS[form](apply_plan(request, knowledge))


def r5_apply(call: Call) -> Resource:
    """Apply a plan to one patient or several: a Bundle, or Parameters with one for each."""
    knowledge = knowledge_for(call, "PlanDefinition", "planDefinition")
    request = request_of(call, knowledge, "PlanDefinition", "planDefinition")
    subjects = call.many("subject") or [None]
    bundles = [
        apply_plan(replace(request, subject=subject), knowledge).bundle() for subject in subjects
    ]
    if len(bundles) == 1:
        return bundles[0]
    parts = [{"name": "return", "resource": bundle} for bundle in bundles]
    return {"resourceType": "Parameters", "parameter": parts}


def apply_activity_definition(call: Call) -> Resource:
    """Apply an ActivityDefinition to one patient: the request."""
    knowledge = knowledge_for(call, "ActivityDefinition", "activityDefinition")
    request = request_of(call, knowledge, "ActivityDefinition", "activityDefinition")
    return apply_activity(request, knowledge).answer()


def warm_up(service: Service) -> None:
    """Compile everything and apply each top-level plan once to nobody in particular.

    No client waits for it then; in a process that forks its workers later, it is done for all.
    """
    warm(service.knowledge)
    patient: Resource = {"resourceType": "Patient", "id": "nobody"}
    check_structure(patient)
    for plan in top_level_plans(service.knowledge):
        request = ApplyRequest(plan, Record.of(patient), service.clock())
        request = replace(request, templates=service.config.templates)
        for because in _faults(request, service):
            fields = {"plan": canonical_of(plan), "because": because}
            logs.SERVER.warning("a plan is faulty", extra={"fields": fields})


def _faults(request: ApplyRequest, service: Service) -> list[str]:
    """Return what is wrong with a plan itself, whoever it is applied to."""
    try:
        applied = apply_plan(request, service.knowledge)
        applied.care_plan()
    except OtherSubject:
        return []
    except CarepathError as error:
        return [str(error)]
    return [issue.diagnostics for issue in applied.issues if issue.is_error]


def request_of(call: Call, knowledge: Knowledge, resource_type: str, inline: str) -> ApplyRequest:
    """Return the request to apply a definition to the data of a call."""
    definition = knowledge.itself(definition_of(call, resource_type, inline, knowledge))
    subjects = call.many("subject")
    sent, read = call.read, _from_endpoint(call, definition, knowledge)
    record = record_of(sent, read)
    if not subjects and not record.subjects:
        raise NoPatient("data", "none", NO_DATA)
    exchange.current().concern(subjects or record.subjects, [canonical_of(definition)])
    _refuse_unread(record, subjects, (sent, read))
    subject = subjects[0] if subjects else None
    request = with_people(call, ApplyRequest(definition, record, call.now, subject=subject))
    return replace(request, issues=(*_of_data(call), *read.issues))


def _of_data(call: Call) -> list[Issue]:
    """Return what was noticed about the body, but not what its definition is told for itself."""
    parts = (call.sent or {}).get("parameter")
    places = [
        f"Parameters.parameter[{number}]"
        for number, part in enumerate(parts if isinstance(parts, list) else ())
        if isinstance(part, dict) and part.get("name") in _INLINE
    ]
    return [
        issue
        for issue in call.issues
        if not any(path.startswith(f"{p}.resource.") for p in places for path in issue.expression)
    ]


def _refuse_unread(record: Record, subjects: Sequence[str], data: Sequence[Readable]) -> None:
    """Raise when the plan is wanted for a Patient, or other subject, that cannot be read."""
    others = [one for read in data for one in read.left_out if not one.is_patient]
    named = [one.refusal for one in others if one.name in subjects]
    if named:
        raise InvalidResource(named)
    partial = [read for read in data if read.left_out]
    wanted = [record.for_subject(subject).subject for subject in subjects] if partial else []
    found = [read.refusal_of(patient) for read in partial for patient in wanted]
    errors = [issue for issue in found if issue is not None]
    if errors:
        raise InvalidResource(errors)


def with_people(call: Call, request: ApplyRequest) -> ApplyRequest:
    """Add who asks, where, and the parameters of the content: the request's before our own."""
    fields = request_fields(call.arguments)
    parameters = {**call.service.parameters, **fields.pop("parameters")}
    config = call.service.config
    shown = {"explain": config.explain, "templates": config.templates}
    # Whoever reads the answer finds the request in log and audit trail by it.
    shown["request_id"] = exchange.current().request_id
    return replace(request, parameters=parameters, issues=call.issues, **{**shown, **fields})


def _from_endpoint(call: Call, definition: Resource, knowledge: Knowledge) -> Readable:
    """Return what a data endpoint knows of the patients, when one is named or nothing was sent."""
    if call.one("useServerData"):
        raise UnsupportedParameter("useServerData", "this service stores no patient data")
    endpoint, config = call.one("dataEndpoint"), call.service.config
    if endpoint is None and (data_in(call.sent) or not config.data_endpoint):
        return Readable(None)
    refuse_reading()
    subjects = call.many("subject")
    if not subjects:
        raise InvalidParameter("subject", None, "a Patient of the data endpoint")
    # The HTTP client is large, and few deployments read elsewhere.
    from carepath.web.data_endpoint.address import address_of, headers_of  # noqa: PLC0415
    from carepath.web.data_endpoint.reader import DataEndpoint  # noqa: PLC0415

    base = address_of(endpoint) if endpoint is not None else config.data_endpoint
    headers = headers_of(endpoint) if endpoint is not None else {}
    requirements = requirements_of(definition, knowledge).get("dataRequirement", ())
    found: list[Resource] = []
    with call.service.gate.wait():
        for subject in subjects:
            found += DataEndpoint(base, config, headers).gather(_patient(subject), requirements)
    return _readable_of_endpoint(found)


def _readable_of_endpoint(found: Sequence[Resource]) -> Readable:
    """Return what can be read of the resources of a data endpoint; nobody sent them in a Bundle."""
    entries: list[Any] = [{"resource": resource} for resource in found]
    bundle: Resource = {"resourceType": "Bundle", "type": "collection", "entry": entries}
    read = readable(bundle)
    if read.refusals:
        raise InvalidResource(read.refusals)
    left_out = tuple(replace(one, expression=()) for one in read.left_out)
    return replace(read, left_out=left_out, remarks=())


def _patient(subject: str) -> str:
    """Return `Patient/id`; anything else could lead elsewhere on the data endpoint."""
    resource_type, _, id_ = subject.rpartition("/")
    plain = id_.replace("-", "").replace(".", "")
    if resource_type != "Patient" or not (plain.isascii() and plain.isalnum()):
        raise InvalidParameter("subject", subject, "a reference such as `Patient/123`")
    return subject
