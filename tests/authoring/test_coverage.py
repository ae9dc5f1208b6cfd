"""The report on statements and cases: fresh, and able to fail."""

import copy
import re
from pathlib import Path

import pytest

from carepath.authoring.cases import read_case, read_cases, run_case
from carepath.authoring.coverage import Coverage, as_json, as_markdown, measure
from carepath.authoring.coverage_outcomes import can_be_undetermined, never_empty
from carepath.authoring.decision_table_cases import RowsCovered, rows_of, values_of_case
from carepath.authoring.decision_table_text import row_text
from carepath.authoring.findings import as_section, read_findings
from carepath.formats.json import encode
from carepath.knowledge import Knowledge

ROOT = Path(__file__).parents[2]
CASES = ROOT / "tests" / "cases"
KNOWLEDGE = Knowledge.shipped()
ROWS_SHOWN = 2180
"""Rows of the decision tables that some case shows, at least: raise it when cases are added."""
ONE_CASE = [read_case(CASES / "mst-rule-margins" / "clear.json")]


@pytest.fixture(scope="module")
def report() -> Coverage:
    return measure(KNOWLEDGE, read_cases(CASES))


@pytest.fixture(scope="module")
def planted() -> list[str]:
    """Return what is said of two cases and of definitions that have a fault each."""
    url = "https://carepath.example/fhir/CodeSystem/mst-statements"
    system = copy.deepcopy(KNOWLEDGE.definition("CodeSystem", url))
    system["concept"].append({"code": "S9-99", "display": "planted"})
    silent = copy.deepcopy(KNOWLEDGE.plan("mst-rule-margins"))
    silent["action"][0].pop("documentation")
    asking = copy.deepcopy(KNOWLEDGE.plan("mst-mdt"))
    given = next(a for a in asking["action"] if a["id"] == "already-given")
    ecog = {"language": "text/fhirpath", "expression": "%ecog = 1"}
    given["condition"].append({"kind": "applicability", "expression": ecog})
    cases = [
        *ONE_CASE,
        read_case(CASES / "mst-mdt" / "re-excision-decided-limb-cannot-be-saved.json"),
    ]
    return measure(KNOWLEDGE.with_definitions([system, silent, asking]), cases).failures


@pytest.fixture(scope="module")
def tables() -> RowsCovered:
    """Return the rows of the tables without any case; what is noted stays in them."""
    return rows_of(KNOWLEDGE)


def test_nothing_is_left_uncovered(report: Coverage) -> None:
    assert report.failures == []
    assert report.summary.startswith("180 of 180 statements carried")


def test_each_row_of_a_decision_table_has_a_case_or_a_reason(report: Coverage) -> None:
    rows = report.tables.uncovered()
    assert [f"{table.name}: {row_text(table, row)}" for table, row in rows] == []


def test_a_table_that_says_otherwise_than_the_engine_is_noticed(tables: RowsCovered) -> None:
    case = ONE_CASE[0]
    values = {**values_of_case(case, tables, KNOWLEDGE), "margins": []}
    tables.note(case.name, run_case(case, KNOWLEDGE), values)
    assert (
        "mst-rule-margins/clear: `mst-rule-margins#reason` is not-met, its table says undetermined"
        in tables.wrong
    )


def test_a_patient_who_cannot_be_is_noticed(tables: RowsCovered) -> None:
    case = ONE_CASE[0]
    values = {**values_of_case(case, tables, KNOWLEDGE), "mdtDecision": ["amputate"]}
    tables.note(case.name, run_case(case, KNOWLEDGE), {**values, "mdtAgreed": [False]})
    assert any("which cannot happen" in sentence for sentence in tables.wrong)


def test_the_page_is_fresh(report: Coverage) -> None:
    fresh = as_markdown(report) + as_section(read_findings(ROOT / "docs/findings.tsv"))
    assert (ROOT / "docs/coverage.md").read_text("utf-8") == fresh, "make coverage"


def test_the_data_are_fresh(report: Coverage) -> None:
    fresh = encode(as_json(report), pretty=True)
    assert (ROOT / "docs/coverage.json").read_bytes() == fresh, "make coverage"


@pytest.mark.parametrize(
    "failure",
    [
        "`S9-99` has no carrier",
        "`S1-32` is executable and has no case",
        "the action `mst-rule-margins#alert` cites no statement",
        "the action `mst-rule-margins#alert` is never met in a case",
        "the action `mst-rule-margins#alert` is never undetermined in a case",
        # The exemption of a group holds only while nothing that it reads can be empty.
        "the action `mst-mdt#already-given` is undetermined in a case, though it never should be",
    ],
)
def test_what_is_planted_or_missing_fails(planted: list[str], failure: str) -> None:
    assert failure in planted


def test_exemptions_name_actions(report: Coverage) -> None:
    assert report.exempt
    assert set(report.exempt) <= set(report.expected), "an exempt action has a condition"


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("%m = 1", True),
        ("%sourceS1", False),
        ("%treatmentCompleted.anyTrue().not() and %recurred.not()", True),
        ("%m.where($this = 1).empty()", False),
        ("(%mdtDecision.where($this = 're-excise')).empty()", False),
        ("%m.where($this = 1).empty() and %site = 'uterus'", True),
        ("%biopsy in ('none' | 'fna-only')", True),
    ],
)
def test_what_can_be_undetermined(condition: str, expected: bool) -> None:
    assert can_be_undetermined([condition], never_empty(KNOWLEDGE)) is expected


def test_facts_that_are_never_empty_are_those_of_the_table() -> None:
    """The table of facts says of each when it is empty; `-`, `never` and `none ...` mean never."""
    text = (ROOT / "pathways/shared/README.md").read_text("utf-8")
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines()]
    never = set()
    for row in rows:
        if len(row) in (4, 7) and row[0].startswith("`"):
            empty_when = row[4 if len(row) == 7 else 3]
            if re.match(r"-$|never|no conflict|none recorded|none done", empty_when):
                never |= set(re.findall(r"`(\w+)`", row[0]))
    marked = never_empty(KNOWLEDGE) - {"gaps", "laterQuestions", "questions"}
    assert marked <= never, marked - never
