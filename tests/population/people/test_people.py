"""Synthetic patients: the same for the same seed, likely, at all places of a pathway."""

import json
from collections import Counter
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from carepath.apply import ApplyRequest, apply_plan
from carepath.errors import InvalidContent
from carepath.formats.json import encode
from carepath.knowledge import Knowledge
from carepath.population.decisions import rows
from carepath.population.people.description import NAME, people_of, read_people, shipped_people
from carepath.population.people.making import Person, Wish, as_likely, in_pairs
from carepath.population.people.senders import HABITS, Habit
from carepath.record import Record
from carepath.resources import identity
from carepath.validation import check_structure

PEOPLE = people_of(None)
KNOWLEDGE = Knowledge.shipped()
CLEAN = Wish(seed=1, resources=20, sloppy=0)


@cache
def _clean(count: int) -> tuple[Person, ...]:
    return tuple(as_likely(PEOPLE, number, CLEAN) for number in range(count))


def test_a_seed_and_a_number_name_a_patient() -> None:
    twice = [encode(as_likely(PEOPLE, 5, Wish(seed=2, resources=30)).given) for _ in range(2)]
    assert twice[0] == twice[1]
    assert encode(as_likely(PEOPLE, 5, Wish(seed=3, resources=30)).given) != twice[0]


def test_no_two_patients_share_a_resource() -> None:
    names = [identity(r) for one in _clean(50) for r in one.given]
    assert len(set(names)) == len(names)


def test_references_lead_to_the_patients_own_resources() -> None:
    for one in _clean(50):
        own = {identity(resource) for resource in one.given}
        for resource in one.given[1:]:
            subject = resource.get("subject") or resource.get("for") or resource.get("patient")
            assert subject["reference"] in own


def test_there_are_as_many_resources_as_asked_for() -> None:
    assert min(len(one.given) for one in _clean(50)) == 20
    few = as_likely(PEOPLE, 0, Wish(sloppy=0))
    assert len(few.given) < 20


def test_clean_senders_send_valid_resources() -> None:
    found = [issue for one in _clean(60) for r in one.given for issue in check_structure(r)]
    assert [issue for issue in found if issue.is_error] == []


def test_patients_are_at_all_places_of_the_pathway() -> None:
    plan, now = KNOWLEDGE.all("PlanDefinition"), datetime.fromisoformat(PEOPLE.now)
    (named,) = shipped_people()
    pathway = next(p for p in plan if p["id"] == named)
    phases: Counter[object] = Counter()
    for one in _clean(150):
        request = ApplyRequest(pathway, Record.of(one.given), now)
        phases.update({row["phase"] for row in rows("x", apply_plan(request, KNOWLEDGE))})
    phases.pop("", None)
    assert len(phases) == 6


def test_levels_of_likely_patients_fit_each_other() -> None:
    people = [as_likely(PEOPLE, number, CLEAN).levels for number in range(2000)]
    assert [one for one in people if one["site"] == "uterus" and one["gender"] == "male"] == []
    assert [one for one in people if one["state"] == "suspicion" and one["biopsy"] != "none"] == []


def test_every_level_comes_up_but_those_that_are_for_tests_only() -> None:
    seen = {
        pair for number in range(4000) for pair in as_likely(PEOPLE, number, CLEAN).levels.items()
    }
    wanted = {(f.name, level) for f in PEOPLE.factors for level in f.levels if f.name != "sources"}
    assert wanted - seen == set()


def test_patients_in_pairs_have_neither_state_nor_likely_levels() -> None:
    levels = [in_pairs(PEOPLE, number).levels for number in range(300)]
    assert all("state" not in one for one in levels)
    assert {one["birth"] for one in levels} == {"1966-03-12", "2017-03-12", "not recorded"}


def test_careless_senders_never_change_who_the_patient_is() -> None:
    for number in range(100):
        clean, sloppy = (as_likely(PEOPLE, number, Wish(1, 20, s)).given for s in (0, 1))
        assert clean[0] == sloppy[0]
        assert {identity(r) for r in clean} == {identity(r) for r in sloppy}


@pytest.mark.parametrize("habit", HABITS, ids=lambda habit: habit.__name__.strip("_"))
def test_each_habit_changes_a_copy(habit: Habit) -> None:
    resources = [r for one in _clean(20) for r in one.given[1:]]
    before = encode(resources)
    assert [habit(r) for r in resources] != resources
    assert encode(resources) == before


def test_a_record_of_a_careless_sender_is_answered() -> None:
    now = datetime.fromisoformat(PEOPLE.now)
    (named,) = shipped_people()
    for number in range(40):
        given = as_likely(PEOPLE, number, Wish(4, 20, 1)).given
        applied = apply_plan(ApplyRequest(KNOWLEDGE.plan(named), Record.of(given), now), KNOWLEDGE)
        assert applied.care_plan()["resourceType"] == "CarePlan"


MINIMAL = {
    "about": "",
    "now": "2026-01-01T00:00:00Z",
    "resources": {"p": {"resourceType": "Patient", "id": "p"}},
    "factors": [],
}
BROKEN = json.loads((Path(__file__).parent / "broken.json").read_text("utf-8"))


@pytest.mark.parametrize("case", BROKEN, ids=lambda case: case["why"])
def test_a_broken_description_is_refused_by_its_element(case: dict[str, Any]) -> None:
    given = case.get("given", {**MINIMAL, "factors": case.get("factors", [])})
    with pytest.raises(InvalidContent) as caught:
        read_people(json.dumps(given).encode(), NAME)
    assert str(caught.value) == case["told"]


def test_half_a_description_is_refused() -> None:
    with pytest.raises(InvalidContent, match="truncated"):
        read_people(b'{"about": ', NAME)


def test_a_description_is_no_definition(tmp_path: Path) -> None:
    (tmp_path / NAME).write_text(json.dumps(MINIMAL))
    assert Knowledge.from_folder(tmp_path).types() == ()
