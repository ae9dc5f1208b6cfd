"""Synthetic patients: each fact of the pathway takes each of its values, in pairs with all others.

A patient is a choice of one level for each factor; a level is a small function that gives the
resources which make the fact so.  The choices are drawn by a seeded generator, so that a number
names a patient for good.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from random import Random
from typing import Any

from carepath.knowledge import Knowledge

Resource = dict[str, Any]
Level = Callable[[], list[Resource]]

NOW = datetime(2026, 11, 20, 9, 15, tzinfo=UTC)
KNOWLEDGE = Knowledge.shipped()
ROOT = "https://carepath.example/fhir"
OWN = f"{ROOT}/CodeSystem/mst-facts"
LOINC, SNOMED = "http://loinc.org", "http://snomed.info/sct"
ICD_O_3 = "http://terminology.hl7.org/CodeSystem/icd-o-3"
ICD_10 = "http://hl7.org/fhir/sid/icd-10"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
ATC = "http://www.whocc.no/atc"
HL7 = "http://terminology.hl7.org/CodeSystem"
MORPHOLOGY = "http://hl7.org/fhir/us/mcode/StructureDefinition/mcode-histology-morphology-behavior"
SUBJECT = {"reference": "Patient/p"}
NOTHING = "not recorded"

REGIONS = (
    *("upper-limb", "lower-limb", "trunk", "head-neck", "retroperitoneum", "gi-tract"),
    *("abdomen", "pelvis", "uterus", "thorax", "spine", "vessel"),
)
TYPES = {
    "sts": "8800/3",
    "gist": "8936/3",
    "leiomyosarcoma": "8890/3",
    "liposarcoma": "8850/3",
    "rhabdomyosarcoma": "8910/3",
    "ewing": "9260/3",
    "endometrial-stromal-sarcoma": "8931/3",
    "mesenchymoma-malignant": "8990/3",
}
STEPS = {
    "refer-sarcoma-centre": "ServiceRequest",
    "order-ihc": "ServiceRequest",
    "order-molecular-test": "ServiceRequest",
    "task-trial-screening": "Task",
    "task-give-followup-schedule": "Task",
    "comm-about-chemotherapy": "Communication",
}


def concept(system: str, code: str) -> Resource:
    """Return a CodeableConcept with one coding."""
    return {"coding": [{"system": system, "code": code}]}


def first_code(value_set: str) -> Resource:
    """Return the first SNOMED CT concept that a shipped value set lists, as a CodeableConcept."""
    definition = KNOWLEDGE.definition("ValueSet", f"{ROOT}/ValueSet/{value_set}")
    code = next(
        concept["code"]
        for include in definition["compose"]["include"]
        if include.get("system") == SNOMED
        for concept in include["concept"]
    )
    return concept(SNOMED, code)


def observation(code: Resource, day: str = "2026-10-01", **value: Any) -> Level:
    """Return a level with one final Observation."""
    made = {"resourceType": "Observation", "status": "final", "code": code, "subject": SUBJECT}
    return lambda: [{**made, "effectiveDateTime": day, **value}]


def own(code: str, day: str = "2026-10-01", **value: Any) -> Level:
    """Return a level with one Observation that has a code of the project's own."""
    return observation(concept(OWN, code), day, **value)


def procedure(code: str, day: str) -> Level:
    """Return a level with one completed Procedure."""
    made = {"resourceType": "Procedure", "status": "completed", "code": concept(SNOMED, code)}
    return lambda: [{**made, "subject": SUBJECT, "performedDateTime": day}]


def order(code: str) -> Level:
    """Return a level with one open order."""
    made = {"resourceType": "ServiceRequest", "status": "active", "intent": "order"}
    return lambda: [{**made, "code": concept(SNOMED, code), "subject": SUBJECT}]


