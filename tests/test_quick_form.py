"""What the service answers, whose expressions are in the quick form, is what closures answer."""

from pathlib import Path

import pytest

from carepath.apply import warm
from carepath.apply.compile.cache import Cache
from carepath.apply.compile.formula import Formula
from carepath.authoring.cases import read_case, run_case
from carepath.authoring.fact_cases import FactCase, fact_differences, read_fact_cases
from carepath.formats.json import encode
from carepath.knowledge import Knowledge

ROOT = Path(__file__).parent
FILES = sorted((ROOT / "cases").rglob("*.json"))
FACTS = read_fact_cases(ROOT / "facts/cases")
TYPES = ("PlanDefinition", "ActivityDefinition", "Library", "ValueSet", "CodeSystem", "ConceptMap")


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


@pytest.mark.parametrize("path", FILES, ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_care_plan_is_the_same_to_the_byte(path: Path, warmed: Knowledge, cold: Knowledge) -> None:
    case = read_case(path)
    quick, plain = run_case(case, warmed), run_case(case, cold)
    assert encode(quick.care_plan()) == encode(plain.care_plan())
    assert quick.decisions_document() == plain.decisions_document()


@pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in FACTS])
def test_fact_in_the_quick_form(case: FactCase, warmed: Knowledge) -> None:
    assert fact_differences(case, warmed) == []


def test_the_expressions_are_in_the_quick_form(warmed: Knowledge) -> None:
    compiled = [formula.compiled for formula in warmed.derived(Cache).all(Formula)]
    assert len(compiled) > 300
    quick = [c._quick_items or c._quick_truth for c in compiled]
    assert sum(q.__code__.co_filename != "<fhirpath>" for q in quick) == 0
