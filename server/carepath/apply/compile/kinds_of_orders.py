"""Kinds of request: what is to be done, given or supplied.

https://hl7.org/fhir/R4/request.html
"""

from collections.abc import Mapping

from carepath.apply.compile.activity_elements import ABSENT, Source
from carepath.apply.compile.kind import Kind, coded, performer_type
from carepath.resources import Resource


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
    return made | performer_type(source)


SERVICE_REQUEST = Kind(
    service_request,
    forbids="element",
    reason_reference="reasonReference",
    supporting="supportingInfo",
)


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
    return made | performer_type(source)


MEDICATION_REQUEST = Kind(
    medication_request,
    forbids="element",
    reason_reference="reasonReference",
    supporting="supportingInformation",
)


def device_request(source: Source) -> Resource:
    """Return what a DeviceRequest takes: the product when there is one, else the code."""
    made: Resource = {}
    source.put(made, "codeCodeableConcept", "productCodeableConcept")
    if not made:
        made["codeCodeableConcept"] = source.take("code") or ABSENT
    source.occurrence(made)
    return made | performer_type(source)


DEVICE_REQUEST = Kind(
    device_request, reason_reference="reasonReference", supporting="supportingInfo"
)


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


SUPPLY_REQUEST = Kind(
    supply_request,
    subject="deliverTo",
    encounter="",
    intent=False,
    instantiates="extension",
    reason_reference="reasonReference",
)


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


NUTRITION_ORDER = Kind(
    nutrition_order,
    subject="patient",
    requester="orderer",
    priority=False,
    forbids="extension",
    dates=("dateTime",),
)


def immunization_recommendation(source: Source) -> Resource:
    """Return what an ImmunizationRecommendation takes: the product or code is the vaccine."""
    made: Resource = {}
    vaccine = source.take("productCodeableConcept") or source.take("code")
    made["vaccineCode"] = [vaccine or ABSENT]
    made["forecastStatus"] = coded("immunization-recommendation-status", "due", "Due")
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


IMMUNIZATION_RECOMMENDATION = Kind(
    immunization_recommendation,
    subject="patient",
    encounter="",
    requester="authority",
    status="",
    intent=False,
    priority=False,
    instantiates="",
    dates=("date",),
)


def vision_prescription(source: Source) -> Resource:
    """Return what a VisionPrescription takes; R4 wants the eye, which no definition can give."""
    product = source.take("productCodeableConcept") or source.take("code")
    return {"prescriber": ABSENT, "lensSpecification": [{"product": product or ABSENT}]}


VISION_PRESCRIPTION = Kind(
    vision_prescription,
    subject="patient",
    requester="prescriber",
    intent=False,
    priority=False,
    instantiates="",
    dates=("created", "dateWritten"),
    values_only=("lensSpecification", "eye"),
)

ORDERS: Mapping[str, Kind] = {
    "ServiceRequest": SERVICE_REQUEST,
    "MedicationRequest": MEDICATION_REQUEST,
    "DeviceRequest": DEVICE_REQUEST,
    "SupplyRequest": SUPPLY_REQUEST,
    "NutritionOrder": NUTRITION_ORDER,
    "ImmunizationRecommendation": IMMUNIZATION_RECOMMENDATION,
    "VisionPrescription": VISION_PRESCRIPTION,
}