def drug(system: str, code: str, status: str) -> Level:
    """Return a level with one MedicationRequest."""
    made = {"resourceType": "MedicationRequest", "status": status, "intent": "order"}
    return lambda: [
        {**made, "medicationCodeableConcept": concept(system, code), "subject": SUBJECT}
    ]


def step(activity: str, resource_type: str) -> Level:
    """Return a level in which an activity of the pathway is on record as done."""
    made: Resource = {
        "resourceType": resource_type,
        "status": "completed",
        "subject": SUBJECT,
    }
    canonical = f"{ROOT}/ActivityDefinition/{activity}|0.1.0"
    if resource_type == "Task":
        made = {**made, "intent": "order", "for": made.pop("subject")}
        return lambda: [{**made, "instantiatesCanonical": canonical}]
    if resource_type == "ServiceRequest":
        made["intent"] = "order"
    return lambda: [{**made, "instantiatesCanonical": [canonical]}]


def nothing() -> list[Resource]:
    """Return the level in which a fact is not recorded."""
    return []


def yes_or_no(code: str) -> Mapping[str, Level]:
    """Return the levels of a fact that is stated by an Observation with a code of our own."""
    return {
        "yes": own(code, valueBoolean=True),
        "no": own(code, valueBoolean=False),
        NOTHING: nothing,
    }


def coded(code: Resource, system: str, values: Mapping[str, str]) -> Mapping[str, Level]:
    """Return the levels of a fact that is stated by an Observation with a coded value."""
    levels: dict[str, Level] = {
        name: observation(code, valueCodeableConcept=concept(system, value))
        for name, value in values.items()
    }
    return {**levels, NOTHING: nothing}


def gene(hgnc: str) -> Mapping[str, Level]:
    """Return the levels of a gene: pathogenic, wild type, not tested."""
    code = concept(LOINC, "69548-6")
    part = {
        "code": concept(LOINC, "48018-6"),
        "valueCodeableConcept": concept("http://www.genenames.org/geneId", hgnc),
    }
    made = {
        name: observation(code, valueCodeableConcept=concept(LOINC, answer), component=[part])
        for name, answer in (("pathogenic", "LA9633-4"), ("wild-type", "LA9634-2"))
    }
    return {**made, NOTHING: nothing}


def centimetres(value: float) -> Level:
    """Return a level with a tumour of this size."""
    quantity = {"value": value, "unit": "cm", "system": "http://unitsofmeasure.org", "code": "cm"}
    return observation(concept(LOINC, "21889-1"), valueQuantity=quantity)


def metastasis(code: str) -> Level:
    """Return a level with a Condition that is a metastasis of the tumour."""
    related = {
        "url": "http://hl7.org/fhir/us/mcode/StructureDefinition/mcode-related-condition",
        "valueReference": {"reference": "Condition/tumour"},
    }
    return lambda: [
        {
            "resourceType": "Condition",
            "extension": [related],
            "clinicalStatus": concept(f"{HL7}/condition-clinical", "active"),
            "verificationStatus": concept(f"{HL7}/condition-ver-status", "confirmed"),
            "code": concept(SNOMED, code),
            "subject": SUBJECT,
        }
    ]


