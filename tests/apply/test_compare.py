"""The comparison of the suite must be able to fail: each rule, broken once, is reported."""

import copy
import importlib.util
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
SPEC = importlib.util.spec_from_file_location("apply_suite_compare", HERE / "compare.py")
assert SPEC is not None
assert SPEC.loader is not None
compare = importlib.util.module_from_spec(SPEC)
sys.modules.setdefault(SPEC.name, compare)
SPEC.loader.exec_module(compare)

GROUP: dict[str, Any] = {
    "resourceType": "RequestGroup",
    "id": "group",
    "status": "draft",
    "action": [
        {"id": "x1", "title": "A", "resource": {"reference": "#scan"}},
        {
            "id": "x2",
            "title": "B",
            "resource": {"display": "B"},
            "relatedAction": [{"actionId": "x1", "relationship": "after"}],
        },
    ],
}
SCAN = {"resourceType": "ServiceRequest", "id": "scan", "status": "draft"}
GOAL = {"resourceType": "Goal", "id": "goal", "description": {"text": "Well"}}
CARE_PLAN: dict[str, Any] = {
    "resourceType": "CarePlan",
    "status": "draft",
    "contained": [GROUP, SCAN, GOAL],
    "goal": [{"reference": "#goal"}],
    "activity": [{"reference": {"reference": "#group"}}],
}
BUNDLE: dict[str, Any] = {
    "resourceType": "Bundle",
    "type": "collection",
    "entry": [
        {
            "fullUrl": "urn:uuid:1",
            "resource": {
                **GROUP,
                "action": [
                    {**GROUP["action"][0], "resource": {"reference": "urn:uuid:2"}},
                    GROUP["action"][1],
                ],
            },
        },
        {"fullUrl": "urn:uuid:2", "resource": SCAN},
        {"fullUrl": "urn:uuid:3", "resource": GOAL},
    ],
}
EXPECT: dict[str, Any] = {
    "carePlan": {"status": "draft", "note": None},
    "requestGroup": {
        "status": "draft",
        "action": [
            {"id": "a", "title": "A", "resource": {"resourceType": "ServiceRequest"}},
            {
                "title": "B",
                "resource": {"display": {"$any": True}},
                "relatedAction": [{"actionId": "a", "relationship": "after"}],
            },
        ],
    },
    "goals": [{"description": {"text": "Well"}}],
}


@pytest.mark.parametrize("answer", [CARE_PLAN, BUNDLE], ids=["CarePlan", "Bundle"])
def test_both_shapes_match_one_expectation(answer: dict[str, Any]) -> None:
    before = copy.deepcopy(answer)
    assert compare.answer_differences(EXPECT, answer) == []
    assert answer == before


def at(path: str, value: Any) -> dict[str, Any]:
    """Return the CarePlan with another value at a path such as `contained/0/status`."""
    changed = copy.deepcopy(CARE_PLAN)
    *way, last = path.split("/")
    place: Any = changed
    for step in way:
        place = place[int(step) if isinstance(place, list) else step]
    place[int(last) if isinstance(place, list) else last] = value
    return changed


@pytest.mark.parametrize(
    ("path", "value", "told"),
    [
        ("contained/0/action/0/title", "X", "requestGroup.action[0].title: expected 'A', got 'X'"),
        ("contained/0/action/0/code", [], "requestGroup.action[0].code: not expected here"),
        ("contained/0/action/1/relatedAction/0/actionId", "no", "leads nowhere"),
        ("contained/0/action/1/relatedAction/0/actionId", "x2", "expected 'action[0]'"),
        ("contained/0/action/1/id", "x1", "the action id x1 is used twice"),
        ("contained/0/action/1/action", [], "rqg-1"),
        ("contained/0/action/1/resource", {"reference": "#no"}, "nothing is contained"),
        ("contained/1/resourceType", "Task", "expected 'ServiceRequest', got 'Task'"),
        ("contained/2/description/text", "Ill", "goals[0].description.text"),
        ("contained/2/id", "other", "#other: contained, but nothing refers to it"),
        ("status", "active", "carePlan.status: expected 'draft', got 'active'"),
        ("note", [], "carePlan.note: should be absent"),
        ("activity", [*CARE_PLAN["activity"], {}], "more than the one RequestGroup"),
    ],
)
def test_each_difference_is_told(path: str, value: Any, told: str) -> None:
    found = compare.answer_differences(EXPECT, at(path, value))
    assert any(told in difference for difference in found), found


@pytest.mark.parametrize(
    ("expected", "actual", "is_same"),
    [
        (Decimal("1.50"), Decimal("1.50"), True),
        (Decimal("1.50"), Decimal("1.5"), False),
        (1, True, False),
        ("1", 1, False),
        ([1, 2], [1, 2, 3], False),
        ({"$contains": [1, 3]}, [1, 2, 3], True),
        ({"$contains": [3, 1]}, [1, 2, 3], False),
        ({"$any": True}, None, False),
        ({"$any": True}, 0, True),
        ({"extension": [{"url": "b"}]}, {"extension": [{"url": "a"}, {"url": "b"}]}, True),
        ({"extension": [{"url": "c"}]}, {"extension": [{"url": "a"}]}, False),
    ],
)
def test_patterns(expected: Any, actual: Any, is_same: bool) -> None:
    assert (compare.differences(expected, actual) == []) is is_same
