"""Which sentences the content says, what each rests on, and the page that shows it."""

import copy
from pathlib import Path
from typing import Any

import pytest

from carepath.authoring.lint.sentences import are_in_use, rest_on_statements
from carepath.authoring.sentences import Sentence, sentences_of, sources_by_sentence
from carepath.authoring.statements_page import statements_page
from carepath.knowledge import Knowledge

ROOT = Path(__file__).parents[2]
KNOWLEDGE = Knowledge.shipped()
LABEL = [{"type": "documentation", "label": "S1-06"}]
RATIONALE = "http://hl7.org/fhir/uv/cpg/StructureDefinition/cpg-rationale"
FOR_PATIENTS = "https://carepath.example/fhir/StructureDefinition/patient-text"
SAID = "MRI of the soft tissue mass."


def plan(**action: Any) -> dict[str, Any]:
    url = "https://carepath.example/fhir/PlanDefinition/p"
    return {"resourceType": "PlanDefinition", "url": url, "action": [{"id": "a", **action}]}


def message(expression: str) -> list[dict[str, Any]]:
    return [{"path": "payload.content", "expression": {"expression": expression}}]


def rationale(text: str) -> list[dict[str, Any]]:
    return [{"url": RATIONALE, "valueMarkdown": text}]


ACTIVITY = {"resourceType": "ActivityDefinition", "id": "c", "dynamicValue": message("'It is so.'")}
EDUCATION = [{"coding": [{"code": "education"}]}]
READ: dict[str, tuple[dict[str, Any], list[tuple[str, str]]]] = {
    "sentences are parted": (
        plan(description="One of 2.5 cm. Two? Three."),
        [("One of 2.5 cm.", "description"), ("Two?", "description"), ("Three.", "description")],
    ),
    "a rationale is one": (plan(extension=rationale("So.")), [("So.", "rationale")]),
    "another extension is none": (plan(extension=[{"url": "x", "valueString": "So it is."}]), []),
    "a literal of a message is text": (
        plan(dynamicValue=message("'Size: ' & %size & ' of the tumour\\'s site. '")),
        [("of the tumour's site.", "message")],
    ),
    "a code in an expression is none": (plan(dynamicValue=message("iif(%m = 1, 'urgent')")), []),
    "a question for data claims nothing": (
        plan(
            description="Record the size.",
            condition=[{"expression": {"expression": "%gaps.exists()"}}],
        ),
        [],
    ),
    "an activity tells the team": (ACTIVITY, [("It is so.", "message")]),
    "an activity teaches": ({**ACTIVITY, "topic": EDUCATION}, [("It is so.", "patient text")]),
    "an activity tells the patient what it means": (
        {
            "resourceType": "ActivityDefinition",
            "extension": [
                {"url": "x", "valueString": "Not this one."},
                {"url": FOR_PATIENTS, "valueString": "A scan. It takes pictures."},
            ],
        },
        [("A scan.", "patient text"), ("It takes pictures.", "patient text")],
    ),
    "a plan tells what it holds": (
        {"resourceType": "PlanDefinition", "purpose": "One entry."},
        [("One entry.", "about")],
    ),
    "a goal is described": (
        {"resourceType": "PlanDefinition", "goal": [{"description": {"text": "Keep the limb"}}]},
        [("Keep the limb", "description")],
    ),
    "another type has none": ({"resourceType": "Library", "description": "Some facts."}, []),
}


@pytest.mark.parametrize("what", READ)
def test_sentences_of(what: str) -> None:
    definition, expected = READ[what]
    assert [(s.words, s.text) for s in sentences_of(definition)] == expected


def test_a_sentence_tells_place_and_citations_with_those_below_it() -> None:
    below = {"id": "b", "documentation": [{"label": "S1-05"}]}
    definition = plan(description="So it is.", documentation=LABEL, action=[below])
    assert list(sentences_of(definition)) == [
        Sentence(
            "So it is.",
            "PlanDefinition.action[0].description",
            "description",
            frozenset({"S1-05", "S1-06"}),
        )
    ]


RULE: dict[str, tuple[dict[str, Any], list[str]]] = {
    "cited": (plan(description=SAID, documentation=LABEL), []),
    "not listed": (
        plan(description="MRI cures.", documentation=LABEL),
        ["No statement is given for the sentence `MRI cures.`."],
    ),
    "cited elsewhere": (
        plan(description=SAID),
        [f"The sentence `{SAID}` rests on S1-06, which its element does not cite."],
    ),
    "no claim in a rationale": (
        plan(extension=rationale("No source gives a threshold."), documentation=LABEL),
        [
            "The sentence `No source gives a threshold.` is marked as house, "
            "which cannot stand in a rationale."
        ],
    ),
}


@pytest.mark.parametrize("what", RULE)
def test_a_sentence_rests_on_a_statement_of_its_element(what: str) -> None:
    definition, expected = RULE[what]
    assert [issue.diagnostics for issue in rest_on_statements(definition, KNOWLEDGE)] == expected


ENTRY: dict[str, tuple[list[dict[str, str]], list[str]]] = {
    "neither": ([], [f"The sentence `{SAID}` needs either statements or a kind."]),
    "both": (
        [{"code": "statement", "valueCode": "S1-06"}, {"code": "kind", "valueCode": "house"}],
        [f"The sentence `{SAID}` needs either statements or a kind."],
    ),
    "another kind": (
        [{"code": "kind", "valueCode": "opinion"}],
        ["There is no kind `opinion` of sentence."],
    ),
    "another statement": (
        [{"code": "statement", "valueCode": "S9-99"}],
        ["There is no statement `S9-99`."],
    ),
}


@pytest.mark.parametrize("what", ENTRY)
def test_an_entry_names_statements_or_a_kind(what: str) -> None:
    properties, expected = ENTRY[what]
    system = copy.deepcopy(KNOWLEDGE.definition("CodeSystem", "mst-sentences"))
    next(c for c in system["concept"] if c["code"] == SAID)["property"] = properties
    known = KNOWLEDGE.with_definitions([system])
    assert [issue.diagnostics for issue in are_in_use(system, known)] == expected


def test_no_text_for_patients_and_no_rationale_is_without_statement() -> None:
    listed = sources_by_sentence(KNOWLEDGE)
    claims = [
        listed[sentence.words].statements
        for resource_type in ("PlanDefinition", "ActivityDefinition")
        for definition in KNOWLEDGE.all(resource_type)
        for sentence in sentences_of(definition)
        if sentence.text in ("rationale", "patient text")
    ]
    assert len(claims) > 150
    assert all(claims)


def test_the_page_is_fresh() -> None:
    page = (ROOT / "docs" / "statements.md").read_text("utf-8")
    assert page == statements_page(KNOWLEDGE), "make statements"


def test_the_page_shows_the_lines_of_sources_that_are_given() -> None:
    lines = {source: [f"{source} says {n}" for n in range(1, 131)] for source in ("S0", "S1", "S2")}
    page = statements_page(KNOWLEDGE, lines)
    assert "| S1-55 | 4,126 |" in page
    assert "| S1 says 4<br>S1 says 126 |" in page
    assert "S0 says 110<br>S0 says 111<br>S0 says 112" in page