CLINICAL_M = concept(LOINC, "21907-1")
FACTORS: Mapping[str, Mapping[str, Level]] = {
    "m": coded(CLINICAL_M, "http://cancerstaging.org", {"0": "cM0", "1": "cM1"}),
    "grade": coded(
        concept(LOINC, "33732-9"),
        SNOMED,
        {"low": "1155708003", "intermediate": "1286893008", "high": "1155707008"},
    ),
    "size": {"1.5": centimetres(1.5), "2": centimetres(2), "9": centimetres(9), NOTHING: nothing},
    "stage": coded(
        concept(LOINC, "21902-2"),
        "http://cancerstaging.org",
        {"1": "IA", "2": "II", "3": "IIIA", "4": "IV"},
    ),
    "margins": {
        "R0": observation(
            concept(SNOMED, "372249001"), valueCodeableConcept=concept(SNOMED, "258254000")
        ),
        "R1": observation(
            concept(SNOMED, "372249001"), valueCodeableConcept=concept(SNOMED, "278271003")
        ),
        "close": observation(
            concept(SNOMED, "372249001"), valueCodeableConcept=concept(OWN, "close")
        ),
        NOTHING: nothing,
    },
    "kit": gene("HGNC:6342"),
    "pdgfra": gene("HGNC:8803"),
    "cd117": coded(
        concept(LOINC, "40552-2"), SNOMED, {"positive": "10828004", "negative": "260385009"}
    ),
    "dog1": coded({"text": "DOG1"}, SNOMED, {"positive": "10828004", "negative": "260385009"}),
    "biopsy": {
        "core": procedure("9911007", "2026-09-01"),
        "fna-only": procedure("442787002", "2026-09-01"),
        "non-diagnostic": lambda: [
            *procedure("9911007", "2026-09-01")(),
            *own("biopsy-adequate", valueBoolean=False)(),
        ],
        "none": nothing,
    },
    "imaging": {
        "mri": procedure("113091000", "2026-08-20"),
        "ct": procedure("77477000", "2026-08-20"),
        "both": lambda: [
            *procedure("113091000", "2026-08-20")(),
            *procedure("77477000", "2026-08-20")(),
        ],
        "none": nothing,
    },
    "excision": {
        "done": procedure("370612006", "2026-09-20"),
        "unplanned": procedure("370612006", "2026-08-01"),
        "ordered": order("370612006"),
        "in words": lambda: [
            {
                "resourceType": "Procedure",
                "status": "completed",
                "code": {"text": "operation"},
                "subject": SUBJECT,
                "performedDateTime": "2026-09-20",
            }
        ],
        "none": nothing,
    },
    "hysterectomy": {"done": procedure("236886002", "2026-09-20"), "none": nothing},
    "radiotherapy": {
        "given": procedure("1217123003", "2026-09-25"),
        "ordered": order("1217123003"),
        "none": nothing,
    },
    "chemotherapy": {
        "given": procedure("367336001", "2026-09-25"),
        "ordered": order("367336001"),
        "none": nothing,
    },
    "inhibitor": {
        "given": drug(RXNORM, "282388", "completed"),
        "ordered": drug(ATC, "L01EA01", "active"),
        "none": nothing,
    },
    "mdtDecision": {
        **{
            name: own("mdt-decision", "2026-10-15", valueCodeableConcept=concept(OWN, name))
            for name in (
                *("treat-as-proposed", "resect-metastases", "amputate"),
                *("limb-perfusion", "re-excise"),
            )
        },
        "before the operation": own(
            "mdt-decision", "2026-09-10", valueCodeableConcept=concept(OWN, "treat-as-proposed")
        ),
        NOTHING: nothing,
    },
    "treatmentCompleted": {
        **{
            day: own("treatment-completed", valueDateTime=day)
            for day in ("2026-02-01", "2022-06-01", "2019-06-01")
        },
        "no": own("treatment-completed", valueBoolean=False),
        NOTHING: nothing,
    },
    "recurrenceRisk": coded(concept(OWN, "recurrence-risk"), OWN, {"high": "high", "low": "low"}),
    "metastasis": {
        "lung": metastasis("94391008"),
        "liver": metastasis("94381002"),
        "bone": metastasis("94222008"),
        "none": nothing,
    },
    "ecog": {
        "1": observation(concept(LOINC, "89247-1"), valueInteger=1),
        NOTHING: nothing,
    },
    "step": {**{name: step(name, kind) for name, kind in STEPS.items()}, "none": nothing},
    **{
        code: yes_or_no(code)
        for code in (
            *("resectable", "difficult-site", "limb-salvage-possible", "nodes-macroscopic"),
            *("needle-biopsy-feasible", "oligometastatic", "symptomatic-metastasis"),
            *("metastasis-suspected", "actionable-variant", "patient-concern"),
            "second-opinion-requested",
        )
    },
}
"""Everything but the patient and the tumour, which are always there and are made below."""

