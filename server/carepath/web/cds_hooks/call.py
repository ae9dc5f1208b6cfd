"""From a call to the application of its plan: the very operation, asked by a hook.

https://cds-hooks.hl7.org/2.0/#http-request_1 and
https://hl7.org/fhir/R4/plandefinition-operation-apply.html

What is wrong is said of the elements of the call, not of those of the Parameters made of it.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from carepath.apply import Applied, apply_plan
from carepath.errors import InvalidParameter, InvalidResource, SubjectNotFound
from carepath.issues import Issue
from carepath.resources import Resource
from carepath.web.cds_hooks.discovery import CdsService
from carepath.web.cds_hooks.draft_orders import about_to_be, names_of
from carepath.web.cds_hooks.prefetch import Sent, missing, sent_in
from carepath.web.cds_hooks.request import HookRequest
from carepath.web.http.refusals import InvalidBody, NoData, TooLarge
from carepath.web.operations.apply import request_of
from carepath.web.operations.table import call_of, operations
from carepath.web.service import Service

_APPLY = "PlanDefinition-apply"
_USERS = ("Practitioner/", "PractitionerRole/")
_ENTRY = re.compile(r"Parameters\.parameter\[0\]\.resource\.entry\[(\d+)\](\.resource)?")
_SUBJECT = "context.patientId"


def applied(service: CdsService, request: HookRequest, ours: Service) -> Applied:
    """Return the plan of a service applied to the patient of a call.

    Raises InvalidBody for what cannot be read of it, NoData when data are missing, TooLarge.
    """
    sent = _data(service, request, ours)
    try:
        operation = next(one for one in operations() if one.id == _APPLY)
        plan_id = str(service.plan["id"])
        call = call_of(operation, "instance", "PlanDefinition", plan_id, _parameters(sent, request))
        asked = request_of(call, ours.knowledge, "PlanDefinition", "planDefinition")
        issues = tuple(_placed(issue, sent) for issue in asked.issues)
        return apply_plan(replace(asked, issues=issues), ours.knowledge)
    except InvalidResource as error:
        raise InvalidBody([_placed(issue, sent) for issue in error.issues]) from error
    except SubjectNotFound as error:
        told = "The data of the call hold no Patient of this id."
        raise NoData([Issue("error", "not-found", told, (_SUBJECT,))]) from error
    except InvalidParameter as error:
        raise InvalidBody([Issue("error", "value", str(error), ("context",))]) from error


def _data(service: CdsService, request: HookRequest, ours: Service) -> list[Sent]:
    """Return all data of a call: from its context, its prefetch, and the client's server."""
    new = about_to_be(request)
    reasons = missing(service.prefetch, request.prefetch)
    known = _in_prefetch(request, reasons)
    limit = ours.config.max_entries
    if len(new) + len(known) > limit:
        raise TooLarge("The number of entries", limit, "prefetch")
    if reasons:
        # The HTTP client is large, and most calls bring what is asked for.
        from carepath.web.cds_hooks.fhir_server import read_missing  # noqa: PLC0415

        known += read_missing(request, service.prefetch, reasons, ours)
    names = {name for one in new for name in names_of(one) if "/" in name}
    # What is about to be may be in the chart already, as it was before.
    return [*(one for one in known if names.isdisjoint(names_of(one))), *new]


def _in_prefetch(request: HookRequest, reasons: Iterable[str]) -> list[Sent]:
    kept = (item for item in request.prefetch.items() if item[0] not in reasons)
    return [one for key, value in kept for one in sent_in(value, f"prefetch.{key}")]


def _parameters(sent: Sequence[Sent], request: HookRequest) -> Resource:
    """Return what the operation is given."""
    entries = [_entry(one) for one in sent]
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": entries}
    parts = [
        {"name": "data", "resource": bundle},
        {"name": "subject", "valueString": f"Patient/{request.patient}"},
    ]
    if request.user.startswith(_USERS):
        parts.append({"name": "practitioner", "valueString": request.user})
    if request.encounter:
        parts.append({"name": "encounter", "valueString": request.encounter})
    return {"resourceType": "Parameters", "parameter": parts}


def _entry(one: Sent) -> Resource:
    has_url = isinstance(one.full_url, str) and one.full_url
    return (
        {"fullUrl": one.full_url, "resource": one.resource}
        if has_url
        else {"resource": one.resource}
    )


def _placed(issue: Issue, sent: Sequence[Sent]) -> Issue:
    """Return an issue with the places of its elements in the call."""

    def place(found: re.Match[str]) -> str:
        return sent[int(found[1])].place

    paths = tuple(_ENTRY.sub(place, path) for path in issue.expression)
    return replace(issue, diagnostics=_ENTRY.sub(place, issue.diagnostics), expression=paths)
