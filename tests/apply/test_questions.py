"""Only what would change the plan is asked for, what opens most comes first, the rest later."""

from typing import Any

import pytest
from small import OWN, applied, fact, fhirpath, library, observation, plan, when

from carepath.apply.compile.formula import Formula
from carepath.apply.compile.names import Fact, Names
from carepath.apply.compile.possible_values import possible_values
from carepath.apply.languages import LANGUAGES

Json = dict[str, Any]

ASK = {
    "resourceType": "ActivityDefinition",
    "id": "ask",
    "url": "http://x/ActivityDefinition/ask",
    "version": "1",
    "status": "draft",
    "kind": "Task",
    "intent": "proposal",
    "dynamicValue": [
        {"path": "input", "expression": fhirpath("%questions")},
        {"path": "description", "expression": fhirpath("%laterQuestions.id.join(' ')")},
    ],
}
QUESTIONS = {
    "id": "ask",
    "condition": when("%gaps.exists()"),
    "definitionCanonical": "http://x/ActivityDefinition/ask",
}


def observed(name: str, *, texts: tuple[str, ...] = ()) -> Json:
    """A fact that is read from an Observation with its name as the code."""
    made = fact(name, f"%observations.where(code.coding.code = '{name}').value")
    described = [
        {
            "url": f"{OWN}/fact-value-text",
            "extension": [
                {"url": "value", "valueString": text},
                {"url": "text", "valueString": f"the {text}"},
            ],
        }
        for text in texts
    ]
    if described:
        made["valueExpression"]["extension"] = described
    return made


FACTS = (
    observed("spread", texts=("0", "1")),
    observed("grade"),
    observed("size"),
    observed("hard"),
    fact("large", "iif(%size > 5, true, iif(%size <= 5, false, {}))", auxiliary=True),
)


def group(id_: str, condition: str, *below: str) -> Json:
    inner = [{"id": f"{id_}-{n}", "condition": when(text)} for n, text in enumerate(below)]
    return {"id": id_, "condition": when(condition), **({"action": inner} if inner else {})}


def task(*actions: Json, data: tuple[Json, ...] = ()) -> Json | None:
    result = applied(
        [plan(*actions, QUESTIONS, library=["http://x/Library/facts"]), LIBRARY, ASK], *data
    )
    found = [r for r in result.care_plan()["contained"] if r["resourceType"] == "Task"]
    return found[0] if found else None


LIBRARY = library(*FACTS)
SPREAD = observation("s", "spread", valueInteger=0)


@pytest.mark.parametrize(
    ("actions", "data", "now", "later"),
    [
        pytest.param([group("a", "%hard")], (), ["hard"], [], id="the only one"),
        pytest.param([group("a", "%hard or %grade = 'high'")], (), ["hard", "grade"], [], id="or"),
        pytest.param([group("a", "%hard and %grade = 'high'")], (), ["hard"], ["grade"], id="and"),
        pytest.param(
            [group("a", "%hard.not() implies %grade = 'high'")],
            (),
            ["hard", "grade"],
            [],
            id="either is enough",
        ),
        pytest.param(
            [group("a", "%size > 3 and %size < 2 and %hard")],
            (),
            ["hard"],
            ["size"],
            id="no value of the first leaves it possible",
        ),
        pytest.param(
            [group("a", "(%grade = 'high' and %size > 5) or %hard")],
            (),
            ["hard"],
            ["grade", "size"],
            id="alone it changes nothing",
        ),
        pytest.param(
            [group("a", "%spread = 0 and %grade = 'high'", "%hard")],
            (SPREAD,),
            ["grade"],
            ["hard"],
            id="what hangs on a group comes after it",
        ),
        pytest.param(
            [group("a", "%spread = 1", "%hard", "%grade = 'high'")],
            (SPREAD,),
            None,
            None,
            id="a closed branch asks for nothing",
        ),
        pytest.param(
            [group("a", "%hard"), group("b", "%spread = 0", "%grade = 'high'")],
            (),
            ["spread", "hard"],
            ["grade"],
            id="what opens most comes first",
        ),
        pytest.param(
            [group("a", "%large or %hard")], (), ["size", "hard"], [], id="behind an auxiliary fact"
        ),
        pytest.param(
            [group("a", "%large and %hard.empty()")],
            (),
            ["size"],
            [],
            id="an absence has an answer",
        ),
    ],
)
def test_what_is_asked_now_and_later(
    actions: list[Json], data: tuple[Json, ...], now: list[str] | None, later: list[str] | None
) -> None:
    made = task(*actions, data=data)
    if now is None or later is None:
        assert made is None
        return
    assert made is not None
    assert [question["id"] for question in made["input"]] == now
    assert made.get("description", "").split() == later


def test_where_only_the_first_applies_a_no_changes_the_plan_as_well() -> None:
    any_of = {
        "url": "http://hl7.org/fhir/StructureDefinition/cqf-applicabilityBehavior",
        "valueCode": "any",
    }
    both = {"id": "n", "condition": when("%size > 3 and %hard")}
    first = {"id": "g", "extension": [any_of], "action": [both, {"id": "otherwise"}]}
    made = task(first)
    assert made is not None
    assert [question["id"] for question in made["input"]] == ["size", "hard"]


def test_a_question_says_what_to_record_and_how() -> None:
    size = fact("size", "%observations.where(code.coding.code = 'size').value")
    size["valueExpression"]["extension"] = [
        {"url": f"{OWN}/fact-label", "valueString": "size in cm"},
        {"url": f"{OWN}/fact-recording", "valueString": "Observation LOINC 21889-1"},
    ]
    described = fact("depth", "%observations.where(code.coding.code = 'depth').value")
    described["valueExpression"]["description"] = "How deep it lies."
    definitions = [
        plan(
            group("a", "%size > 5"),
            group("b", "%depth = 'deep'"),
            QUESTIONS,
            library=["http://x/Library/facts"],
        ),
        library(size, described),
        ASK,
    ]
    found = applied(definitions).care_plan()["contained"]
    assert [r["input"] for r in found if r["resourceType"] == "Task"] == [
        [
            {
                "id": "size",
                "type": {"text": "size in cm"},
                "valueString": "Observation LOINC 21889-1",
            },
            {"id": "depth", "type": {"text": "depth"}, "valueString": "How deep it lies."},
        ]
    ]


def test_the_decisions_still_name_every_missing_fact() -> None:
    definitions = [
        plan(group("a", "%spread = 0 and %grade = 'high'", "%hard"), library=[LIBRARY["url"]]),
        LIBRARY,
    ]
    result = applied(definitions)
    assert {d.id: d.missing for d in result.decisions} == {
        "a": ("spread", "grade"),
        "a-0": ("spread", "grade", "hard"),
    }


@pytest.mark.parametrize(
    ("text", "texts", "expected"),
    [
        ("%x", {}, (True, False)),
        ("%x = false", {}, (False, True)),
        ("%x > 5", {}, (4, 5, 6)),
        ("%x = 'a' or 'b' = %y", {}, ("a",)),
        ("%x in ('a' | 'b')", {}, ("a", "b")),
        ("%x.where($this = 'a').exists()", {}, ("a",)),
        ("%x = 1", {"0": "no", "1": "yes"}, (0, "0", 1, "1")),
        ("%y", {}, (True, False)),
    ],
)
def test_possible_values(text: str, texts: dict[str, str], expected: tuple[Any, ...]) -> None:
    formula = Formula(fhirpath(text), LANGUAGES)
    made = Fact("x", formula, "", False, Names("n"), texts=texts)
    assert possible_values(made, [formula]) == expected
