"""Invariants of R4 and of profiles: on which resource they are asked, and what they mean."""

from datetime import UTC, datetime
from typing import Any

import pytest

from carepath.knowledge import Knowledge
from carepath.validation import validate

Json = dict[str, Any]
NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)
URL = "http://example.org/StructureDefinition/"


def profile(name: str, expression: str, severity: str) -> Json:
    constraint = {"key": "x-1", "severity": severity, "human": "h", "expression": expression}
    return {
        "resourceType": "StructureDefinition",
        "url": URL + name,
        "type": "Patient",
        "derivation": "constraint",
        "baseDefinition": "http://hl7.org/fhir/StructureDefinition/Patient",
        "differential": {
            "element": [{"id": "Patient", "path": "Patient", "constraint": [constraint]}]
        },
    }


KNOWN = Knowledge.of(
    [
        profile("resource", "%resource.id = 'inside'", "error"),
        profile("root", "%rootResource.id = 'outside'", "error"),
        profile("context", "%context.id = 'inside'", "error"),
        profile("false", "id = 'other'", "error"),
        profile("warning", "id = 'other'", "warning"),
        profile("empty", "birthDate > @1900-01-01", "error"),
        profile("several", "name.text", "error"),
    ]
)


def broken(resource: Json) -> list[tuple[str, str]]:
    issues = validate(resource, definitions=KNOWN, now=NOW)
    found = [i for i in issues if i.code == "invariant" and not i.diagnostics.startswith("dom-6")]
    return [(i.severity, i.diagnostics.partition(":")[0]) for i in found]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("resource", []),
        ("root", []),
        ("context", []),
        ("false", [("error", "x-1")]),
        ("warning", [("warning", "x-1")]),
        ("empty", []),
        ("several", []),
    ],
)
def test_an_invariant_of_what_is_contained(name: str, expected: list[tuple[str, str]]) -> None:
    """What comes out empty, or as no truth value, decides nothing."""
    patient = {
        "resourceType": "Patient",
        "id": "inside",
        "meta": {"profile": [URL + name]},
        "name": [{"text": "a"}, {"text": "b"}],
    }
    observation = {
        "resourceType": "Observation",
        "id": "outside",
        "contained": [patient],
        "status": "final",
        "code": {"text": "c"},
        "subject": {"reference": "#inside"},
    }
    assert broken(observation) == expected


@pytest.mark.parametrize(
    ("answer", "expected"),
    [({"answerBoolean": True}, []), ({"answerString": "yes"}, [("error", "que-7")])],
)
def test_a_question_that_is_asked_when_another_has_an_answer(
    answer: Json, expected: list[tuple[str, str]]
) -> None:
    """As published, que-7 asks for a type that no answer can have."""
    when = {"question": "1", "operator": "exists", **answer}
    items = [
        {"linkId": "1", "type": "string", "text": "a"},
        {"linkId": "2", "type": "string", "text": "b", "enableWhen": [when]},
    ]
    resource = {"resourceType": "Questionnaire", "name": "Q", "status": "draft", "item": items}
    assert broken(resource) == expected


PHONE = {"system": "phone", "value": "1"}
EMPTY = {"extension": [{"url": "urn:x"}]}
FULL = {"extension": [{"url": "urn:x", "valueCode": "y"}]}


@pytest.mark.parametrize(
    ("resource", "expected"),
    [
        ({"resourceType": "Organization", "name": "O", "telecom": [PHONE]}, []),
        (
            {"resourceType": "Organization", "name": "O", "telecom": [{**PHONE, "use": "home"}]},
            [("error", "org-3")],
        ),
        ({"resourceType": "Patient", "_birthDate": EMPTY}, [("error", "ext-1")]),
        (
            {"resourceType": "Patient", "name": [{"_given": [EMPTY]}]},
            [("error", "ext-1")],
        ),
        ({"resourceType": "Patient", "name": [{"_given": [FULL]}]}, []),
    ],
    ids=["fine", "of the element", "beside nothing", "beside nothing in a list", "fine there"],
)
def test_an_invariant_of_an_element(resource: Json, expected: list[tuple[str, str]]) -> None:
    """Of its own definition, and of what stands beside a value that is missing."""
    assert broken(resource) == expected
