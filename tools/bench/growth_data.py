"""Resources that no fact is about, as a large record holds them."""

import json
from pathlib import Path
from typing import Any

Resource = dict[str, Any]

ROOT = Path(__file__).parents[2]
SERVER = "https://hospital.example/fhir"
_LOINC = "http://loinc.org"
_SNOMED = "http://snomed.info/sct"
_ICD_10_CM = "http://hl7.org/fhir/sid/icd-10-cm"
_CATEGORIES = "http://terminology.hl7.org/CodeSystem/observation-category"
_CLINICAL = "http://terminology.hl7.org/CodeSystem/condition-clinical"
_VERIFICATION = "http://terminology.hl7.org/CodeSystem/condition-ver-status"
_VITALS = (
    ("8867-4", "Heart rate", "/min"),
    ("9279-1", "Respiratory rate", "/min"),
    ("8310-5", "Body temperature", "Cel"),
    ("29463-7", "Body weight", "kg"),
    ("8302-2", "Body height", "cm"),
    ("2708-6", "Oxygen saturation in Arterial blood", "%"),
)
_ANALYTES = ("Sodium", "Potassium", "Creatinine", "Glucose", "Bilirubin", "Albumin", "Ferritin")
_FLUIDS = ("Serum or Plasma", "Blood", "Urine", "Capillary blood")
_DIAGNOSES = (
    (_SNOMED, "38341003", "Hypertensive disorder"),
    (_ICD_10_CM, "I10", "Essential (primary) hypertension"),
    (_SNOMED, "44054006", "Type 2 diabetes mellitus"),
    (_ICD_10_CM, "E11.9", "Type 2 diabetes mellitus without complications"),
    (_SNOMED, "195967001", "Asthma"),
    (_ICD_10_CM, "J45.909", "Unspecified asthma, uncomplicated"),
    (_SNOMED, "55822004", "Hyperlipidemia"),
    (_ICD_10_CM, "E78.5", "Hyperlipidemia, unspecified"),
    (_SNOMED, "40930008", "Hypothyroidism"),
    (_ICD_10_CM, "K21.9", "Gastro-esophageal reflux disease without esophagitis"),
    (_SNOMED, "396275006", "Osteoarthritis"),
    (_ICD_10_CM, "F32.9", "Major depressive disorder, single episode, unspecified"),
    (_SNOMED, "35489007", "Depressive disorder"),
    (_ICD_10_CM, "N18.30", "Chronic kidney disease, stage 3 unspecified"),
)


def examples() -> dict[str, Resource]:
    """Return the Bundles that the unrelated resources are put beside."""
    gist = json.loads((ROOT / "tests/records/bases/gastric-gist.json").read_text("utf-8"))
    mcode = json.loads((ROOT / "examples/mcode-collection.json").read_text("utf-8"))
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": []}
    return {"mcode-collection": mcode, "gastric-gist": beside(bundle, gist["resources"])}


def beside(bundle: Resource, resources: list[Resource]) -> Resource:
    """Return a Bundle with more entries; those it has stay as they are."""
    entries = [
        {"fullUrl": f"{SERVER}/{r['resourceType']}/{r['id']}", "resource": r} for r in resources
    ]
    return {**bundle, "entry": [*bundle["entry"], *entries]}


def patient_of(bundle: Resource) -> str:
    """Return the reference to the Patient of a Bundle."""
    resources = [entry["resource"] for entry in bundle["entry"]]
    return next(f"Patient/{r['id']}" for r in resources if r["resourceType"] == "Patient")


def observations(count: int, patient: str) -> list[Resource]:
    """Return Observations with a code each: a few vital signs, then results of the laboratory."""
    return [_observation(n, patient) for n in range(count)]


def _observation(n: int, patient: str) -> Resource:
    if n < len(_VITALS):
        category, (code, display, unit) = "vital-signs", _VITALS[n]
    else:
        category, code, unit = "laboratory", f"{n + 60000}-{n % 10}", "mmol/L"
        analyte, fluid = _ANALYTES[n % len(_ANALYTES)], _FLUIDS[n % len(_FLUIDS)]
        display = f"{analyte} [Moles/volume] in {fluid} --{n} minutes post dose"
    return {
        "resourceType": "Observation",
        "id": f"unrelated-{n}",
        "status": "final",
        "category": [{"coding": [{"system": _CATEGORIES, "code": category}]}],
        "code": {"coding": [{"system": _LOINC, "code": code, "display": display}]},
        "subject": {"reference": patient},
        "effectiveDateTime": f"2026-{1 + n % 9:02}-{1 + n % 28:02}T08:00:00+00:00",
        "valueQuantity": {
            "value": n % 140,
            "unit": unit,
            "system": "http://unitsofmeasure.org",
            "code": unit,
        },
    }


def conditions(count: int, patient: str) -> list[Resource]:
    """Return Conditions of two code systems, some without a display, a third of them resolved."""
    return [_condition(n, patient) for n in range(count)]


def _condition(n: int, patient: str) -> Resource:
    system, code, display = _DIAGNOSES[n % len(_DIAGNOSES)]
    coding = {"system": system, "code": code}
    if n % 4:
        coding["display"] = display
    is_resolved = n % 3 == 0
    made: Resource = {
        "resourceType": "Condition",
        "id": f"unrelated-{n}",
        "clinicalStatus": _concept(_CLINICAL, "resolved" if is_resolved else "active"),
        "verificationStatus": _concept(_VERIFICATION, "confirmed"),
        "code": {"coding": [coding], **({"text": display} if n % 5 == 0 else {})},
        "subject": {"reference": patient},
        "onsetDateTime": f"{1990 + n % 30}-03-{1 + n % 28:02}",
    }
    if is_resolved:
        made["abatementDateTime"] = f"{1991 + n % 30}-06-01"
    return made


def _concept(system: str, code: str) -> Resource:
    return {"coding": [{"system": system, "code": code}]}
