"""Each rule of the linter catches what it is for, and the shipped content keeps them all."""

import copy
from pathlib import Path
from typing import Any

import pytest

from carepath.authoring.lint import RULES, Rule, lint, rules_as_table
from carepath.authoring.lint.unknowns import keeps_unknown_apart_from_no
from carepath.knowledge import Knowledge

ROOT = Path(__file__).parents[2]
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
    "has_a_url_and_version": (PLAN, ("version",), ""),
    "has_an_id_of_its_own": (PLAN, ("id",), "mst-localised"),
    "asks_for_value_sets_there_are": (PLAN, CONDITION, "code.memberOf('https://x.example/vs')"),
    "relates_to_its_own_parts": (PLAN, ("action", 0, "goalId"), ["no-such-goal"]),
    "names_nothing_twice": (PLAN, ("action", 1, "id"), "stains"),
    "rests_on_no_circle": (
        PLAN,
        ("action", 0, "definitionCanonical"),
        "https://carepath.example/fhir/PlanDefinition/mst-gist",
    ),
    "is_in_a_known_language": (PLAN, (*CONDITION[:-1], "language"), "text/cql"),
    "calls_what_exists": (PLAN, CONDITION, "%resectable.anyTru()"),
    "fits_its_types": (PLAN, CONDITION, "%subject.gander = 'female'"),
    "is_yes_or_no": (PLAN, CONDITION, "%subject.birthDate"),
    "keeps_unknown_apart_from_no": (PLAN, CONDITION, "%m.exists() and %m = 1"),
    "compares_with_values_there_are": (PLAN, CONDITION, "%type = 'gits'"),
    "sets_what_there_is": (
        ACTIVITY,
        ("dynamicValue",),
        [{"path": "grup", "expression": {"language": "text/fhirpath", "expression": "'x'"}}],
    ),
    "sets_what_fits": (
        ACTIVITY,
        ("dynamicValue",),
        [{"path": "priority", "expression": {"language": "text/fhirpath", "expression": "'soon'"}}],
    ),
    "cites_what_there_is": (
        PLAN,
        ("relatedArtifact",),
        [{"type": "derived-from", "resource": "https://carepath.example/fhir/Library/no-such"}],
    ),
    "is_understood": (PLAN, ("modifierExtension",), [{"url": "https://example.org/negated"}]),
    "is_named_alike": (PLAN, ("name",), "SomethingElse"),
    "is_a_draft": (PLAN, ("status",), "active"),
    "claims_no_review": (PLAN, ("approvalDate",), "2026-01-01"),
    "is_complete": (PLAN, ("action", 0, "title"), ""),
    "says_when_in_words": (PLAN, (*CONDITION[:-1], "description"), " "),
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


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_rule_catches(rule: Rule) -> None:
    (resource_type, name), path, value = BROKEN[rule.__name__]
    broken = copy.deepcopy(KNOWLEDGE.definition(resource_type, name))
    put(broken, path, value)
    assert list(rule(broken, KNOWLEDGE.with_definitions([broken]))) != []


@pytest.mark.parametrize(
    "condition",
    [
        "%biopsy.empty()",
        "%m.exists()",
        "%heldProcedures.exists() and %heldProcedures.where(status = 'completed').exists()",
        "%noMetastasis.exists() and %noMetastasis = 'x'",
        "%mdtDecision.where($this = 'amputate').exists() and %m = 0",
        "%treatmentCompleted.anyTrue().not()",
    ],
)
def test_what_may_be_asked_of_the_record_is_let_pass(condition: str) -> None:
    plan = copy.deepcopy(KNOWLEDGE.definition(*PLAN))
    put(plan, CONDITION, condition)
    knowledge = KNOWLEDGE.with_definitions([plan])
    assert list(keeps_unknown_apart_from_no(plan, knowledge)) == []


def test_the_page_for_authors_lists_every_rule() -> None:
    page = (ROOT / "docs" / "authoring.md").read_text("utf-8")
    assert rules_as_table() in page
