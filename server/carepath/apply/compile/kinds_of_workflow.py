"""Kinds of request: who is to act, to tell or to meet, and plans of such.

https://hl7.org/fhir/R4/workflow.html
"""

from collections.abc import Mapping

from carepath.apply.compile.activity_elements import ABSENT, Source
from carepath.apply.compile.kind import Kind
from carepath.resources import Resource, concept_text


def task(source: Source) -> Resource:
    """Return what a Task takes."""
    made: Resource = {}
    source.put(made, "code", "code")
    if source.text():
        made["description"] = source.text()
    roles = source.roles()
    if roles:
        made["performerType"] = roles
    source.put(made, "location", "location")
    period = source.take("timingPeriod")
    moment = source.take("timingDateTime")
    if period is not None or moment is not None:
        made["restriction"] = {"period": period or {"start": moment}}
    inputs = [
        {"type": {"text": name}, f"value{kind}": value}
        for name, element, kind in _TASK_INPUTS
        if (value := source.take(element)) is not None
    ]
    if inputs:
        made["input"] = inputs
    return made


_TASK_INPUTS = (
    ("product", "productCodeableConcept", "CodeableConcept"),
    ("product", "productReference", "Reference"),
    ("quantity", "quantity", "Quantity"),
    ("timing", "timingTiming", "Timing"),
)


TASK = Kind(
    task,
    subject="for",
    instantiates="one",
    forbids="extension",
    reason_reference="reasonReference",
    supporting="input",
)


def communication_request(source: Source) -> Resource:
    """Return what a CommunicationRequest takes: the words of the definition are its payload."""
    made: Resource = {}
    source.put(made, "reasonCode", "code", as_list=True)
    if source.text():
        made["payload"] = [{"contentString": source.text()}]
    source.put(made, "about", "productReference", as_list=True)
    source.occurrence(made)
    return made


COMMUNICATION_REQUEST = Kind(
    communication_request,
    intent=False,
    instantiates="extension",
    forbids="element",
    reason_reference="reasonReference",
    supporting="about",
)


def appointment(source: Source) -> Resource:
    """Return what an Appointment takes; who takes part is added for each patient."""
    made: Resource = {}
    source.put(made, "serviceType", "code", as_list=True)
    if source.text():
        made["description"] = source.text()
    period = source.take("timingPeriod")
    moment = source.take("timingDateTime")
    if period is not None or moment is not None:
        made["requestedPeriod"] = [period or {"start": moment}]
    made["participant"] = [{"type": [role], "status": "needs-action"} for role in source.roles()]
    location = source.take("location")
    if location is not None:
        made["participant"].append({"actor": location, "status": "needs-action"})
    return made


APPOINTMENT = Kind(
    appointment,
    subject="",
    encounter="",
    requester="",
    status="proposed",
    intent=False,
    instantiates="own-extension",
    reason_reference="reasonReference",
    supporting="supportingInformation",
)


def appointment_response(source: Source) -> Resource:
    """Return what an AppointmentResponse takes; which appointment is meant is not known."""
    made: Resource = {"appointment": ABSENT, "participantStatus": "needs-action"}
    if source.text() or source.activity.get("code"):
        made["comment"] = source.text() or concept_text(source.take("code"))
    return made


APPOINTMENT_RESPONSE = Kind(
    appointment_response,
    subject="actor",
    encounter="",
    requester="",
    status="",
    intent=False,
    priority=False,
    instantiates="",
)


def care_plan(source: Source) -> Resource:
    """Return what a CarePlan takes."""
    made: Resource = {}
    source.put(made, "category", "code", as_list=True)
    if source.activity.get("title"):
        made["title"] = source.activity["title"]
    if source.activity.get("description"):
        made["description"] = source.activity["description"]
    source.put(made, "period", "timingPeriod")
    return made


CARE_PLAN = Kind(care_plan, requester="author", priority=False, supporting="supportingInfo")


def request_group(source: Source) -> Resource:
    """Return what a RequestGroup takes."""
    made: Resource = {}
    source.put(made, "code", "code")
    if source.text():
        made["note"] = [{"text": source.text()}]
    return made


REQUEST_GROUP = Kind(request_group, requester="author", reason_reference="reasonReference")

WORKFLOW: Mapping[str, Kind] = {
    "Task": TASK,
    "CommunicationRequest": COMMUNICATION_REQUEST,
    "Appointment": APPOINTMENT,
    "AppointmentResponse": APPOINTMENT_RESPONSE,
    "CarePlan": CARE_PLAN,
    "RequestGroup": REQUEST_GROUP,
}
