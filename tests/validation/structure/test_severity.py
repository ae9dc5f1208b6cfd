"""Lenient reading takes what senders send, with warnings, and refuses what is not safe to read."""

import copy
import sys
from pathlib import Path
from typing import Any, get_args

import pytest

from carepath.validation import check_structure
from carepath.validation.structure.problems import Kind
from carepath.validation.structure.severity import LENIENT

sys.path.insert(0, str(Path(__file__).parents[1]))
from planted import BASES

NARRATIVE = '<div xmlns="http://www.w3.org/1999/xhtml">A</div>'


def severities(base: str, **elements: Any) -> set[str]:
    """Return the severities found in a base with elements replaced; None takes one away."""
    resource = copy.deepcopy(BASES[base])
    resource |= elements
    present = {name: value for name, value in resource.items() if value is not None}
    return {issue.severity for issue in check_structure(present, lenient=True)}


def concept(
    code: str, system: str = "http://terminology.hl7.org/CodeSystem/condition-clinical"
) -> Any:
    return {"coding": [{"system": system, "code": code}]}


def test_every_kind_of_problem_has_a_rule() -> None:
    assert set(LENIENT) == set(get_args(Kind))


@pytest.mark.parametrize("base", BASES)
def test_what_is_valid_gives_nothing(base: str) -> None:
    assert severities(base) == set()


@pytest.mark.parametrize(
    ("base", "elements"),
    [
        pytest.param(
            "Condition", {"clinicalStatus": None, "verificationStatus": None}, id="no status"
        ),
        pytest.param("Condition", {"code": {"text": "Sarkom i låret"}}, id="text only"),
    ],
)
def test_what_senders_leave_out_is_valid_anyway(base: str, elements: dict[str, Any]) -> None:
    assert severities(base, **elements) == set()


@pytest.mark.parametrize(
    ("base", "elements"),
    [
        pytest.param("Bundle", {"type": None}, id="no Bundle.type"),
        pytest.param(
            "Bundle", {"entry": [{"fullUrl": "urn:uuid:pat-123"}]}, id="urn:uuid without UUID"
        ),
        pytest.param(
            "Condition", {"clinicalStatus": concept(" active ")}, id="spaces round a status"
        ),
        pytest.param("Condition", {"code": concept(" C49.2", "icd")}, id="spaces round a code"),
        pytest.param(
            "Condition",
            {"clinicalStatus": concept("active", "http://hl7.org/fhir/condition-clinical")},
            id="a status with the system of STU3",
        ),
        pytest.param("Observation", {"status": " final "}, id="spaces round a status code"),
        pytest.param(
            "Condition", {"onsetDateTime": " 2025-11-30T10:00:00Z "}, id="spaces round a date"
        ),
        pytest.param("Condition", {"subject": None}, id="a required element is missing"),
        pytest.param("Condition", {"subject": {"reference": "p1"}}, id="a bare id as reference"),
        pytest.param("Condition", {"subject": {"reference": "Device/1"}}, id="a wrong target"),
        pytest.param("Condition", {"severityScore": 3}, id="an unknown element"),
        pytest.param("Condition", {"onsetDateTime": "2025-11-30T10:00:00"}, id="no time zone"),
        pytest.param("Condition", {"onsetDateTime": "2025-11-30T10:00+01:00"}, id="no seconds"),
        pytest.param("Condition", {"note": []}, id="an empty array"),
        pytest.param("Condition", {"note": [{"text": ""}]}, id="an empty string"),
        pytest.param("Condition", {"id": "c_1"}, id="an id with an underscore"),
        pytest.param(
            "Patient", {"gender": "M"}, id="a code that is none, where nothing hangs on it"
        ),
        pytest.param("Patient", {"telecom": [{"rank": 0}]}, id="a rank of zero"),
        pytest.param("Patient", {"name": [{"use": "CURRENT"}]}, id="a use of a name"),
        pytest.param("Patient", {"telecom": [{"use": "HOME"}]}, id="a use of a telephone"),
        pytest.param("Patient", {"address": [{"use": "B"}]}, id="a use of an address"),
        pytest.param("Patient", {"identifier": [{"use": "MR"}]}, id="a use of an identifier"),
        pytest.param(
            "Patient",
            {"text": {"status": "made", "div": NARRATIVE}},
            id="the status of a narrative",
        ),
        pytest.param(
            "Patient",
            {"text": {"status": "generated", "div": "plain"}},
            id="a narrative that is none",
        ),
    ],
)
def test_what_can_be_read_safely_is_a_warning(base: str, elements: dict[str, Any]) -> None:
    assert severities(base, **elements) == {"warning"}


@pytest.mark.parametrize(
    ("base", "elements"),
    [
        pytest.param("Patient", {"resourceType": "Foo"}, id="unknown resource type"),
        pytest.param(
            "Bundle", {"entry": [{"resource": {"resourceType": "Foo"}}]}, id="in an entry"
        ),
        pytest.param("Patient", {"birthDate": "1970-02-30"}, id="a day that does not exist"),
        pytest.param("Patient", {"birthDate": "30.03.1970"}, id="a local date"),
        pytest.param("Patient", {"birthDate": "1970-03-30T10:00:00Z"}, id="a time in a date"),
        pytest.param(
            "Condition", {"onsetDateTime": "2025-02-30T10:00:00"}, id="no zone, no such day"
        ),
        pytest.param(
            "Condition", {"onsetDateTime": "2025-11-30T25:00:00"}, id="no zone, no such hour"
        ),
        pytest.param("Condition", {"code": "C49.2"}, id="a string for a concept"),
        pytest.param("Condition", {"code": [{"text": "x"}]}, id="an array for a concept"),
        pytest.param("Condition", {"subject": "Patient/p1"}, id="a string for a reference"),
        pytest.param("Condition", {"onsetString": "long ago"}, id="two values of a choice"),
        pytest.param(
            "Condition", {"verificationStatus": {"text": "ruled out"}}, id="a status as text"
        ),
        pytest.param("Condition", {"clinicalStatus": concept("gone")}, id="a status that is none"),
        pytest.param("Observation", {"status": "wrong"}, id="a status code that is none"),
        pytest.param("Observation", {"valueQuantity": {"value": "7"}}, id="a string for a number"),
        pytest.param("Patient", {"deceasedBoolean": "false"}, id="a string for a boolean"),
        pytest.param(
            "Observation", {"valueQuantity": {"value": 7, "comparator": "="}}, id="a comparator"
        ),
        pytest.param(
            "Patient", {"link": [{"other": {"reference": "Patient/1"}, "type": 1}]}, id="a link"
        ),
    ],
)
def test_what_cannot_be_read_safely_is_an_error(base: str, elements: dict[str, Any]) -> None:
    assert "error" in severities(base, **elements)
