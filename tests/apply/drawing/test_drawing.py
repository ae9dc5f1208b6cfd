"""The picture of a plan: what is on it, that nothing is cut, and that it is the same each time."""

import re
from typing import Any

import pytest
from lxml import etree

from carepath.apply.drawing import Branch, Marks, Outline, When, branches_of, drawing, outline_of
from carepath.apply.drawing.words import lines_of, width_of
from carepath.knowledge import Knowledge

SVG = "{http://www.w3.org/2000/svg}"
KNOWLEDGE = Knowledge.shipped()
PLANS = KNOWLEDGE.all("PlanDefinition")
OPTION = "http://hl7.org/fhir/StructureDefinition/cqf-applicabilityBehavior"
FACT = "https://carepath.example/fhir/StructureDefinition/fact"


def condition(expression: str, description: str = "") -> dict[str, Any]:
    element = {"language": "text/fhirpath", "expression": expression}
    if description:
        element["description"] = description
    return {"kind": "applicability", "expression": element}


DEFINITIONS: dict[str, dict[str, Any]] = {
    "urn:walk": {"resourceType": "ActivityDefinition", "id": "walk", "kind": "ServiceRequest"},
    "urn:rest": {"resourceType": "PlanDefinition", "id": "rest", "title": "Rest"},
    "urn:facts": {
        "resourceType": "Library",
        "extension": [
            {"url": FACT, "valueExpression": {"name": "old", "description": "Over eighty."}}
        ],
    },
}
PLAN: dict[str, Any] = {
    "resourceType": "PlanDefinition",
    "id": "plan",
    "title": 'A <plan> & "more"',
    "library": ["urn:facts"],
    "action": [
        {
            "id": "walk",
            "title": "Walk",
            "definitionCanonical": "urn:walk",
            "condition": [condition("%adult", "Grown up"), condition("%old.not()")],
            "requiredBehavior": "could",
            "documentation": [{"type": "documentation", "label": "A-1"}],
        },
        {
            "id": "rest",
            "definitionCanonical": "urn:rest",
            "condition": [condition("%tired"), condition("%adult", "Grown up")],
            "selectionBehavior": "exactly-one",
            "action": [{"title": "Sleep"}],
        },
    ],
}
OUTLINE = outline_of(PLAN, DEFINITIONS.get)
NOTHING: dict[str, Any] = {
    "text": "",
    "is_any": False,
    "choice": "",
    "required": "",
    "is_against": False,
    "strength": "",
    "rationale": "",
    "definition": "",
    "makes": "",
    "sources": (),
    "conflicts": (),
    "branches": (),
}


def branch(id: str, title: str, kind: Any, *when: When, **more: Any) -> Branch:
    return Branch(**{**NOTHING, **more}, id=id, title=title, kind=kind, when=when)


def test_an_outline_says_what_is_shared_once() -> None:
    walk = branch(
        "walk",
        "Walk",
        "order",
        When("Not so: Over eighty", "%old.not()"),
        definition="walk",
        makes="ServiceRequest",
        required="could",
        sources=("A-1",),
    )
    sleep = branch("rest-1", "Sleep", "step")
    rest = branch(
        "rest",
        "Rest",
        "plan",
        When("%tired", "%tired"),
        definition="rest",
        choice="exactly-one",
        branches=(sleep,),
    )
    shared = (When("Grown up", "%adult"),)
    assert Outline("plan", 'A <plan> & "more"', "", shared, (walk, rest)) == OUTLINE


def test_a_single_action_and_alternatives_share_nothing() -> None:
    only = {**PLAN, "action": PLAN["action"][:1]}
    assert outline_of(only, DEFINITIONS.get).scope == ()
    any_of = {"url": OPTION, "valueCode": "any"}
    first = {**PLAN["action"][0], "extension": [any_of]}
    made = outline_of({**PLAN, "action": [first, PLAN["action"][1]]}, DEFINITIONS.get)
    assert made.scope == ()
    assert [b.is_any for b in made.branches] == [True, False]


