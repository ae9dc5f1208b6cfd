"""Each rule of the linter catches what it is for, and the shipped content keeps them all."""

import copy
from typing import Any

import pytest

from carepath.authoring.lint import FOR_ALL, FOR_SHIPPED, lint, rules_for
from carepath.knowledge import Knowledge

KNOWLEDGE = Knowledge.shipped()
PLAN = "PlanDefinition", "mst-gist"
ACTIVITY = "ActivityDefinition", "medreq-imatinib"
SENTENCES = "CodeSystem", "mst-sentences"


def test_the_shipped_content_keeps_every_rule() -> None:
    assert [str(finding) for finding in lint(KNOWLEDGE)] == []


def put(definition: dict[str, Any], path: tuple[str | int, ...], value: Any) -> None:
    element: Any = definition
    for step in path[:-1]:
        element = element[step]
    element[path[-1]] = value


CONDITION = ("action", 0, "condition", 0, "expression", "expression")
BROKEN: dict[str, tuple[tuple[str, str], tuple[str | int, ...], Any]] = {
    "is_valid": (PLAN, ("status",), "drfat"),
    "is_valid_for_a_second_library": (PLAN, ("action", 0, "tilte"), "x"),
    "leads_somewhere": (
        PLAN,
        ("action", 0, "definitionCanonical"),
        "https://carepath.example/fhir/ActivityDefinition/no-such",
    ),
    "compiles": (PLAN, CONDITION, "%m = "),
    "reads_what_exists": (PLAN, CONDITION, "%noSuchFact = 1"),
    "compares_no_collection_of_codes": (
        PLAN,
        CONDITION,
        "%subject.maritalStatus.coding.code = 'M'",
    ),
    "has_no_dose": (ACTIVITY, ("description",), "Imatinib 400 mg once a day."),
    "is_named_alike": (PLAN, ("name",), "SomethingElse"),
    "is_a_draft": (PLAN, ("status",), "active"),
    "claims_no_review": (PLAN, ("approvalDate",), "2026-01-01"),
    "is_complete": (PLAN, ("action", 0, "title"), ""),
    "cites_known_statements": (PLAN, ("action", 0, "documentation", 0, "label"), "S9-99"),
    "binds_as_strongly_as_it_rests": (PLAN, ("action", 0, "requiredBehavior"), "could"),
    "are_verified": (
        PLAN,
        ("action", 0, "code"),
        {"coding": [{"system": "http://snomed.info/sct", "code": "420120007"}]},
    ),
    "rest_on_statements": (ACTIVITY, ("description",), "Imatinib works for every sarcoma."),
    "are_in_use": (SENTENCES, ("concept", 0, "code"), "Nothing in the content says this."),
    "proposes_only": (ACTIVITY, ("intent",), "order"),
}


@pytest.mark.parametrize("rule", [rule.__name__ for rule in (*FOR_ALL, *FOR_SHIPPED)])
def test_rule_catches(rule: str) -> None:
    (resource_type, name), path, value = BROKEN[rule]
    broken = copy.deepcopy(KNOWLEDGE.definition(resource_type, name))
    put(broken, path, value)
    by_name = {r.__name__: r for r in rules_for(broken)}
    issues = list(by_name[rule](broken, KNOWLEDGE.with_definitions([broken])))
    assert any(issue.is_error for issue in issues), f"{rule} found nothing"


def test_a_deployment_keeps_its_own_names() -> None:
    own = {
        "resourceType": "PlanDefinition",
        "id": "x",
        "url": "https://hospital.example/x",
        "name": "Y",
    }
    assert rules_for(own) == FOR_ALL
