"""The structure check finds what is planted, at its exact place, and refuses nothing valid."""

import sys
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carepath.formats import json as json_codec
from carepath.issues import Issue
from carepath.r4.model import RESOURCE_TYPES, type_of
from carepath.validation import check_structure

from ...suites import EXAMPLES, needs

sys.path.insert(0, str(Path(__file__).parents[1]))
from planted import BASES, CASES, planted

REALLY_INVALID = {
    "activitydefinition-servicerequest-example.json": "the narrative has no content (txt-2)",
    "activitydefinition-supplyrequest-example.json": "the narrative has no content (txt-2)",
    "devicemetric-example.json": "`parent` refers to a DeviceDefinition, only Device is allowed",
    "deviceusestatement-example.json": "`reasonReference` refers to a Procedure",
    "eventdefinition-example.json": "the narrative has no content (txt-2)",
    "medicationrequest0301.json": "`dispenseRequest.performer` refers to a Practitioner",
    "observation-example-clinical-gender.json": "`performer` refers to an Encounter",
    "questionnaire-zika-virus-exposure-assessment.json": "the narrative has no content (txt-2)",
}


def expressions(issues: tuple[Issue, ...]) -> list[str]:
    return sorted(expression for issue in issues for expression in issue.expression)


@needs(EXAMPLES)
def test_no_valid_official_example_is_refused() -> None:
    refused = {
        file.name
        for file in sorted(EXAMPLES.glob("*.json"))
        if check_structure(json_codec.decode(file.read_bytes()))
    }
    assert refused == set(REALLY_INVALID)


@pytest.mark.parametrize("name", BASES)
def test_the_resources_to_plant_errors_in_are_valid(name: str) -> None:
    assert check_structure(BASES[name]) == ()


@pytest.mark.parametrize("base", sorted({case["base"] for case in CASES}))
def test_a_planted_error_is_found_at_its_place(base: str) -> None:
    wrong = {
        case["name"]: issues
        for case in CASES
        if case["base"] == base and not is_found(case, issues := check_structure(planted(case)))
    }
    assert wrong == {}


def is_found(case: dict[str, Any], issues: tuple[Issue, ...]) -> bool:
    codes = {issue.code for issue in issues}
    return (
        expressions(issues) == sorted(case["expression"])
        and {issue.severity for issue in issues} == {"error"}
        and case.get("code") in (None, *codes)
        and (case.get("code") is None or len(codes) == 1)
    )


def test_a_sentence_names_place_and_codes_and_not_the_value() -> None:
    issues = check_structure({"resourceType": "Patient", "gender": "SECRET"})
    assert issues == (
        Issue(
            "error",
            "code-invalid",
            "`Patient.gender` is not a code of the required value set AdministrativeGender "
            "(female, male, other, unknown).",
            ("Patient.gender",),
        ),
    )


def test_the_expected_type_is_held() -> None:
    assert expressions(check_structure({"resourceType": "Patient"}, expected_type="Bundle")) == [
        "Patient.resourceType"
    ]
    assert check_structure({"resourceType": "Patient"}, expected_type="Patient") == ()


@pytest.mark.parametrize("value", [None, [], "Patient", 1, True])
def test_what_is_no_object_is_no_resource(value: Any) -> None:
    (issue,) = check_structure(value)
    assert (issue.severity, issue.code, issue.expression) == ("error", "structure", ())


@pytest.mark.parametrize("odd", [{"id": "\ud800"}, {"\ud800": 1}, {1: 2}])
def test_what_json_cannot_carry_is_an_error(odd: dict[Any, Any]) -> None:
    (issue,) = check_structure({"resourceType": "Patient", **odd})
    assert (issue.severity, issue.code, issue.expression) == ("error", "structure", ())


@pytest.mark.parametrize("name", sorted(RESOURCE_TYPES))
def test_each_resource_type_is_known_and_lists_what_it_requires(name: str) -> None:
    found = type_of(name)
    assert found is not None
    required = {f"{name}.{one.choice or one.name}" for one in found.elements.values() if one.min}
    issues = check_structure({"resourceType": name})
    assert set(expressions(issues)) == required
    assert {issue.code for issue in issues} <= {"required"}


def test_the_resource_is_not_changed() -> None:
    resource = planted(CASES[0])
    before = json_codec.encode(resource)
    check_structure(resource)
    assert json_codec.encode(resource) == before


def test_very_deep_nesting_is_no_trouble() -> None:
    extension: dict[str, Any] = {"url": "http://example.org", "valueInteger": "x"}
    for _ in range(500):
        extension = {"url": "http://example.org", "extension": [extension]}
    (issue,) = check_structure({"resourceType": "Patient", "extension": [extension]})
    assert issue.expression[0].count("extension") == 501


def test_a_flood_of_errors_is_cut() -> None:
    issues = check_structure({"resourceType": "Patient", "name": [{"x": 1}] * 3000})
    assert len(issues) == 1000


def test_a_bundle_of_twenty_entries_takes_about_a_millisecond() -> None:
    entry = {"resource": {**BASES["Patient"], "id": "x"}}
    observation = {"resource": BASES["Observation"]}
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [entry, observation] * 10}
    check_structure(bundle, lenient=True)
    times = []
    for _ in range(20):
        start = time.process_time()
        check_structure(bundle, lenient=True)
        times.append(time.process_time() - start)
    assert min(times) < 0.003  # Three times what is measured on one quiet core.


NAMES = st.sampled_from(
    ["resourceType", "id", "name", "given", "_given", "extension", "url", "valueString", "entry",
     "resource", "contained", "subject", "reference", "text", "div", "status", "code", "coding",
     "type", "parameter", "part", "birthDate", "_birthDate", "clinicalStatus", "valueQuantity"]
)  # fmt: skip
LEAVES = (
    st.none() | st.booleans() | st.integers() | st.decimals(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8) | st.sampled_from(["Patient", "Bundle", "Condition", "#a", "Patient/1"])
)  # fmt: skip
JSON = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(NAMES | st.text(max_size=4), inner, max_size=5)
    ),
    max_leaves=25,
)


@settings(max_examples=150, deadline=None)
@given(
    JSON, st.sampled_from(["Patient", "Bundle", "Condition", "Parameters", "Foo"]), st.booleans()
)
def test_any_json_gives_issues_and_never_an_exception(value: Any, name: str, lenient: bool) -> None:
    resource = {"resourceType": name, **value} if isinstance(value, dict) else value
    issues = check_structure(resource, lenient=lenient)
    assert all(issue.diagnostics.endswith(".") for issue in issues)