RARE = frozenset(
    {
        *("excision", "hysterectomy", "radiotherapy", "chemotherapy", "inhibitor"),
        *("treatmentCompleted", "metastasis", "margins", "step"),
    }
)
HALF = 0.5

PEOPLE: Mapping[str, tuple[str, ...]] = {
    "gender": ("female", "male", NOTHING),
    "birth": ("1966-03-12", "2017-03-12", NOTHING),
    "dead": ("no",) * 15 + ("yes",),
    "type": (*TYPES, "suspected", NOTHING),
    "site": (*REGIONS, NOTHING),
    "verification": ("confirmed",) * 4 + ("unconfirmed", NOTHING),
    "clinical": ("active",) * 4 + ("recurrence", "remission"),
    "sources": ("on",) * 6 + ("source-s0", "source-s1", "source-s2"),
}


@dataclass(frozen=True)
class Synthetic:
    """One synthetic patient: the level of each factor, and what is sent."""

    number: int
    levels: Mapping[str, str]
    given: list[Resource]
    parameters: Mapping[str, list[Any]]


def patient(number: int) -> Synthetic:
    """Return the patient with this number; each has its own draws."""
    draw = Random(number)  # noqa: S311 - not for secrets
    levels = {name: draw.choice(choices) for name, choices in PEOPLE.items()}
    levels |= {name: _drawn(name, draw) for name in FACTORS}
    given = [_person(levels), _tumour(levels)]
    for name in FACTORS:
        given += FACTORS[name][levels[name]]()
    for index, resource in enumerate(given):
        resource.setdefault("id", f"r{index}")
    parameters: dict[str, list[Any]] = {"large-tumour-threshold-cm": [5]}
    if levels["sources"] != "on":
        parameters[levels["sources"]] = ["off"]
    return Synthetic(number, levels, given, parameters)


def _drawn(name: str, draw: Random) -> str:
    """Return a level; what most patients do not have is as often absent as it is there."""
    levels = list(FACTORS[name])
    return levels[-1] if name in RARE and draw.random() < HALF else draw.choice(levels)


def _person(levels: Mapping[str, str]) -> Resource:
    made: Resource = {"resourceType": "Patient", "id": "p"}
    if levels["gender"] != NOTHING:
        made["gender"] = levels["gender"]
    if levels["birth"] != NOTHING:
        made["birthDate"] = levels["birth"]
    if levels["dead"] == "yes":
        made["deceasedBoolean"] = True
    return made


def _tumour(levels: Mapping[str, str]) -> Resource:
    made: Resource = {
        "resourceType": "Condition",
        "id": "tumour",
        "clinicalStatus": concept(f"{HL7}/condition-clinical", levels["clinical"]),
        "code": concept(SNOMED, "424952003"),
        "subject": SUBJECT,
    }
    if levels["verification"] != NOTHING:
        made["verificationStatus"] = concept(f"{HL7}/condition-ver-status", levels["verification"])
    if levels["site"] != NOTHING:
        made["bodySite"] = [SITES[levels["site"]]]
    return {**made, **_named(levels["type"])}


def _named(tumour_type: str) -> Resource:
    """Return what says of which type the tumour is."""
    if tumour_type == "suspected":
        return {"code": concept(SNOMED, "300848003")}
    if tumour_type == NOTHING:
        return {"code": {"text": "sarcoma"}}
    morphology = concept(ICD_O_3, TYPES[tumour_type])
    return {"extension": [{"url": MORPHOLOGY, "valueCodeableConcept": morphology}]}


SITES = {region: first_code(f"mst-site-{region}-vs") for region in REGIONS}


def patients(count: int) -> Iterator[Synthetic]:
    """Yield the first patients."""
    yield from map(partial(patient), range(count))
