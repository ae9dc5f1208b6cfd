"""Each fact of the Library by the cases of `cases/`: resources of a patient in, values out."""

from pathlib import Path

import pytest

from carepath.authoring.fact_cases import FactCase, fact_differences, read_fact_cases, values_of
from carepath.knowledge import Knowledge

CASES = read_fact_cases(Path(__file__).parent / "cases")


@pytest.mark.parametrize("group", sorted({case.name.partition(":")[0] for case in CASES}))
def test_facts(group: str, shared: Knowledge) -> None:
    cases = [case for case in CASES if case.name.startswith(f"{group}:")]
    assert {c.name: found for c in cases if (found := fact_differences(c, shared))} == {}


def test_every_fact_has_a_case_with_a_value_and_one_without(main_facts: set[str]) -> None:
    facts = [(name, values_of(value)) for case in CASES for name, value in case.facts.items()]
    assert main_facts - {name for name, values in facts if values} == set()
    assert main_facts - {name for name, values in facts if not values} == set()


def test_a_case_that_does_not_hold_says_so(shared: Knowledge) -> None:
    case = next(case for case in CASES if case.name == "biopsy: core")
    wrong = FactCase(
        name="wrong",
        library=case.library,
        given=case.given,
        facts={"biopsy": "open", "grade": "low"},
        evidence={"biopsy": ["Procedure/other"]},
    )
    assert fact_differences(wrong, shared) == [
        "`biopsy` is ['core'], expected ['open'].",
        "`grade` is [], expected ['low'].",
        "`biopsy` does not rest on Procedure/other.",
    ]
