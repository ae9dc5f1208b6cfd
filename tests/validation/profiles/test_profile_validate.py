"""`validate` as a whole: modes, unknown profiles, claims inside a Bundle, official examples."""

import copy
import functools
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from carepath.formats.json import decode
from carepath.issues import Issue
from carepath.knowledge import Knowledge
from carepath.validation import validate

from ...suites import EXAMPLES, needs

sys.path.insert(0, str(Path(__file__).parents[1]))
from planted import FOR_VALIDATE, planted

NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)
OWN = "https://carepath.example/fhir/StructureDefinition/"
STANDARD = [
    decode(path.read_bytes())
    for path in sorted((Path(__file__).parents[1] / "profile_definitions").glob("*.json"))
]


def check(resource: Any, **options: Any) -> tuple[Issue, ...]:
    options.setdefault("definitions", Knowledge.shipped())
    return validate(resource, now=NOW, **options)


def errors(resource: Any, **options: Any) -> list[tuple[str, str]]:
    return [(i.code, i.expression[0]) for i in check(resource, **options) if i.is_error]


def patient(**more: Any) -> dict[str, Any]:
    return {"resourceType": "Patient", "id": "p", "gender": "female", **more}


def test_a_valid_resource_has_no_error() -> None:
    assert errors(patient()) == []


def test_structure_and_invariants_are_told_together() -> None:
    resource = patient(gender="f", contact=[{"gender": "male"}])
    assert errors(resource) == [
        ("code-invalid", "Patient.gender"),
        ("invariant", "Patient.contact[0]"),
    ]


def test_an_invariant_names_its_key() -> None:
    issue = next(i for i in check(patient(contact=[{"gender": "male"}])) if i.is_error)
    assert issue.diagnostics.startswith("pat-1: ")


@pytest.mark.parametrize("case", FOR_VALIDATE, ids=lambda case: f"{case['base']}: {case['name']}")
def test_a_broken_rule_across_elements_is_found_at_its_place(case: dict[str, Any]) -> None:
    found = check(planted(case))
    assert sorted(i.expression[0] for i in found if i.is_error) == sorted(case["expression"])


def test_best_practice_is_a_warning_and_not_asked_of_contained_resources() -> None:
    contained = [{"resourceType": "Organization", "id": "o", "name": "O"}]
    resource = patient(contained=contained, managingOrganization={"reference": "#o"})
    assert [(i.severity, i.code, i.expression) for i in check(resource)] == [
        ("warning", "invariant", ("Patient",))
    ]


def test_every_issue_names_an_element() -> None:
    for mode in ("create", "update", "delete", "profile", "patch"):
        assert all(issue.expression for issue in check({"resourceType": "Patient"}, mode=mode))


def test_an_unknown_profile_asked_for_is_an_error_and_a_claimed_one_a_warning() -> None:
    url = "http://example.org/StructureDefinition/nowhere"
    asked = check(patient(), profiles=[url])
    claimed = check(patient(meta={"profile": [url]}))
    assert [(i.severity, i.code) for i in asked if i.code == "not-found"] == [
        ("error", "not-found")
    ]
    assert [(i.severity, i.code) for i in claimed if i.code == "not-found"] == [
        ("warning", "not-found")
    ]


def test_a_type_of_r4_is_a_profile_too() -> None:
    core = "http://hl7.org/fhir/StructureDefinition/"
    assert errors(patient(), profiles=[core + "Patient"]) == []
    assert errors(patient(), profiles=[core + "Observation"]) == [("structure", "Patient")]


def test_profiles_claimed_inside_a_bundle_are_checked() -> None:
    grade = {
        "resourceType": "Observation",
        "meta": {"profile": [OWN + "mst-grade"]},
        "status": "final",
        "code": {"text": "grade"},
        "subject": {"reference": "Patient/p"},
    }
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": grade}]}
    assert errors(bundle) == [("code-invalid", "Bundle.entry[0].resource.code")]


def test_a_version_of_a_profile_can_be_asked_for() -> None:
    assert errors(patient(), profiles=[OWN + "mst-cancer-patient|0.1.0"]) == []
    assert errors(patient(), profiles=[OWN + "mst-cancer-patient|9"]) == [("not-found", "Patient")]


def test_mode_profile_leaves_claims_out_and_wants_a_profile() -> None:
    resource = patient(meta={"profile": [OWN + "mst-grade"]})
    assert errors(resource, mode="profile", profiles=[OWN + "mst-cancer-patient"]) == []
    assert [i.code for i in check(resource, mode="profile") if i.is_error] == ["required"]


def test_mode_update_needs_an_id_and_create_says_it_is_not_used() -> None:
    nameless = {"resourceType": "Patient"}
    assert errors(nameless, mode="update") == [("required", "Patient.id")]
    assert errors(nameless, mode="create") == []
    assert errors(patient(), mode="create") == []
    assert ("Patient.id",) in [i.expression for i in check(patient(), mode="create")]


