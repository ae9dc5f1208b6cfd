"""Mistakes made on purpose: which there are, and which case notices one."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from carepath.authoring.cases import case_files, read_case
from carepath.authoring.mutate import KINDS, Hunt, Mutant, mutants_of, witness_of
from carepath.authoring.mutate.equivalent import equivalents_in
from carepath.authoring.mutate.mutants import EMPTIED_AUXILIARY, NEGATED
from carepath.errors import InvalidContent
from carepath.knowledge import Knowledge

DESMOID = Path(__file__).parent / "desmoid"
FACT = "https://carepath.example/fhir/StructureDefinition/fact"
AUXILIARY = "https://carepath.example/fhir/StructureDefinition/auxiliary-fact"


def condition(text: str, **elements: Any) -> dict[str, Any]:
    expression = {"language": "text/fhirpath", "expression": text}
    return {"kind": "applicability", "expression": expression, **elements}


def fact(name: str, text: str, *marks: dict[str, Any]) -> dict[str, Any]:
    value = {"name": name, "language": "text/fhirpath", "expression": text}
    return {"url": FACT, "valueExpression": {**value, **({"extension": marks} if marks else {})}}


PLAN = {
    "resourceType": "PlanDefinition",
    "id": "plan",
    "url": "https://example.org/fhir/PlanDefinition/plan",
    "version": "1",
    "action": [
        {
            "id": "one",
            "condition": [
                condition("%a and %b < 3 // or = 'x'"),
                condition("%a", kind="start"),
                condition("%c", expression={"language": "text/cql", "expression": "a = 1"}),
                {"kind": "applicability"},
            ],
            "action": [{"condition": [condition("`a=b` = '\\'=' or today().and(1)")]}],
        }
    ],
}
LIBRARY = {
    "resourceType": "Library",
    "id": "facts",
    "extension": [
        fact("plain", "%patient.gender != 'male'"),
        fact("helper", "1", {"url": AUXILIARY, "valueBoolean": True}),
        {"url": FACT},
        {"url": "https://example.org/other", "valueString": "a = b"},
    ],
}


def test_each_operator_is_changed_once_and_nothing_in_strings_names_and_comments() -> None:
    assert [(str(m), m.text, m.place) for m in mutants_of([PLAN])] == [
        (
            "plan|1: one negated: (%a and %b < 3 // or = 'x').not()",
            "(%a and %b < 3 // or = 'x').not()",
            ("action", 0, "condition", 0, "expression", "expression"),
        ),
        (
            "plan|1: one comparison: 1. %a and %b [>=] 3 // or = 'x'",
            "%a and %b >= 3 // or = 'x'",
            ("action", 0, "condition", 0, "expression", "expression"),
        ),
        (
            "plan|1: one connective: 1. %a [or] %b < 3 // or = 'x'",
            "%a or %b < 3 // or = 'x'",
            ("action", 0, "condition", 0, "expression", "expression"),
        ),
        (
            "plan|1: 0 negated: (`a=b` = '\\'=' or today().and(1)).not()",
            "(`a=b` = '\\'=' or today().and(1)).not()",
            ("action", 0, "action", 0, "condition", 0, "expression", "expression"),
        ),
        (
            "plan|1: 0 comparison: 1. `a=b` [!=] '\\'=' or today().and(1)",
            "`a=b` != '\\'=' or today().and(1)",
            ("action", 0, "action", 0, "condition", 0, "expression", "expression"),
        ),
        (
            "plan|1: 0 connective: 1. `a=b` = '\\'=' [and] today().and(1)",
            "`a=b` = '\\'=' and today().and(1)",
            ("action", 0, "action", 0, "condition", 0, "expression", "expression"),
        ),
    ]


def test_facts_are_turned_round_and_emptied() -> None:
    assert [str(mutant) for mutant in mutants_of([LIBRARY])] == [
        "facts: fact plain: 1. %patient.gender [=] 'male'",
        "facts: fact plain emptied: {}",
        "facts: fact helper emptied: {}",
    ]


@pytest.mark.parametrize(
    ("kind", "subjects"), [(NEGATED, ["one", "0"]), (EMPTIED_AUXILIARY, ["helper"])]
)
def test_only_the_kinds_that_are_asked_for(kind: str, subjects: list[str]) -> None:
    found = mutants_of([PLAN, LIBRARY], frozenset({kind}))
    assert [mutant.subject for mutant in found] == subjects
    assert kind in KINDS


def test_what_nobody_can_name_and_what_is_no_plan_has_none() -> None:
    nameless = {k: v for k, v in PLAN.items() if k not in ("id", "url")}
    activity = {"resourceType": "ActivityDefinition", "id": "a", "action": PLAN["action"]}
    assert list(mutants_of([nameless, activity])) == []


def hunt_in(folder: Path) -> tuple[Hunt, list[Mutant]]:
    knowledge = Knowledge.of(()).with_folder(folder)
    cases = [read_case(path) for path in case_files(folder)]
    hunt = Hunt((witness_of(case, knowledge) for case in cases), knowledge)
    plans, libraries = knowledge.all("PlanDefinition"), knowledge.all("Library")
    return hunt, list(mutants_of((*plans, *libraries)))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(DESMOID, tmp_path / "desmoid"))


def change(file: Path, before: str, after: str) -> None:
    text = file.read_text("utf-8")
    assert before in text
    file.write_text(text.replace(before, after), "utf-8")


def test_a_mutant_survives_where_no_case_notices_it(folder: Path) -> None:
    hunt, mutants = hunt_in(folder)
    survivors = [str(mutant) for mutant in mutants if hunt.survives(mutant)]
    assert (len(mutants), survivors) == (11, ["desmoid-facts|0.1.0: fact sizeCm emptied: {}"])
    assert hunt.broken == []


def test_without_a_case_of_growth_its_condition_may_be_wrong(folder: Path) -> None:
    (folder / "cases/desmoid-watch/symptoms-not-recorded.json").unlink()
    hunt, mutants = hunt_in(folder)
    team = [str(m) for m in mutants if m.subject == "team" and hunt.survives(m)]
    case = folder / "cases/desmoid-watch/watched.json"
    change(case, '"undetermined": {}', '"undetermined": {}, "decisions": {"team": "not-met"}')
    hunt, mutants = hunt_in(folder)
    assert len(team) > len([m for m in mutants if m.subject == "team" and hunt.survives(m)])


def test_an_action_without_an_id_is_found(folder: Path) -> None:
    plan = folder / "content/plan-definition.json"
    hunt, mutants = hunt_in(folder)
    change(plan, '"id": "mri"', '"prefix": "mri"')
    change(
        folder / "cases/desmoid-watch/symptoms-not-recorded.json",
        '"undetermined": {\n      "desmoid-watch/mri": [\n        "symptoms"\n      ]\n    },',
        '"undetermined": {\n      "desmoid-watch/action-1": [\n        "symptoms"\n      ]\n    },',
    )
    hunt, mutants = hunt_in(folder)
    unnamed = [mutant for mutant in mutants if mutant.subject == "0"]
    wrong = [sentence for witness in hunt.broken for sentence in witness.wrong]
    assert (len(unnamed), wrong) == (3, [])
    assert [mutant for mutant in unnamed if hunt.survives(mutant)] == []


def test_a_case_that_does_not_hold_is_told(folder: Path) -> None:
    change(folder / "cases/desmoid-watch/watched.json", '"mri-in-three-months"', '"other"')
    hunt, _ = hunt_in(folder)
    assert [(witness.name, witness.wrong) for witness in hunt.broken] == [
        (
            "desmoid-watch/watched",
            (
                "`other` should be proposed and is not",
                "`mri-in-three-months` is proposed and should not be",
            ),
        )
    ]


def test_a_list_of_equivalents_says_why() -> None:
    entry = {"mutant": "a", "reason": "b"}
    assert equivalents_in([entry], "list.json") == {"a"}
    for content, sentence in (
        ({}, "`list.json` is broken at `file`: it must hold a list of "),
        ([1], "`list.json` is broken at `[0].mutant`: it must be a text."),
        ([entry, {"mutant": "a"}], "`list.json` is broken at `[1].reason`: it must be a text."),
        ([{**entry, "reason": " "}], "`list.json` is broken at `[0].reason`: it must be a text."),
    ):
        with pytest.raises(InvalidContent) as caught:
            equivalents_in(json.loads(json.dumps(content)), "list.json")
        assert str(caught.value).startswith(sentence)