def test_a_plan_without_anything_is_drawn() -> None:
    root = etree.fromstring(drawing(outline_of({}, DEFINITIONS.get)).encode())
    assert root.findtext(f"{SVG}desc") == "No actions."


@pytest.mark.parametrize("form", ["wide", "narrow"])
@pytest.mark.parametrize("plan", PLANS, ids=lambda plan: plan["id"])
def test_every_condition_stands_there_in_full(plan: dict[str, Any], form: Any) -> None:
    outline = outline_of(plan, KNOWLEDGE.find)
    text = drawing(outline, form)
    root = etree.fromstring(text.encode())
    words = "".join("".join(t.text or "" for t in root.iter(f"{SVG}text")).split())
    for _, one in branches_of(outline.branches):
        for said in (one.title, *(when.text for when in one.when)):
            assert "".join(said.split()) in words, said
    assert drawing(outline_of(plan, KNOWLEDGE.find), form) == text
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)|style=|<script", text)


@pytest.mark.parametrize("form", ["wide", "narrow"])
@pytest.mark.parametrize("plan", PLANS, ids=lambda plan: plan["id"])
def test_texts_stay_in_their_boxes_and_boxes_apart(plan: dict[str, Any], form: Any) -> None:
    root = etree.fromstring(drawing(outline_of(plan, KNOWLEDGE.find), form).encode())
    width, height = float(root.get("width", 0)), float(root.get("height", 0))
    boxes = []
    for group in root.iter(f"{SVG}rect"):
        x, y, w, h = (float(group.get(name, 0)) for name in ("x", "y", "width", "height"))
        assert x >= 0 and y >= 0 and x + w <= width and y + h <= height
        for line in group.itersiblings(f"{SVG}text"):
            bold = line.get("font-weight") == "600"
            size = float(line.get("font-size", 0))
            end = float(line.get("x", 0)) + width_of(line.text or "", size, bold=bold)
            assert end <= x + w and y < float(line.get("y", 0)) < y + h, line.text
        boxes.append((x, y, x + w, y + h))
    overlapping = [
        (one, other)
        for index, one in enumerate(boxes)
        for other in boxes[index + 1 :]
        if one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
    ]
    assert overlapping == []


def test_marks_become_classes_words_and_links() -> None:
    marks = Marks({"rest/rest-1": "met"}, {"rest/rest-1": "\N{CHECK MARK} met"}, {"walk": "#w"})
    root = etree.fromstring(drawing(OUTLINE, marks=marks).encode())
    assert root.get("role") == "group"
    met = [g for g in root.iter(f"{SVG}g") if "is-met" in (g.get("class") or "")]
    assert [t.text for t in met[0].iter(f"{SVG}text")] == ["Sleep", "\N{CHECK MARK} met"]
    assert [(a.get("href"), a.get("aria-label")) for a in root.iter(f"{SVG}a")] == [("#w", "Walk")]
    assert etree.fromstring(drawing(OUTLINE).encode()).get("role") == "img"


def test_what_nests_deep_stays_on_the_picture() -> None:
    action: dict[str, Any] = {"title": "The innermost"}
    for _ in range(40):
        action = {"title": "Around", "condition": [condition("true", "So")], "action": [action]}
    root = etree.fromstring(drawing(outline_of({"action": [action]}, DEFINITIONS.get)).encode())
    rects = list(root.iter(f"{SVG}rect"))
    assert len(rects) == 1 + 2 * 40 + 1
    assert all(float(r.get("x", 0)) + float(r.get("width", 0)) <= 880 for r in rects)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "one",
        "a few words that need several lines",
        "x" * 400,
        "\u8a3a\u7642" * 60,
        "e\u0301" * 90,
    ],
)
def test_lines_fit_and_lose_nothing(text: str) -> None:
    lines = lines_of(text, 100, 12)
    assert "".join("".join(lines).split()) == "".join(text.split())
    assert all(width_of(line, 12) <= 100 for line in lines)
