"""Search parameters, required codes and invariants say what the definitions say."""

import pytest

from carepath.r4.codes import codes_of, codings_of, name_of, value_sets
from carepath.r4.invariants import Invariant, invariants_at, invariants_of
from carepath.r4.model import RESOURCE_TYPES
from carepath.r4.search import SearchParameter, search_parameters

SEARCH = "http://hl7.org/fhir/SearchParameter/"
VALUE_SET = "http://hl7.org/fhir/ValueSet/"


def test_a_shared_parameter_keeps_only_the_expression_of_its_type() -> None:
    assert search_parameters("Condition")["patient"] == SearchParameter(
        code="patient",
        url=SEARCH + "clinical-patient",
        type="reference",
        expression="Condition.subject.where(resolve() is Patient)",
        targets=("Group", "Patient"),
    )


def test_parameters_of_every_resource_are_inherited() -> None:
    assert search_parameters("Bundle")["_id"].expression == "Resource.id"
    assert "_text" in search_parameters("Patient")
    assert "_text" not in search_parameters("Bundle")
    assert all(len(search_parameters(name)) >= 9 for name in RESOURCE_TYPES)


def test_a_composite_parameter_names_its_components() -> None:
    code_value = search_parameters("Observation")["code-value-quantity"]
    assert code_value.type == "composite"
    assert [part.definition for part in code_value.components] == [
        SEARCH + "clinical-code",
        SEARCH + "Observation-value-quantity",
    ]


def test_a_parameter_that_may_point_anywhere_has_no_targets() -> None:
    depends_on = search_parameters("PlanDefinition")["depends-on"]
    assert depends_on.targets == ()
    assert "relatedArtifact.where(type='depends-on')" in depends_on.expression


def test_an_unknown_type_has_no_parameters() -> None:
    assert dict(search_parameters("Foo")) == {}


def test_required_codes() -> None:
    gender = VALUE_SET + "administrative-gender"
    assert codes_of(gender) == {"male", "female", "other", "unknown"}
    assert name_of(gender) == "AdministrativeGender"


def test_nested_codes_of_a_code_system_are_codes_too() -> None:
    clinical = codings_of(VALUE_SET + "condition-clinical")
    assert clinical is not None
    assert clinical["http://terminology.hl7.org/CodeSystem/condition-clinical"] >= {
        "active",
        "recurrence",
        "remission",
    }


@pytest.mark.parametrize("name", ["mimetypes", "currencies", "ucum-units", "languages"])
def test_codes_that_are_not_enumerated_are_unknown_not_empty(name: str) -> None:
    assert codes_of(VALUE_SET + name) is None
    assert codings_of(VALUE_SET + name) is None
    assert name_of(VALUE_SET + name) == VALUE_SET + name


def test_no_value_set_is_empty() -> None:
    assert len(value_sets()) == 220
    assert all(codes_of(url) for url in value_sets())


def test_invariants_are_listed_once_with_those_of_the_bases() -> None:
    assert [rule.key for rule in invariants_of("Age")] == ["ele-1", "qty-3", "age-1"]
    assert [rule.key for rule in invariants_of("Patient.contact")] == ["ele-1", "pat-1"]
    assert "bdl-1" in {rule.key for rule in invariants_of("Bundle")}
    assert invariants_of("Foo") == ()


def test_an_invariant_of_an_element_stands_at_its_path() -> None:
    assert [rule.key for rule in invariants_at("Organization.telecom")] == ["org-3"]
    assert invariants_at("Patient.contact") == ()
    assert invariants_of("Patient.contact")[-1] == Invariant(
        key="pat-1",
        severity="error",
        human="SHALL at least contain a contact's details or a reference to an organization",
        expression="name.exists() or telecom.exists() or address.exists() or organization.exists()",
    )