def test_mode_delete_looks_at_no_content() -> None:
    assert [i.is_error for i in check(None, mode="delete")] == [False]


def test_an_unknown_mode_is_an_error() -> None:
    assert [i.code for i in check(patient(), mode="patch") if i.is_error] == ["code-invalid"]


def test_definitions_may_be_a_function() -> None:
    issues = validate(patient(), definitions=lambda _: None, profiles=["http://x"], now=NOW)
    assert [i.code for i in issues if i.is_error] == ["not-found"]


def test_a_modifier_extension_that_is_not_known_is_a_warning() -> None:
    resource = {
        "resourceType": "Basic",
        "code": {"text": "c"},
        "modifierExtension": [{"url": "http://example.org/not", "valueBoolean": True}],
    }
    found = [i for i in check(resource) if i.severity == "warning" and i.code != "invariant"]
    assert [(i.code, i.expression) for i in found] == [
        ("extension", ("Basic.modifierExtension[0]",))
    ]


def test_an_expression_that_cannot_be_evaluated_is_no_error() -> None:
    definition = {
        "resourceType": "StructureDefinition",
        "url": "http://example.org/broken",
        "type": "Patient",
        "derivation": "constraint",
        "baseDefinition": "http://hl7.org/fhir/StructureDefinition/Patient",
        "differential": {
            "element": [
                {
                    "id": "Patient",
                    "path": "Patient",
                    "constraint": [
                        {"key": "b-1", "severity": "error", "human": "h", "expression": "1 +"},
                        {"key": "b-2", "severity": "error", "human": "h", "expression": "%none"},
                        {"key": "b-3", "severity": "error", "human": "h", "expression": "fn()"},
                    ],
                }
            ]
        },
    }
    known = Knowledge.of([definition])
    issues = check(patient(), definitions=known, profiles=["http://example.org/broken"])
    told = [i for i in issues if i.code == "not-supported"]
    assert [i.severity for i in told] == ["information"] * 3
    assert all("b-" in i.diagnostics for i in told)


@pytest.mark.parametrize(
    "resource",
    [None, [], "text", 1, {}, {"resourceType": 1}, {"resourceType": "Nothing"}],
    ids=repr,
)
def test_what_is_no_resource_is_an_error(resource: Any) -> None:
    assert any(issue.is_error for issue in check(resource))


def test_nothing_that_is_passed_in_is_changed() -> None:
    resource = patient(contact=[{"gender": "male"}], meta={"profile": [OWN + "mst-cancer-patient"]})
    before = repr(resource)
    check(resource)
    assert repr(resource) == before


HOSTILE: tuple[Any, ...] = (None, True, -1, "#", {}, [], [None], {"coding": 1}, [{"url": [3]}])


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    if not isinstance(value, dict | list):
        return []
    steps = value.items() if isinstance(value, dict) else enumerate(value)
    return [p for step, item in steps for p in ((*path, step), *places(item, (*path, step)))]


@pytest.mark.parametrize("name", ["mst-careplan", "mst-record", "bp"])
def test_no_shape_is_too_odd(name: str) -> None:
    """Whatever stands in the place of an element, an issue tells of it and nothing is raised."""
    cases = decode((Path(__file__).parents[1] / f"profile_cases/{name}.json").read_bytes())
    known = Knowledge.shipped().with_definitions(STANDARD)
    good = cases["cases"][0]["resource"]
    for number, path in enumerate(places(good)):
        resource = copy.deepcopy(good)
        owner = functools.reduce(lambda value, step: value[step], path[:-1], resource)
        owner[path[-1]] = HOSTILE[number % len(HOSTILE)]
        issues = check(resource, definitions=known, profiles=[cases["profile"]])
        if owner[path[-1]] in (None, [], {}):
            assert any(issue.is_error for issue in issues), path


REALLY_INVALID: dict[str, str] = {}
"""Official examples that break R4, each with the invariant that it breaks."""


@needs(EXAMPLES)
def test_official_examples_keep_the_invariants() -> None:
    found = {
        path.stem: f"{issue.diagnostics.partition(':')[0]} {issue.expression[0]}"
        for path in sorted(EXAMPLES.glob("*.json"))
        for issue in check(decode(path.read_bytes()))
        if issue.is_error and issue.code == "invariant"
    }
    assert found == REALLY_INVALID


@needs(EXAMPLES)
def test_the_official_blood_pressure_conforms_to_its_profile() -> None:
    resource = decode((EXAMPLES / "observation-example-bloodpressure.json").read_bytes())
    known = Knowledge.shipped().with_definitions(STANDARD)
    url = "http://hl7.org/fhir/StructureDefinition/bp"
    assert errors(resource, definitions=known, profiles=[url], mode="profile") == []
