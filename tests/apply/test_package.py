"""`$package`: a definition with everything that it depends on, in one Bundle.

https://hl7.org/fhir/uv/crmi/OperationDefinition-crmi-package.html
"""

import copy
from typing import Any

import pytest

from carepath.apply import package
from carepath.errors import CyclicDefinition
from carepath.knowledge import Knowledge
from carepath.validation import check_structure

BASE = "http://example.org"


def definition(resource_type: str, name: str, **elements: Any) -> dict[str, Any]:
    """Return a small definition with url and version."""
    return {
        "resourceType": resource_type,
        "id": name,
        "url": f"{BASE}/{resource_type}/{name}",
        "version": "1.0.0",
        "status": "active",
        **elements,
    }


SCAN = definition("ActivityDefinition", "scan", kind="ServiceRequest", code={"text": "Scan"})
OTHER = definition("ActivityDefinition", "other", kind="ServiceRequest", code={"text": "Other"})
CODES = definition(
    "CodeSystem", "codes", content="complete", concept=[{"code": "x", "display": "X"}]
)
SET = definition(
    "ValueSet", "set", compose={"include": [{"system": CODES["url"], "concept": [{"code": "x"}]}]}
)
LOGIC = definition(
    "Library",
    "logic",
    type={"text": "logic"},
    dataRequirement=[
        {
            "id": "xs",
            "type": "Condition",
            "codeFilter": [{"path": "code", "valueSet": SET["url"]}],
        }
    ],
)
ASK = definition("Questionnaire", "ask", title="Ask")
INNER = definition(
    "PlanDefinition", "inner", action=[{"id": "b", "definitionCanonical": SCAN["url"]}]
)
PLAN = definition(
    "PlanDefinition",
    "plan",
    library=[LOGIC["url"]],
    action=[
        {"id": "a", "definitionCanonical": SCAN["url"]},
        {"id": "n", "definitionCanonical": INNER["url"]},
        {"id": "q", "definitionCanonical": ASK["url"]},
    ],
)
ALL = [OTHER, CODES, SET, LOGIC, ASK, INNER, SCAN, PLAN]


def packed(root: dict[str, Any], known: list[dict[str, Any]]) -> list[str]:
    """Return `Type/id` of what is in the package, in order; the Bundle is checked to be valid."""
    before = copy.deepcopy(root)
    bundle = package(root, Knowledge.of(known))
    assert [i for i in check_structure(bundle) if i.is_error] == []
    assert bundle["type"] == "collection"
    assert root == before
    entries = [entry["resource"] for entry in bundle["entry"]]
    return [f"{r['resourceType']}/{r.get('id', '')}" for r in entries]


def test_the_definition_comes_first_and_each_dependency_once() -> None:
    found = packed(PLAN, ALL)
    assert found[0] == "PlanDefinition/plan"
    assert sorted(found) == sorted(
        [
            "PlanDefinition/plan",
            "PlanDefinition/inner",
            "ActivityDefinition/scan",
            "Library/logic",
            "ValueSet/set",
            "CodeSystem/codes",
            "Questionnaire/ask",
        ]
    )


def test_activity_alone() -> None:
    assert packed(SCAN, ALL) == ["ActivityDefinition/scan"]


def test_pinned_version_is_the_one_that_is_packed() -> None:
    newer = {**SCAN, "version": "2.0.0", "id": "scan-2"}
    plan = {**PLAN, "action": [{"id": "a", "definitionCanonical": f"{SCAN['url']}|1.0.0"}]}
    found = packed(plan, [*ALL, newer, plan])
    assert "ActivityDefinition/scan" in found
    assert "ActivityDefinition/scan-2" not in found


def test_unpinned_version_is_the_newest() -> None:
    newer = {**SCAN, "version": "1.10.0", "id": "scan-10"}
    found = packed(INNER, [*ALL, newer])
    assert found == ["PlanDefinition/inner", "ActivityDefinition/scan-10"]


def test_missing_dependency_does_not_hide_the_rest() -> None:
    found = packed(PLAN, [r for r in ALL if r is not LOGIC])
    assert sorted(found) == sorted(
        [
            "PlanDefinition/plan",
            "PlanDefinition/inner",
            "ActivityDefinition/scan",
            "Questionnaire/ask",
        ]
    )


def test_contained_definitions_are_not_packed_twice() -> None:
    plan = {
        **PLAN,
        "contained": [{**SCAN, "id": "c"}],
        "action": [{"id": "a", "definitionCanonical": "#c"}],
    }
    assert "ActivityDefinition/c" not in packed(plan, [*ALL, plan])


def test_circular_plans_are_packed_or_refused_but_end() -> None:
    """Two plans that name each other: each once, or the error that tells the chain."""
    back = {**INNER, "action": [{"id": "b", "definitionCanonical": PLAN["url"]}]}
    known = [back if r is INNER else r for r in ALL]
    try:
        found = packed(PLAN, known)
    except CyclicDefinition as error:
        assert PLAN["url"] in str(error)
    else:
        assert found.count("PlanDefinition/plan") == found.count("PlanDefinition/inner") == 1


@pytest.mark.parametrize("root", [PLAN, INNER, SCAN], ids=lambda r: str(r["id"]))
def test_same_answer_twice(root: dict[str, Any]) -> None:
    knowledge = Knowledge.of(ALL)
    assert package(root, knowledge) == package(copy.deepcopy(root), Knowledge.of(ALL))
    assert package(root, knowledge) == package(root, knowledge)
