"""The kinds of request: which elements each has, and what it takes from an ActivityDefinition.

https://hl7.org/fhir/R4/activitydefinition-definitions.html#ActivityDefinition.kind

The part of a request that is the same for every patient is made once, by the builders here.  What
concerns the patient is named by the row of the table, or added by `kinds_of_record` for those kinds
that hold it deeper inside.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from carepath.apply.compile.activity_elements import ABSENT, Source
from carepath.resources import Resource, concept_text

Build = Callable[[Source], Resource]


@dataclass(frozen=True, slots=True)
class Kind:
    """Where a request of this kind holds what every request has; an empty name is nowhere."""

    build: Build
    subject: str = "subject"
    encounter: str = "encounter"
    requester: str = "requester"
    status: str = "draft"
    intent: bool = True
    priority: bool = True
    instantiates: Literal["list", "one", "extension", "own-extension", ""] = "list"
    forbids: Literal["element", "extension", ""] = ""
    """How the request says that something must not be done."""
    reason_reference: str = ""
    supporting: str = ""
    dates: tuple[str, ...] = ()
    """Elements that must say when the request was made."""
    values_only: tuple[str, str] | None = None
    """A list and the code that each of its items must have, which only a dynamicValue can give."""


def service_request(source: Source) -> Resource:
    """Return what a ServiceRequest takes."""
    made: Resource = {}
    source.put(made, "code", "code")
    source.put(made, "quantityQuantity", "quantity")
    source.occurrence(made)
    source.put(made, "bodySite", "bodySite")
    source.put(made, "locationReference", "location", as_list=True)
    product = source.take("productCodeableConcept")
    if product is not None:
        made["orderDetail"] = [product]
    return made | _performer(source)


def medication_request(source: Source) -> Resource:
    """Return what a MedicationRequest takes: the product is the medication, the code the reason."""
    made: Resource = {}
    source.put(made, "medicationCodeableConcept", "productCodeableConcept")
    source.put(made, "medicationReference", "productReference")
    if not made:
        made["medicationCodeableConcept"] = ABSENT
    source.put(made, "reasonCode", "code", as_list=True)
    source.put(made, "dosageInstruction", "dosage")
    timing = source.take("timingTiming")
    if timing is not None:
        dosages = made.get("dosageInstruction") or [{}]
        made["dosageInstruction"] = [{"timing": timing, **dosage} for dosage in dosages]
    quantity = source.take("quantity")
    if quantity is not None:
        made["dispenseRequest"] = {"quantity": quantity}
    return made | _performer(source)


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


def communication_request(source: Source) -> Resource:
    """Return what a CommunicationRequest takes: the words of the definition are its payload."""
    made: Resource = {}
    source.put(made, "reasonCode", "code", as_list=True)
    if source.text():
        made["payload"] = [{"contentString": source.text()}]
    source.put(made, "about", "productReference", as_list=True)
    source.occurrence(made)
    return made


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


def device_request(source: Source) -> Resource:
    """Return what a DeviceRequest takes: the product when there is one, else the code."""
    made: Resource = {}
    source.put(made, "codeCodeableConcept", "productCodeableConcept")
    if not made:
        made["codeCodeableConcept"] = source.take("code") or ABSENT
    source.occurrence(made)
    return made | _performer(source)


def supply_request(source: Source) -> Resource:
    """Return what a SupplyRequest takes; the code is the item when there is no product."""
    made: Resource = {}
    source.put(made, "itemCodeableConcept", "productCodeableConcept")
    source.put(made, "itemReference", "productReference")
    if made:
        source.put(made, "category", "code")
    else:
        made["itemCodeableConcept"] = source.take("code") or ABSENT
    made["quantity"] = source.take("quantity") or ABSENT
    source.occurrence(made)
    source.put(made, "deliverFrom", "location")
    return made


def nutrition_order(source: Source) -> Resource:
    """Return what a NutritionOrder takes: the code is a diet, the product a supplement."""
    made: Resource = {}
    diet: Resource = {}
    source.put(diet, "type", "code", as_list=True)
    source.put(diet, "schedule", "timingTiming", as_list=True)
    instruction = "; ".join(d["text"] for d in source.take("dosage") or () if "text" in d)
    if instruction:
        diet["instruction"] = instruction
    if diet:
        made["oralDiet"] = diet
    supplement: Resource = {}
    source.put(supplement, "type", "productCodeableConcept")
    source.put(supplement, "quantity", "quantity")
    if supplement:
        made["supplement"] = [supplement]
    return made


def immunization_recommendation(source: Source) -> Resource:
    """Return what an ImmunizationRecommendation takes: the product or code is the vaccine."""
    made: Resource = {}
    vaccine = source.take("productCodeableConcept") or source.take("code")
    made["vaccineCode"] = [vaccine or ABSENT]
    made["forecastStatus"] = _coded("immunization-recommendation-status", "due", "Due")
    if source.text():
        made["description"] = source.text()
    moment = source.take("timingDateTime") or (source.take("timingPeriod") or {}).get("start")
    if moment:
        made["dateCriterion"] = [
            {
                "code": {"coding": [{"system": "http://loinc.org", "code": "30980-7"}]},
                "value": moment,
            }
        ]
    return {"recommendation": [made]}


def vision_prescription(source: Source) -> Resource:
    """Return what a VisionPrescription takes; R4 wants the eye, which no definition can give."""
    product = source.take("productCodeableConcept") or source.take("code")
    return {"prescriber": ABSENT, "lensSpecification": [{"product": product or ABSENT}]}


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


def request_group(source: Source) -> Resource:
    """Return what a RequestGroup takes."""
    made: Resource = {}
    source.put(made, "code", "code")
    if source.text():
        made["note"] = [{"text": source.text()}]
    return made


def contract(source: Source) -> Resource:
    """Return what a Contract takes."""
    made: Resource = {}
    source.put(made, "type", "code")
    source.put(made, "topicReference", "productReference")
    source.put(made, "topicCodeableConcept", "productCodeableConcept")
    source.put(made, "applies", "timingPeriod")
    if source.activity.get("title"):
        made["title"] = source.activity["title"]
    return made


def claim(source: Source) -> Resource:
    """Return what a Claim takes: a predetermination, since nothing has been done yet."""
    made: Resource = {"type": source.take("code") or ABSENT, "use": "predetermination"}
    product = source.take("productCodeableConcept")
    if product is not None:
        item: Resource = {"sequence": 1, "productOrService": product}
        source.put(item, "quantity", "quantity")
        made["item"] = [item]
    urgent = source.activity.get("priority") in ("stat", "asap", "urgent")
    made["priority"] = _coded("processpriority", "stat" if urgent else "normal", "")
    made["provider"] = ABSENT
    made["insurance"] = [{"sequence": 1, "focal": True, "coverage": ABSENT}]
    return made


def enrollment_request(_: Source) -> Resource:
    """Return what an EnrollmentRequest takes: nothing but the patient."""
    return {}


def appointment_response(source: Source) -> Resource:
    """Return what an AppointmentResponse takes; which appointment is meant is not known."""
    made: Resource = {"appointment": ABSENT, "participantStatus": "needs-action"}
    if source.text() or source.activity.get("code"):
        made["comment"] = source.text() or concept_text(source.take("code"))
    return made


def _performer(source: Source) -> Resource:
    """Return the kind of performer, when one is named."""
    roles = source.roles()
    return {"performerType": roles[0]} if roles else {}


def _coded(system: str, code: str, display: str) -> dict[str, Any]:
    """Return a CodeableConcept of HL7 terminology."""
    coding = {"system": f"http://terminology.hl7.org/CodeSystem/{system}", "code": code}
    return {"coding": [{**coding, "display": display} if display else coding]}


KINDS: Mapping[str, Kind] = {
    "ServiceRequest": Kind(
        service_request,
        forbids="element",
        reason_reference="reasonReference",
        supporting="supportingInfo",
    ),
    "MedicationRequest": Kind(
        medication_request,
        forbids="element",
        reason_reference="reasonReference",
        supporting="supportingInformation",
    ),
    "Task": Kind(
        task,
        subject="for",
        instantiates="one",
        forbids="extension",
        reason_reference="reasonReference",
        supporting="input",
    ),
    "CommunicationRequest": Kind(
        communication_request,
        intent=False,
        instantiates="extension",
        forbids="element",
        reason_reference="reasonReference",
        supporting="about",
    ),
    "Appointment": Kind(
        appointment,
        subject="",
        encounter="",
        requester="",
        status="proposed",
        intent=False,
        instantiates="own-extension",
        reason_reference="reasonReference",
        supporting="supportingInformation",
    ),
    "DeviceRequest": Kind(
        device_request, reason_reference="reasonReference", supporting="supportingInfo"
    ),
    "SupplyRequest": Kind(
        supply_request,
        subject="deliverTo",
        encounter="",
        intent=False,
        instantiates="extension",
        reason_reference="reasonReference",
    ),
    "NutritionOrder": Kind(
        nutrition_order,
        subject="patient",
        requester="orderer",
        priority=False,
        forbids="extension",
        dates=("dateTime",),
    ),
    "ImmunizationRecommendation": Kind(
        immunization_recommendation,
        subject="patient",
        encounter="",
        requester="authority",
        status="",
        intent=False,
        priority=False,
        instantiates="",
        dates=("date",),
    ),
    "VisionPrescription": Kind(
        vision_prescription,
        subject="patient",
        requester="prescriber",
        intent=False,
        priority=False,
        instantiates="",
        dates=("created", "dateWritten"),
        values_only=("lensSpecification", "eye"),
    ),
    "CarePlan": Kind(care_plan, requester="author", priority=False, supporting="supportingInfo"),
    "RequestGroup": Kind(request_group, requester="author", reason_reference="reasonReference"),
    "Contract": Kind(
        contract,
        encounter="",
        requester="author",
        status="offered",
        intent=False,
        priority=False,
        instantiates="",
        supporting="supportingInfo",
    ),
    "Claim": Kind(
        claim,
        subject="patient",
        encounter="",
        requester="provider",
        intent=False,
        priority=False,
        instantiates="",
        dates=("created",),
    ),
    "EnrollmentRequest": Kind(
        enrollment_request,
        subject="candidate",
        encounter="",
        requester="provider",
        intent=False,
        priority=False,
        instantiates="",
        dates=("created",),
    ),
    "AppointmentResponse": Kind(
        appointment_response,
        subject="actor",
        encounter="",
        requester="",
        status="",
        intent=False,
        priority=False,
        instantiates="",
    ),
}
"""R4 lists these kinds of request; nothing else may stand in ActivityDefinition.kind."""

APPOINTMENT_PRIORITY: Mapping[str, int] = {"stat": 1, "asap": 4, "urgent": 7, "routine": 9}
"""An Appointment counts its priority in numbers, the lower the sooner."""
