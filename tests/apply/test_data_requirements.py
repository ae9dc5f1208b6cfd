"""`$data-requirements`: what applying a definition reads, as a module-definition Library.

https://hl7.org/fhir/uv/crmi/OperationDefinition-crmi-data-requirements.html
"""

import copy
from typing import Any

import pytest

from carepath.apply import data_requirements
from carepath.knowledge import Knowledge
from carepath.validation import check_structure

BASE = "http://example.org"
SNOMED = "http://snomed.info/sct"
FACT = "https://carepath.example/fhir/StructureDefinition/fact"
LOGIC: dict[str, Any] = {
    "resourceType": "Library",
    "id": "logic",
    "url": f"{BASE}/Library/logic",
    "version": "1.0.0",
    "status": "active",
    "type": {
        "coding": [
            {
                "system": "http://terminology.hl7.org/CodeSystem/library-type",
                "code": "logic-library",
            }
        ]
    },
    "extension": [
        {
            "url": FACT,
            "valueExpression": {
                "name": "inPain",
                "language": "text/fhirpath",
                "expression": "%pains.exists()",
            },
        }
    ],
    "dataRequirement": [
        {
            "id": "pains",
            "type": "Condition",
            "codeFilter": [{"path": "code", "valueSet": f"{BASE}/ValueSet/pain"}],
        },
        {"id": "unread", "type": "Procedure"},
    ],
    "parameter": [{"name": "threshold", "use": "in", "type": "decimal"}],
}
PAIN: dict[str, Any] = {
    "resourceType": "ValueSet",
    "id": "pain",
    "url": f"{BASE}/ValueSet/pain",
    "version": "1.0.0",
    "status": "active",
    "compose": {"include": [{"system": SNOMED, "concept": [{"code": "22253000"}]}]},
}
SCAN: dict[str, Any] = {
    "resourceType": "ActivityDefinition",
    "id": "scan",
    "url": f"{BASE}/ActivityDefinition/scan",
    "version": "1.0.0",
    "status": "active",
    "kind": "ServiceRequest",
    "code": {"text": "Scan"},
    "dynamicValue": [
        {
            "path": "patientInstruction",
            "expression": {"language": "text/fhirpath", "expression": "%patient.gender"},
        }
    ],
}
INNER: dict[str, Any] = {
    "resourceType": "PlanDefinition",
    "id": "inner",
    "url": f"{BASE}/PlanDefinition/inner",
    "version": "1.0.0",
    "status": "active",
    "action": [
        {
            "id": "b",
            "input": [
                {
                    "id": "sizes",
                    "type": "Observation",
                    "codeFilter": [
                        {"path": "code", "code": [{"system": SNOMED, "code": "263605001"}]}
                    ],
                }
            ],
            "condition": [
                {
                    "kind": "applicability",
                    "expression": {
                        "language": "text/fhirpath",
                        "expression": "%sizes.value.exists() and %threshold > 5",
                    },
                }
            ],
        }
    ],
}
PLAN: dict[str, Any] = {
    "resourceType": "PlanDefinition",
    "id": "plan",
    "url": f"{BASE}/PlanDefinition/plan",
    "version": "1.0.0",
    "status": "active",
    "library": [f"{BASE}/Library/logic"],
    "action": [
        {
            "id": "a",
            "condition": [
                {
                    "kind": "applicability",
                    "expression": {"language": "text/fhirpath", "expression": "%inPain"},
                }
            ],
            "definitionCanonical": f"{BASE}/ActivityDefinition/scan",
        },
        {"id": "n", "definitionCanonical": f"{BASE}/PlanDefinition/inner"},
    ],
}
KNOWLEDGE = Knowledge.of([PLAN, INNER, SCAN, LOGIC, PAIN])


def requirements(definition: dict[str, Any], knowledge: Knowledge = KNOWLEDGE) -> dict[str, Any]:
    """Return the Library, checked to be valid and to have left the definition alone."""
    before = copy.deepcopy(definition)
    library: dict[str, Any] = data_requirements(definition, knowledge)
    assert [i for i in check_structure(library) if i.is_error] == []
    assert definition == before
    return library


