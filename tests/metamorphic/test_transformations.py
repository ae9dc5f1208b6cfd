"""Transformations do what they say, leave valid FHIR, and a change that matters is noticed."""

import json
from copy import deepcopy
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from carepath.resources import Resource
from carepath.validation import check_structure

from . import additions, codes, names, shapes
from .answers import answer, answer_to, differences
from .patients import KNOWLEDGE, Patient, all_patients
from .test_metamorphic import told, touched
from .transformations import TRANSFORMATIONS, Change, Transformation, chance, transformed

PATIENTS = all_patients()
SYNONYMS = json.loads(Path(__file__).with_name("synonyms.json").read_text("utf-8"))["synonyms"]
EXAMPLE = next(p for p in PATIENTS if p.name == "examples/searchset")


def errors(resource: Resource) -> list[str]:
    """Return the errors of structure in what is sent."""
    return [i.diagnostics for i in check_structure(resource, lenient=True) if i.is_error]


@cache
def valid() -> tuple[Patient, ...]:
    """Return patients of each kind whose Bundle has no error before anything is done to it."""
    return tuple(p for p in PATIENTS[::4] + PATIENTS[-90:] if not errors(p.bundle))


@pytest.mark.parametrize("change", [pytest.param(t, id=t.name) for t in TRANSFORMATIONS])
def test_what_is_sent_stays_valid(change: Transformation) -> None:
    patients = list(islice(touched(change, valid()), 3))
    before = deepcopy([patient.bundle for patient in patients])
    found = [error for p in patients for error in errors(transformed(p, [change], 1))]
    assert (found, [patient.bundle for patient in patients]) == ([], before)
    assert patients


def test_names_are_unique() -> None:
    assert len({t.name for t in TRANSFORMATIONS}) == len(TRANSFORMATIONS)


@pytest.mark.parametrize("code", sorted({code for group in SYNONYMS for code in group}))
def test_synonyms_stand_in_the_value_sets(code: str) -> None:
    system, _, plain = code.partition("|")
    expansions = [
        KNOWLEDGE.terminology.expansion(value_set["url"]) for value_set in KNOWLEDGE.all("ValueSet")
    ]
    assert any(found and (system, plain) in found.codes for found in expansions)


def bundle(*entries: dict[str, Any]) -> Resource:
    return {"resourceType": "Bundle", "type": "collection", "entry": list(entries)}


def observation(**elements: Any) -> Resource:
    return {"resourceType": "Observation", "id": "o", **elements}


def entry(resource: Resource, full_url: str = "") -> dict[str, Any]:
    return {"fullUrl": full_url, "resource": resource} if full_url else {"resource": resource}


PATIENT = {"resourceType": "Patient", "id": "p"}
OF_P = {"subject": {"reference": "Patient/p"}}
AT_P = "https://hospital.example/fhir/Patient/p"
AT_O = "https://hospital.example/fhir/Observation/o"
ICD = "http://hl7.org/fhir/sid/icd-10"
SCT = "http://snomed.info/sct"


def coded(system: str, code: str) -> Resource:
    return observation(code={"coding": [{"system": system, "code": code}]})


@pytest.mark.parametrize(
    ("change", "given", "expected"),
    [
        (codes.systems_as_urn_oid, coded(SCT, "1"), coded("urn:oid:2.16.840.1.113883.6.96", "1")),
        (codes.systems_as_oid, coded(ICD, "C49.2"), coded("2.16.840.1.113883.6.3", "C49.2")),
        (codes.snomed_edition, coded(SCT, "1"), coded(f"{SCT}/731000124108", "1")),
        (codes.capital_host, coded(SCT, "1"), coded("HTTP://SNOMED.INFO/sct", "1")),
        (codes.icd_without_dots, coded(ICD, "C49.2"), coded(ICD, "C492")),
        (codes.icd_in_small_letters, coded(ICD, "C49.2"), coded(ICD, " c49.2 ")),
        (
            codes.millimetres,
            observation(valueQuantity={"value": 3, "unit": "cm", "system": "u", "code": "cm"}),
            observation(valueQuantity={"value": 30, "unit": "mm", "system": "u", "code": "mm"}),
        ),
        (
            additions.in_utc,
            observation(effectiveDateTime="2026-10-01T00:30:00+04:00", issued="2026-10-01"),
            observation(effectiveDateTime="2026-09-30T20:30:00Z", issued="2026-10-01"),
        ),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_resource(change: Change, given: Resource, expected: Resource) -> None:
    assert change(bundle(entry(given)), chance(0)) == bundle(entry(expected))


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        pytest.param(
            names.absolute_references,
            bundle(entry(PATIENT, AT_P), entry(observation(subject={"reference": AT_P}), AT_O)),
            id="absolute",
        ),
        pytest.param(
            names.relative_references,
            bundle(entry(PATIENT, AT_P), entry(observation(**OF_P), AT_O)),
            id="relative",
        ),
        pytest.param(
            shapes.reversed_order,
            bundle(entry(observation(**OF_P)), entry(PATIENT)),
            id="reversed",
        ),
        pytest.param(
            shapes.in_parameters,
            {
                "resourceType": "Parameters",
                "parameter": [
                    {
                        "name": "data",
                        "resource": bundle(entry(PATIENT), entry(observation(**OF_P))),
                    }
                ],
            },
            id="parameters",
        ),
    ],
)
def test_a_bundle(change: Change, expected: Resource) -> None:
    assert change(
        bundle(entry(dict(PATIENT)), entry(observation(**deepcopy(OF_P)))), chance(0)
    ) == (expected)


@pytest.mark.parametrize("change", [names.other_ids, names.urns, names.urns_beside_ids])
def test_references_follow(change: Change) -> None:
    sent = change(bundle(entry(dict(PATIENT)), entry(observation(**deepcopy(OF_P)))), chance(0))
    person, result = sent["entry"]
    id_ = person["resource"].get("id", "")
    named = {f"Patient/{id_}", person.get("fullUrl", "")}
    assert result["resource"]["subject"]["reference"] in named - {"Patient/p", "Patient/", ""}


def without_decision(sent: Resource) -> Resource:
    """Return the Bundle without what the team decided."""
    kept = [e for e in sent["entry"] if e["resource"].get("id") != "mdt"]
    return {**sent, "entry": kept}


def test_a_change_that_matters_is_told() -> None:
    before = answer_to(EXAMPLE)
    lines = differences(before, answer(EXAMPLE, without_decision(EXAMPLE.bundle)))
    assert '%mdtDecision: "resect-metastases" -> unknown' in lines
    assert any(line.startswith("advanced") for line in lines)
    assert told(EXAMPLE, TRANSFORMATIONS[:1], 7, ["%x: 1 -> 2"]) == (
        "\nexamples/searchset\n  with hypertension (seed 7)\n    %x: 1 -> 2"
    )


def test_a_refusal_is_told() -> None:
    nobody = {"resourceType": "Bundle", "type": "collection", "entry": []}
    lines = differences(answer_to(EXAMPLE), answer(EXAMPLE, nobody))
    assert [line.split(":")[0] for line in lines] == ["answered -> refused"]
