"""What stays of a resource when only a part of it is asked for.

https://hl7.org/fhir/R4/search.html#elements
"""

from typing import Any

import pytest

from carepath.web.http.subset import SUBSETTED, subset

TAG = {"system": "urn:tags", "code": "own"}
PLAN: dict[str, Any] = {
    "resourceType": "PlanDefinition",
    "id": "p",
    "meta": {"versionId": "1", "tag": [TAG]},
    "implicitRules": "urn:rules",
    "text": {"status": "generated", "div": "<div/>"},
    "modifierExtension": [{"url": "urn:e", "valueCode": "x"}],
    "url": "urn:plan",
    "title": "A plan",
    "_title": {"id": "t"},
    "status": "draft",
    "usage": "Now and then",
    "action": [{"title": "A"}],
}
ALWAYS = {"resourceType", "id", "meta", "implicitRules", "modifierExtension", "status"}


@pytest.mark.parametrize(
    ("summary", "elements", "names"),
    [
        ("", "usage", ALWAYS | {"usage"}),
        ("", "title,action.title", ALWAYS | {"title", "_title", "action"}),
        ("", "subject", ALWAYS),
        ("text", "", ALWAYS | {"text"}),
        ("data", "", set(PLAN) - {"text"}),
    ],
)
def test_a_part_keeps_what_changes_the_meaning(
    summary: str, elements: str, names: set[str]
) -> None:
    """And says that it is a part, beside the tags that it has."""
    part = subset(PLAN, summary, elements)
    assert set(part) == names
    assert part["meta"] == {"versionId": "1", "tag": [TAG, SUBSETTED]}


@pytest.mark.parametrize("summary", ["", "false", "count"])
def test_the_whole_is_the_resource_itself(summary: str) -> None:
    assert subset(PLAN, summary, "") is PLAN
