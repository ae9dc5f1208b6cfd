"""A rule is passed over only where it would have found nothing."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from carepath.record import Record
from carepath.record.certainty import with_certainty
from carepath.record.codes import with_canonical_codes
from carepath.record.traits import Traits, traits_of
from carepath.record.understood import may_deny, not_understood

ROOT = Path(__file__).parents[2]
ICD_10_GM = "http://fhir.de/CodeSystem/bfarm/icd-10-gm"
LOINC = "http://loinc.org"


def coded(system: str, code: Any, **more: Any) -> dict[str, Any]:
    return {"resourceType": "Condition", "code": {"coding": [{"system": system, "code": code}]}} | {
        **more
    }


@pytest.mark.parametrize(
    ("resource", "traits"),
    [
        (coded(LOINC, "1-8"), (False, False, True)),
        (coded(f"{LOINC}/", "1-8"), (False, False, False)),
        (coded(LOINC, " 1-8"), (False, False, False)),
        (coded(ICD_10_GM, "C49.2"), (False, True, True)),
        (coded(f"{ICD_10_GM}|2025", "C49.2"), (False, True, False)),
        (coded(LOINC, 1), (False, False, True)),
        (coded(LOINC, "1-8", note=[{"extension": []}]), (False, True, True)),
        (coded(LOINC, "1-8", stage=[{"type": {"modifierExtension": []}}]), (True, False, True)),
        (coded(LOINC, "1-8", contained=[coded("urn:oid:2.16.840.1.113883.6.1", "1-8")]),
         (False, False, False)),
        (coded(LOINC, "1-8", note=[None, "x", [{"extension": []}]]), (False, False, True)),
    ],
)  # fmt: skip
def test_traits_stand_at_any_depth(resource: dict[str, Any], traits: tuple[bool, ...]) -> None:
    assert traits_of(resource) == Traits(*traits)


def resources_in(value: Any) -> Iterator[dict[str, Any]]:
    for inner in value.values() if isinstance(value, dict) else value:
        if isinstance(inner, dict | list):
            yield from resources_in(inner)
    if isinstance(value, dict) and isinstance(value.get("resourceType"), str):
        yield value


def sent() -> list[dict[str, Any]]:
    """Return all that the records and the examples hold."""
    paths = [*(ROOT / "tests/records").rglob("*.json"), *(ROOT / "examples").glob("*.json")]
    return [r for path in sorted(paths) for r in resources_in(json.loads(path.read_text("utf-8")))]


def test_where_a_trait_is_missing_the_rule_finds_nothing() -> None:
    passed_over = [0, 0, 0]
    for resource in sent():
        traits = traits_of(resource)
        if not traits.has_modifiers and not may_deny(resource):
            passed_over[0] += 1
            assert not_understood(resource) is None
        if not traits.may_be_marked:
            passed_over[1] += 1
            assert with_certainty(resource) == (resource, None)
        if traits.is_canonical:
            passed_over[2] += 1
            assert with_canonical_codes(resource) is resource
    assert min(passed_over) > 100


@pytest.mark.parametrize(
    "said",
    [
        {"contained": [{"resourceType": "Procedure", "notDone": True}]},
        {"contained": [{"resourceType": "Procedure", "implicitRules": "http://x"}]},
        {"implicitRules": "http://x"},
        {"_implicitRules": {"id": "a"}},
        {"notGiven": True},
        {"_notGiven": {"id": "a"}},
    ],
)
def test_what_denies_is_looked_at(said: dict[str, Any]) -> None:
    procedure = {"resourceType": "Procedure", "subject": {"reference": "Patient/a"}, **said}
    assert not_understood(procedure) is not None
    record = Record.of([{"resourceType": "Patient", "id": "a"}, procedure])
    assert (record.resources("Procedure"), record.unread()) == ((), (procedure,))


def test_a_contained_patient_is_another_one_in_each_resource() -> None:
    def observation(number: str) -> dict[str, Any]:
        patient = {
            "resourceType": "Patient",
            "id": "p",
            "identifier": [{"system": "urn:x", "value": number}],
        }
        subject = {"reference": "#p"}
        return {"resourceType": "Observation", "contained": [patient], "subject": subject}

    ours, theirs = observation("1"), observation("2")
    person = {"resourceType": "Patient", "identifier": [{"system": "urn:x", "value": "1"}]}
    assert Record.of([person, ours, theirs]).resources("Observation") == (ours,)
    assert Record.of([person, theirs, ours]).resources("Observation") == (ours,)
