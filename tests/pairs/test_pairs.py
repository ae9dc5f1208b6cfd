"""Synthetic patients over all pairs of facts: what holds for every patient, holds for each."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from functools import cache
from itertools import combinations
from multiprocessing import get_context
from pathlib import Path

import pytest

from carepath.authoring.cases import Case
from carepath.authoring.decision_table import is_met
from carepath.authoring.decision_table_cases import RowsCovered, rows_of, values_of_case

from .invariants import INVARIANTS, Answer, answer_to, breaches
from .patients import FACTORS, KNOWLEDGE, NOW, patient, patients

FEW, MANY = 300, 20_000
CHUNK = 250


@cache
def rows() -> RowsCovered:
    """Return the rows of all decision tables: to work them out takes seconds."""
    return rows_of(KNOWLEDGE)


def found_in(numbers: Iterable[int]) -> Counter[str]:
    """Return what does not hold for some patients, with how many of them it concerns."""
    found: Counter[str] = Counter()
    for number in numbers:
        found.update(breaches(answer_to(patient(number))))
    return found


def test_some_patients() -> None:
    assert found_in(range(FEW)) == Counter()


def happening(numbers: Iterable[int]) -> set[str]:
    """Return the reasons for which rows cannot happen that some patient contradicts."""
    found: set[str] = set()
    for made in map(patient, numbers):
        case = Case(Path(), "", NOW, "", made.parameters, made.given, {})
        values = values_of_case(case, rows(), KNOWLEDGE)
        found |= {
            f"{made.number}: {entry.reason}"
            for entry in rows().impossible
            if is_met(entry.expression, values)
        }
    return found


def test_what_cannot_happen_does_not() -> None:
    assert happening(range(FEW)) == set()


def test_each_fact_takes_each_value_in_few_patients() -> None:
    seen = {(name, level) for made in patients(FEW) for name, level in made.levels.items()}
    wanted = {(name, level) for name, levels in FACTORS.items() for level in levels}
    assert wanted - seen == set()


@pytest.mark.slow
def test_many_patients() -> None:
    chunks = [range(start, start + CHUNK) for start in range(0, MANY, CHUNK)]
    with get_context("fork").Pool(2) as pool:
        found = sum(pool.imap_unordered(found_in, chunks), Counter[str]())
    assert found == Counter()


@pytest.mark.slow
def test_what_cannot_happen_does_not_in_many_patients() -> None:
    chunks = [range(start, start + CHUNK) for start in range(0, MANY, CHUNK)]
    with get_context("fork").Pool(2) as pool:
        assert set[str]().union(*pool.imap_unordered(happening, chunks)) == set()


@pytest.mark.slow
def test_many_patients_have_all_pairs() -> None:
    seen = {pair for made in patients(MANY) for pair in combinations(made.levels.items(), 2)}
    levels = [(name, level) for name, of in FACTORS.items() for level in of]
    wanted = {(a, b) for a, b in combinations(levels, 2) if a[0] != b[0]}
    assert wanted - seen == set()


@pytest.mark.parametrize(
    ("invariant", "levels", "decided", "waiting"),
    [
        ("nothing_curative_without_the_team", {}, [{"definition": "order-tah"}], {}),
        ("no_biopsy_before_imaging", {}, [{"definition": "order-open-biopsy"}], {}),
        (
            "nothing_given_is_proposed_as_new",
            {"chemotherapy": "given"},
            [{"definition": "order-palliative-chemotherapy"}],
            {},
        ),
        ("no_amputation_without_its_decision", {}, [{"definition": "order-amputation"}], {}),
        ("nothing_for_the_dead", {"dead": "yes"}, [{"definition": "comm-support-line"}], {}),
        ("one_team_discussion", {}, [{"definition": "order-mdt-discussion"}] * 2, {}),
        (
            "no_choice_is_hidden",
            {},
            [
                {"path": "g", "plan": "mst-localised", "id": "surgery"},
                {"path": "g/limb", "outcome": "not-met"},
            ],
            {},
        ),
        (
            "no_proposal_beside_advice_against_it",
            {},
            [
                {"definition": "order-lymphadenectomy"},
                {"definition": "order-lymphadenectomy", "direction": "against"},
            ],
            {},
        ),
        ("open_actions_ask_for_facts", {}, [], {"plan/action": []}),
        ("open_actions_ask_for_facts", {}, [], {"plan/action": ["windowStart"]}),
    ],
)
def test_each_invariant_can_be_broken(
    invariant: str,
    levels: dict[str, str],
    decided: list[dict[str, str]],
    waiting: dict[str, list[str]],
) -> None:
    plain = patient(0)
    quiet = dict.fromkeys(plain.levels, "none") | {"sources": "on"} | levels
    some = answer_to(plain).decisions[0]
    decisions = tuple(
        replace(some, **{"path": "", "outcome": "met", "direction": "for", **changes})
        for changes in ({"request": "ServiceRequest", **each} for each in decided)
    )
    answer = Answer(replace(plain, levels=quiet), decisions, waiting)
    broken = [each.__name__ for each in INVARIANTS if list(each(answer))]
    assert invariant in broken