def of_type(library: dict[str, Any], resource_type: str) -> list[dict[str, Any]]:
    return [r for r in library.get("dataRequirement", []) if r["type"] == resource_type]


def test_answer_is_a_module_definition() -> None:
    library = requirements(PLAN)
    assert library["resourceType"] == "Library"
    assert library["type"]["coding"][0]["code"] == "module-definition"
    assert "subjectCodeableConcept" not in library or library["subjectCodeableConcept"]


def test_types_are_those_that_the_expressions_reach() -> None:
    """Facts, conditions, dynamic values, and what nested plans read; nothing that nobody reads."""
    types = {r["type"] for r in requirements(PLAN)["dataRequirement"]}
    assert types == {"Patient", "Condition", "Observation"}


def test_value_set_of_a_library_requirement_is_kept() -> None:
    (condition,) = of_type(requirements(PLAN), "Condition")
    assert condition["codeFilter"][0]["valueSet"].startswith(f"{BASE}/ValueSet/pain")


def test_codes_of_an_input_are_kept() -> None:
    (observation,) = of_type(requirements(PLAN), "Observation")
    (code_filter,) = observation["codeFilter"]
    assert code_filter["code"] == [{"system": SNOMED, "code": "263605001"}]


def test_dependencies_are_named_once_each() -> None:
    """Everything that applying needs, with its version, as `depends-on`."""
    related = requirements(PLAN)["relatedArtifact"]
    depends = [r["resource"] for r in related if r["type"] == "depends-on"]
    assert len(depends) == len(set(depends))
    assert set(depends) >= {
        f"{BASE}/Library/logic|1.0.0",
        f"{BASE}/ActivityDefinition/scan|1.0.0",
        f"{BASE}/PlanDefinition/inner|1.0.0",
        f"{BASE}/ValueSet/pain|1.0.0",
    }


def test_parameters_that_are_read_are_named() -> None:
    names = [p["name"] for p in requirements(PLAN).get("parameter", []) if p["use"] == "in"]
    assert names == ["threshold"]


def test_activity_definition() -> None:
    library = requirements(SCAN)
    assert {r["type"] for r in library["dataRequirement"]} == {"Patient"}


def test_plan_that_reads_nothing() -> None:
    plan = {**PLAN, "action": [{"id": "a", "title": "Talk"}]}
    del plan["library"]
    assert of_type(requirements(plan), "Condition") == []


@pytest.mark.parametrize("broken", ["1 +", "%nobody.exists()", "%patient.frobnicate()"])
def test_broken_expression_does_not_hide_the_rest(broken: str) -> None:
    plan = copy.deepcopy(PLAN)
    plan["action"][1] = copy.deepcopy(INNER["action"][0])
    plan["action"][0]["condition"][0]["expression"]["expression"] = broken
    types = {r["type"] for r in requirements(plan)["dataRequirement"]}
    assert "Observation" in types


def test_same_answer_twice() -> None:
    assert requirements(PLAN) == requirements(copy.deepcopy(PLAN))


def test_a_plan_for_a_group_reads_the_group() -> None:
    subject = {"coding": [{"code": "Group"}]}
    expression = {"language": "text/fhirpath", "expression": "quantity > 3 and %patient.empty()"}
    action = {"id": "a", "condition": [{"kind": "applicability", "expression": expression}]}
    head = {"resourceType": "PlanDefinition", "id": "g", "url": f"{BASE}/PlanDefinition/g"}
    plan = {**head, "status": "active", "subjectCodeableConcept": subject, "action": [action]}
    library = data_requirements(plan, Knowledge.of([plan]))
    read = [(need["type"], need.get("mustSupport")) for need in library["dataRequirement"]]
    assert read == [("Group", ["quantity"])]
    assert library["subjectCodeableConcept"]["coding"][0]["code"] == "Group"
