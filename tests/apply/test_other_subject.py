"""Which subjects a plan takes, for callers of the functions.

https://hl7.org/fhir/R4/plandefinition-definitions.html#PlanDefinition.subject[x]
"""

from typing import Any

import pytest
from small import NOW, PATIENT, plan

from carepath.apply import ApplyRequest, apply_plan
from carepath.errors import OtherSubject
from carepath.knowledge import Knowledge
from carepath.record import Record

GROUP = {"resourceType": "Group", "id": "g", "type": "person", "actual": True}


def coded(*codes: str) -> dict[str, Any]:
    return {"subjectCodeableConcept": {"coding": [{"code": code} for code in codes]}}


def taken(subject: dict[str, Any]) -> list[str]:
    """Return which of a patient and a group a plan takes."""
    found = []
    definition = plan({"id": "a", "title": "A"}, **subject)
    for resource in (PATIENT, GROUP):
        name = f"{resource['resourceType']}/{resource['id']}"
        request = ApplyRequest(definition, Record.of([resource]), NOW, subject=name)
        try:
            apply_plan(request, Knowledge.of([definition]))
        except OtherSubject:
            continue
        found.append(str(resource["resourceType"]))
    return found


@pytest.mark.parametrize(
    ("subject", "types"),
    [
        ({}, ["Patient"]),
        (coded("Patient"), ["Patient"]),
        (coded("Group"), ["Group"]),
        (coded("Group", "Patient"), ["Patient", "Group"]),
        (coded("household"), ["Patient"]),
        ({"subjectReference": {"reference": "Group/described"}}, ["Patient", "Group"]),
    ],
)
def test_a_plan_takes_subjects_of_its_types(subject: dict[str, Any], types: list[str]) -> None:
    assert taken(subject) == types
