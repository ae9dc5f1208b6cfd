"""Sums over rows, whatever the order in which they are added."""

import json
from functools import reduce
from itertools import permutations
from operator import add

from cohort import PATIENTS, PLAN_URL, rows_of

from carepath.population.counts import Counts, Tally

ALL = Counts.of(rows_of(*PATIENTS))


def test_each_patient_counts_once() -> None:
    assert (ALL.patients, ALL.errors, ALL.plans) == (4, 0, {PLAN_URL: 4})
    assert {name: n for (_, name), n in ALL.phases.items()} == {"Imaging": 2, "Team": 1, "": 1}
    assert {(p, o): n for (_, p, o), n in ALL.outcomes.items() if p == "knee/imaging/mri"} == {
        ("knee/imaging/mri", "met"): 1,
        ("knee/imaging/mri", "done"): 1,
        ("knee/imaging/mri", "undetermined"): 1,
    }


def test_a_missing_fact_blocks_a_patient_once_however_many_actions_wait() -> None:
    assert (ALL.blocked, ALL.open_actions) == (
        {(PLAN_URL, "swollen"): 1},
        {(PLAN_URL, "swollen"): 3},
    )


def test_sums_do_not_depend_on_the_order() -> None:
    single = [Counts.of(rows_of(id_)) for id_ in PATIENTS]
    assert {json.dumps(reduce(add, p).to_json()) for p in permutations(single)} == {
        json.dumps(ALL.to_json())
    }


def test_nothing_added_changes_nothing() -> None:
    assert Counts() + ALL == ALL + Counts() == ALL


def test_an_error_counts_and_so_does_a_patient_without_rows() -> None:
    tally = Tally()
    tally.add([], errors=2)
    assert tally.counts() + Counts(errors=1) == Counts(patients=1, errors=3)


def test_several_plans_for_a_patient_are_one_patient() -> None:
    found = rows_of("a")
    tally = Tally()
    tally.add([*found, *({**row, "plan": "http://x/other|1"} for row in found)])
    counts = tally.counts()
    assert (counts.patients, counts.plans) == (1, {PLAN_URL: 1, "http://x/other|1": 1})
    assert counts.places["http://x/other|1", "knee/imaging"] == 0


def test_json_brings_the_counts_back() -> None:
    assert Counts.from_json(json.loads(json.dumps(ALL.to_json()))) == ALL
