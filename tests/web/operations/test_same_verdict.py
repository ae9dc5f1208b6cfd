"""A definition has one verdict, whether it is loaded or comes with the request.

https://hl7.org/fhir/R4/plandefinition-operation-apply.html
"""

import json
from pathlib import Path
from typing import Any

import pytest

from carepath.errors import InvalidContent
from carepath.knowledge import Knowledge
from carepath.web import Config, create_app

Json = dict[str, Any]

PLAN = {
    "resourceType": "PlanDefinition",
    "id": "odd",
    "url": "https://example.org/fhir/PlanDefinition/odd",
    "version": "1",
    "status": "draft",
    "action": [{"id": "a", "title": "A"}],
}
PATIENT = {"resourceType": "Patient", "id": "p"}

# What is changed in the plan (None takes an element away), and the words of the warning.
READABLE: dict[str, tuple[Json, str]] = {
    "no status": ({"status": None}, "PlanDefinition.status"),
    "a goal without description": (
        {"goal": [{"priority": {"text": "high"}}]},
        "goal[0].description",
    ),
    "an empty narrative": (
        {"text": {"status": "empty", "div": '<div xmlns="http://www.w3.org/1999/xhtml"></div>'}},
        "PlanDefinition.text.div",
    ),
    "a context without value": (
        {"useContext": [{"code": {"system": "urn:x", "code": "venue"}}]},
        "PlanDefinition.useContext[0].value",
    ),
    "comments of an earlier FHIR": ({"fhir_comments": ["x"]}, "PlanDefinition.fhir_comments"),
    "a trigger without type": (
        {"action": [{"id": "a", "title": "A", "trigger": [{"name": "x"}]}]},
        "PlanDefinition.action[0].trigger[0].type",
    ),
    "an action without anything": ({"action": [{"id": "a"}]}, "PlanDefinition.action[0]"),
    "an actionId with a space": (
        {
            "action": [
                {"id": "a b", "title": "A"},
                {
                    "id": "c",
                    "title": "C",
                    "relatedAction": [{"actionId": "a b", "relationship": "after"}],
                },
            ]
        },
        "actionId",
    ),
}
# Each could mean that an action is proposed to those whom it was never meant for.
UNREADABLE: dict[str, tuple[Json, str]] = {
    "a condition without kind": (
        {"action": [{"id": "a", "condition": [{"expression": {"language": "text/fhirpath"}}]}]},
        "PlanDefinition.action[0].condition[0].kind",
    ),
    "an empty condition": (
        {"action": [{"id": "a", "condition": [{}]}]},
        "PlanDefinition.action[0].condition[0]",
    ),
    "a condition of an unknown kind": (
        {"action": [{"id": "a", "condition": [{"kind": "maybe"}]}]},
        "PlanDefinition.action[0].condition[0].kind",
    ),
    "a misspelt condition": (
        {"action": [{"id": "a", "conditon": []}]},
        "PlanDefinition.action[0].conditon",
    ),
    "an extension without a url, in what nobody reads": (
        {"jurisdiction": [{"extension": [{"valueString": "a"}]}]},
        "PlanDefinition.jurisdiction[0].extension[0].url",
    ),
    "an action that is a text": ({"action": ["a"]}, "action[0]"),
    "two forms of a timing": (
        {"action": [{"id": "a", "timingDateTime": "2026", "timingAge": {"value": 1}}]},
        "action[0].timing",
    ),
}


def changed(changes: Json) -> Json:
    made = {**PLAN, **changes}
    return {name: value for name, value in made.items() if value is not None}


def answers(plan: Json) -> list[tuple[int, Json]]:
    """Return what the service says of a plan that is sent, and of the same plan when loaded."""
    data = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": PATIENT}]}
    parts = [
        {"name": "planDefinition", "resource": plan},
        {"name": "data", "resource": data},
    ]
    found = []
    for url, given in (("/fhir/PlanDefinition/$apply", parts),
                       ("/fhir/PlanDefinition/odd/$apply", parts[1:])):  # fmt: skip
        client = create_app(Config(), Knowledge.of([plan])).test_client()
        body = json.dumps({"resourceType": "Parameters", "parameter": given})
        response = client.post(url, data=body, content_type="application/fhir+json")
        found.append((response.status_code, json.loads(response.data)))
    return found


def told(answer: Json) -> list[tuple[str, str]]:
    outcomes = [answer] if "issue" in answer else answer["contained"]
    return [(i["severity"], i["diagnostics"]) for o in outcomes for i in o.get("issue", ())]


@pytest.mark.parametrize("name", READABLE)
def test_what_can_be_read_is_answered_with_a_warning(name: str, tmp_path: Path) -> None:
    changes, words = READABLE[name]
    plan = changed(changes)
    sent, loaded = answers(plan)
    assert (sent[0], loaded[0]) == (200, 200)
    assert told(sent[1]) == told(loaded[1])
    assert [severity for severity, text in told(sent[1]) if words in text] == ["warning"]
    (tmp_path / "plan.json").write_text(json.dumps(plan), "utf-8")
    create_app(Config(content=(str(tmp_path),)))  # the service starts with it


@pytest.mark.parametrize("name", UNREADABLE)
def test_what_cannot_be_read_safely_is_refused(name: str, tmp_path: Path) -> None:
    changes, words = UNREADABLE[name]
    plan = changed(changes)
    sent, loaded = answers(plan)
    assert (sent[0], loaded[0]) == (422, 422)
    for _, answer in (sent, loaded):
        assert [words in text for severity, text in told(answer) if severity == "error"].count(True)
    (tmp_path / "plan.json").write_text(json.dumps(plan), "utf-8")
    with pytest.raises(InvalidContent):
        create_app(Config(content=(str(tmp_path),)))
