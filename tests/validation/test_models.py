"""fhir.resources as a second opinion, with its own faults turned into issues."""

import sys
from pathlib import Path
from typing import Any

import pytest

from carepath.errors import InvalidResource
from carepath.formats import json as json_codec
from carepath.validation import as_model, check_structure, model_problems

from ..suites import EXAMPLES, needs

sys.path.insert(0, str(Path(__file__).parent))
from planted import BASES, CASES, planted

LARGEST = 40_000
ODD_PATIENT = {"resourceType": "Patient", "foo": 1}


@pytest.mark.parametrize("base", BASES)
def test_a_valid_resource_becomes_an_object(base: str) -> None:
    model = as_model(BASES[base])
    assert type(model).__name__ == BASES[base]["resourceType"]
    assert model_problems(BASES[base]) == ()


def test_elements_of_an_object_are_typed() -> None:
    assert as_model(BASES["Patient"]).birthDate.isoformat() == "1970-03-30"


@pytest.mark.parametrize("base", sorted({case["base"] for case in CASES}))
def test_whatever_is_planted_gives_issues_and_no_other_exception(base: str) -> None:
    for case in CASES:
        resource = planted(case)
        if case["base"] == base and any(issue.is_error for issue in model_problems(resource)):
            with pytest.raises(InvalidResource):
                as_model(resource)
            assert check_structure(resource), case["name"]


@pytest.mark.parametrize(
    ("resource", "expression"),
    [
        ({"resourceType": "Patient", "name": [{"given": [1]}]}, "Patient.name[0].given[0]"),
        ({"resourceType": "Patient", "maritalStatus": [{}]}, "Patient.maritalStatus"),
        (ODD_PATIENT, "Patient.foo"),
        (
            {"resourceType": "Bundle", "type": "batch", "entry": [{"resource": ODD_PATIENT}]},
            "Bundle.entry[0].resource.foo",
        ),
    ],
)
def test_a_problem_has_the_place_of_the_element(resource: dict[str, Any], expression: str) -> None:
    assert model_problems(resource)[0].expression == (expression,)


@pytest.mark.parametrize("name", ["MedicinalProduct", "SubstanceSpecification", "Evidence"])
def test_a_type_that_r4b_lacks_is_information(name: str) -> None:
    (issue,) = model_problems({"resourceType": name})
    assert (issue.severity, issue.code) == ("information", "not-supported")


def test_a_contained_type_that_r4b_lacks_is_information() -> None:
    contained = [{"resourceType": "MedicinalProduct"}]
    basic = {"resourceType": "Basic", "code": {"text": "x"}, "contained": contained}
    (issue,) = model_problems(basic)
    assert (issue.severity, issue.code) == ("information", "not-supported")


@pytest.mark.parametrize("resource", [{}, {"resourceType": "Foo"}, {"resourceType": 1}])
def test_an_unknown_type_is_an_error(resource: dict[str, Any]) -> None:
    (issue,) = model_problems(resource)
    assert (issue.severity, issue.code) == ("error", "structure")


def test_a_nesting_too_deep_for_the_library_is_an_error() -> None:
    extension: dict[str, Any] = {"url": "http://example.org"}
    for _ in range(2000):
        extension = {"url": "http://example.org", "extension": [extension]}
    (issue,) = model_problems({"resourceType": "Patient", "extension": [extension]})
    assert issue.is_error


@needs(EXAMPLES)
def test_the_library_has_nothing_against_official_examples() -> None:
    files = [file for file in sorted(EXAMPLES.glob("*.json")) if file.stat().st_size < LARGEST]
    refused = {
        file.name: [issue.diagnostics for issue in problems]
        for file in files[::4]
        if any(problems := model_problems(json_codec.decode(file.read_bytes())))
        and any(issue.is_error for issue in problems)
    }
    assert refused == {}
