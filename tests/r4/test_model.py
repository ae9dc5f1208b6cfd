"""The element tables say what the official definitions say, and load fast."""

import subprocess
import sys

import pytest

from carepath.r4.model import RESOURCE_TYPES, Element, is_subtype, type_names, type_of


def element(owner: str, name: str) -> Element:
    """Return one element, which must exist."""
    found = type_of(owner)
    assert found is not None
    return found.elements[name]


def test_an_element_carries_all_that_its_definition_says() -> None:
    assert element("CarePlan", "status") == Element(
        name="status",
        path="CarePlan.status",
        type="code",
        is_list=False,
        min=1,
        max="1",
        binding="http://hl7.org/fhir/ValueSet/request-status",
        is_summary=True,
        is_modifier=True,
    )


def test_all_146_resource_types_are_there_and_no_abstract_one() -> None:
    assert len(RESOURCE_TYPES) == 146
    assert not {"Resource", "DomainResource"} & RESOURCE_TYPES


@pytest.mark.parametrize(
    ("owner", "name", "type_"),
    [
        ("Patient", "id", "id"),
        ("Bundle", "id", "id"),
        ("HumanName", "id", "string"),
        ("Extension", "url", "uri"),
        ("Observation", "valueQuantity", "Quantity"),
        ("Patient", "contact", "Patient.contact"),
        ("Timing", "repeat", "Timing.repeat"),
        ("Observation.component", "referenceRange", "Observation.referenceRange"),
        ("PlanDefinition.action", "action", "PlanDefinition.action"),
        ("Bundle.entry", "resource", "Resource"),
        ("Patient", "contained", "Resource"),
        ("Narrative", "div", "xhtml"),
    ],
)
def test_types_of_elements(owner: str, name: str, type_: str) -> None:
    assert element(owner, name).type == type_


def test_a_choice_lists_its_typed_elements_in_order() -> None:
    observation = type_of("Observation")
    assert observation is not None
    assert [choice.name for choice in observation.choices["effective"]] == [
        "effectiveDateTime",
        "effectivePeriod",
        "effectiveTiming",
        "effectiveInstant",
    ]
    assert observation.choices["effective"][0].path == "Observation.effective[x]"


def test_inherited_elements_come_first_and_have_paths_of_their_own() -> None:
    patient = type_of("Patient")
    assert patient is not None
    assert list(patient.elements)[:9] == [
        "id",
        "meta",
        "implicitRules",
        "language",
        "text",
        "contained",
        "extension",
        "modifierExtension",
        "identifier",
    ]
    assert patient.elements["contained"].path == "Patient.contained"


def test_targets_are_resource_types_and_empty_for_any() -> None:
    assert element("CarePlan", "subject").targets == ("Patient", "Group")
    assert element("Provenance", "target").targets == ()
    assert "Group" in element("ActivityDefinition", "subjectReference").targets


@pytest.mark.parametrize(
    ("name", "of"),
    [
        ("code", "string"),
        ("code", "Element"),
        ("Age", "Quantity"),
        ("Patient", "DomainResource"),
        ("Bundle", "Resource"),
        ("Patient.contact", "BackboneElement"),
        ("Timing.repeat", "Element"),
        ("Patient", "Patient"),
    ],
)
def test_is_subtype(name: str, of: str) -> None:
    assert is_subtype(name, of)


@pytest.mark.parametrize(
    ("name", "of"),
    [("Bundle", "DomainResource"), ("string", "code"), ("Patient", "Element"), ("Foo", "Element")],
)
def test_is_not_subtype(name: str, of: str) -> None:
    assert not is_subtype(name, of)


def test_every_type_an_element_names_exists() -> None:
    missing = {
        (name, element.name)
        for name in type_names()
        if (found := type_of(name)) is not None
        for element in found.elements.values()
        if type_of(element.type) is None
    }
    assert not missing


def test_an_unknown_type_is_none() -> None:
    assert type_of("Foo") is None
    assert type_of("Patient.foo") is None


def test_loading_all_types_takes_less_than_150_ms() -> None:
    script = (
        "import time, importlib.resources, msgspec\n"
        "start = time.process_time()\n"
        "from carepath.r4.model import type_names, type_of\n"
        "for name in type_names(): type_of(name)\n"
        "print(time.process_time() - start)"
    )
    best = min(
        float(
            subprocess.run([sys.executable, "-c", script], capture_output=True, check=True).stdout
        )
        for _ in range(3)
    )
    assert best < 0.150
