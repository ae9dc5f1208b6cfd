"""What is told of a dynamicValue that gives nothing: where, and which facts are missing.

https://hl7.org/fhir/R4/plandefinition-definitions.html#PlanDefinition.action.dynamicValue
"""

import pytest
from small import GRADE, activity, applied, fact, fhirpath, library, observation, plan

LOW = observation("g", "grade", valueString="low")


def told(text: str, *data: dict[str, object]) -> list[str]:
    value = {"path": "patientInstruction", "expression": fhirpath(text)}
    action = {
        "id": "a",
        "title": "A",
        "definitionCanonical": "http://x/ActivityDefinition/scan",
        "dynamicValue": [value],
    }
    definitions = [
        plan(action, library=["http://x/Library/facts"]),
        library(GRADE, fact("none", "{}")),
        activity(),
    ]
    return [issue.diagnostics for issue in applied(definitions, *data).issues]


@pytest.mark.parametrize(
    ("text", "needs"),
    [
        ("%grade", "; it needs `grade`"),
        ("iif(%grade = 'high', 'x')", "; it needs `grade`"),
        ("iif(%grade = 'high', 'x', %none)", "; it needs `grade`, `none`"),
        ("{}", ""),
    ],
)
def test_a_value_that_gives_nothing_is_told(text: str, needs: str) -> None:
    assert told(text) == [f"`patientInstruction` was not set: `{text}` gives nothing{needs}."]


def test_whose_criterion_is_known_wants_nothing() -> None:
    assert told("iif(%grade = 'high', 'x')", LOW) == []
