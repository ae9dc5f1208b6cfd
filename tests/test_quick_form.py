"""What the service answers, whose expressions are in the quick form, is what closures answer."""

from pathlib import Path
from typing import Any

import pytest

from carepath.apply import Applied, warm
from carepath.apply.compile.cache import Cache
from carepath.apply.compile.formula import Formula
from carepath.authoring.cases import read_cases, run_case
from carepath.authoring.fact_cases import FactCase, fact_differences, read_fact_cases
from carepath.formats.json import encode
from carepath.knowledge import Knowledge

ROOT = Path(__file__).parent
FOLDERS = sorted(path for path in (ROOT / "cases").iterdir() if path.is_dir())
FACTS = read_fact_cases(ROOT / "facts/cases")
TYPES = ("PlanDefinition", "ActivityDefinition", "Library", "ValueSet", "CodeSystem", "ConceptMap")


def group_of(case: FactCase) -> str:
    """Return the name of the file that a case stands in."""
    return case.name.partition(":")[0]


def shipped() -> Knowledge:
    """Return the shipped content, nothing compiled."""
    return Knowledge.of(r for type_ in TYPES for r in Knowledge.shipped().all(type_))


@pytest.fixture(scope="module")
def cold() -> Knowledge:
    return shipped()


@pytest.fixture(scope="module")
def warmed() -> Knowledge:
    knowledge = shipped()
    warm(knowledge)
    return knowledge


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: path.name)
def test_care_plan_is_the_same_to_the_byte(
    folder: Path, warmed: Knowledge, cold: Knowledge
) -> None:
    different = [
        case.name
        for case in read_cases(folder)
        if answer(run_case(case, warmed)) != answer(run_case(case, cold))
    ]
    assert different == []


def answer(applied: Applied) -> tuple[bytes, dict[str, Any]]:
    return encode(applied.care_plan()), applied.decisions_document()


@pytest.mark.parametrize("group", sorted({group_of(case) for case in FACTS}))
def test_facts_in_the_quick_form(group: str, warmed: Knowledge) -> None:
    cases = [case for case in FACTS if group_of(case) == group]
    assert {c.name: found for c in cases if (found := fact_differences(c, warmed))} == {}


def test_the_expressions_are_in_the_quick_form(warmed: Knowledge) -> None:
    compiled = [formula.compiled for formula in warmed.derived(Cache).all(Formula)]
    assert len(compiled) > 300
    quick = [c._quick_items or c._quick_truth for c in compiled]
    assert sum(q.__code__.co_filename != "<fhirpath>" for q in quick) == 0
