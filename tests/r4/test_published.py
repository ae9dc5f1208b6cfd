"""What R4 publishes beside its types is found by canonical, and nothing else is."""

import pytest

from carepath.r4.published import published, published_type

CORE = "http://hl7.org/fhir"


@pytest.mark.parametrize(
    ("resource_type", "canonical", "name"),
    [
        ("StructureDefinition", f"{CORE}/StructureDefinition/bp", "observation-bp"),
        ("StructureDefinition", f"{CORE}/StructureDefinition/bp|4.0.1", "observation-bp"),
        ("StructureDefinition", f"{CORE}/StructureDefinition/patient-birthPlace", "birthPlace"),
        ("CodeSystem", f"{CORE}/administrative-gender", "AdministrativeGender"),
        ("CodeSystem", "http://terminology.hl7.org/CodeSystem/v3-ActCode", "v3.ActCode"),
        ("CodeSystem", "http://terminology.hl7.org/CodeSystem/v3-ActCode|2018-08-12", "v3.ActCode"),
        ("ValueSet", f"{CORE}/ValueSet/ucum-vitals-common", "VitalSignsUnits"),
    ],
)
def test_a_definition_is_found(resource_type: str, canonical: str, name: str) -> None:
    found = published(resource_type, canonical)
    assert found is not None
    assert (found["resourceType"], found["name"]) == (resource_type, name)
    assert published_type(canonical.partition("|")[0]) == resource_type


@pytest.mark.parametrize(
    ("resource_type", "canonical"),
    [
        ("ValueSet", f"{CORE}/StructureDefinition/bp"),
        ("StructureDefinition", f"{CORE}/StructureDefinition/bp|5.0.0"),
        ("StructureDefinition", f"{CORE}/StructureDefinition/Patient"),  # a type, not a profile
        ("CodeSystem", "http://snomed.info/sct"),
        ("CodeSystem", "http://dicom.nema.org/resources/ontology/DCM"),
        ("CodeSystem", ""),
        ("Patient", f"{CORE}/StructureDefinition/bp"),
    ],
)
def test_what_r4_does_not_publish_is_not_found(resource_type: str, canonical: str) -> None:
    assert published(resource_type, canonical) is None


def test_displays_of_other_owners_are_left_out() -> None:
    found = published("ValueSet", f"{CORE}/ValueSet/animal-breeds")
    assert found is not None
    concepts = found["compose"]["include"][0]["concept"]
    assert concepts
    assert {name for concept in concepts for name in concept} == {"code"}
