"""A step that applies, and of which no request could be made, is told on the page, and why."""

from typing import Any

import pytest
from small import activity, applied, fhirpath, plan, when

from carepath.apply import Applied
from carepath.command.plan_text import care_plan_text

SCAN = {
    "id": "scan",
    "title": "MRI in three months",
    "definitionCanonical": "http://x/ActivityDefinition/scan",
}
HEADING = "Applies, but no request could be made"
CAUSES: dict[str, tuple[dict[str, Any], str]] = {
    "the definition is not there": (
        activity("other"),
        "The canonical `http://x/ActivityDefinition/scan`, wanted by "
        "`http://x/PlanDefinition/plan|1`, was not found.",
    ),
    "the definition makes no request": (
        activity(kind="Observation"),
        "An ActivityDefinition of kind `Observation` is not supported "
        "(in `http://x/ActivityDefinition/scan|1`).",
    ),
    "the request cannot forbid": (
        activity(kind="Appointment", doNotPerform=True),
        "`doNotPerform` of a Appointment, which R4 cannot say, is not supported "
        "(in `http://x/ActivityDefinition/scan|1`).",
    ),
    "the subject is not known": (
        activity(subjectCodeableConcept={"coding": [{"code": "Location"}]}),
        "A ServiceRequest about a Location that the request does not name is not supported "
        "(in `plan/scan`).",
    ),
}


def told(result: Applied) -> list[tuple[str, str]]:
    return [(item.title, item.text) for item in result.sheet.not_made]


@pytest.mark.parametrize("cause", CAUSES)
def test_what_could_not_be_made_is_told(cause: str) -> None:
    definition, why = CAUSES[cause]
    result = applied([plan(SCAN), definition])
    assert told(result) == [("MRI in three months", why)]
    text = care_plan_text(result.care_plan())
    section = text[text.index(HEADING) :]
    assert f"MRI in three months: {why}" in " ".join(section.split())


@pytest.mark.parametrize(
    "action",
    [
        SCAN,
        {"id": "talk", "title": "Talk"},
        {**SCAN, "definitionCanonical": "http://x/none", "condition": when("false")},
        {"id": "form", "definitionUri": "http://x/form"},
        {"id": "group", "action": [SCAN]},
        {**SCAN, "condition": [{"kind": "applicability", "expression": fhirpath("{}")}]},
    ],
    ids=["made", "no definition", "not met", "elsewhere", "group", "undetermined"],
)
def test_nothing_is_told_of_what_was_made_or_does_not_apply(action: dict[str, Any]) -> None:
    result = applied([plan(action), activity()])
    assert (told(result), HEADING in care_plan_text(result.care_plan())) == ([], False)
