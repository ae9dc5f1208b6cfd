"""The table of findings: each is answered by a change, and each change is held by a case."""

from pathlib import Path

import pytest

from carepath.authoring.cases import read_cases
from carepath.authoring.fact_cases import read_fact_cases
from carepath.authoring.findings import Finding, as_section, problems, read_findings
from carepath.authoring.lint import RULES
from carepath.errors import InvalidContent
from carepath.formats.json import decode

ROOT = Path(__file__).parents[2]
FINDINGS = read_findings(ROOT / "docs" / "findings.tsv")
COLUMNS = "finding\tabout\tchange\tartifacts\tcases\n"
NUMBERED = [f"H{n}" for n in range(1, 14)] + [f"M{n}" for n in range(1, 18)]


def known_cases() -> set[str]:
    """Return the names of all cases of the checkout, and of the rules of the linter."""
    records = (ROOT / "tests" / "records" / "cases").glob("*.json")
    return {
        *(case.name for case in read_cases(ROOT / "tests" / "cases")),
        *(f"facts/{case.name}" for case in read_fact_cases(ROOT / "tests" / "facts" / "cases")),
        *(
            f"records/{path.stem}: {record['case']}"
            for path in records
            for record in decode(path.read_bytes())["cases"]
        ),
        *(f"lint/{rule.__name__}" for rule in RULES),
    }


def test_each_finding_names_cases_that_are_there() -> None:
    assert list(problems(FINDINGS, known_cases())) == []


def test_every_finding_of_the_reading_is_answered() -> None:
    named = {finding.finding.rstrip("abcdefg") for finding in FINDINGS}
    assert [number for number in NUMBERED if number not in named] == []
    assert {"1.1", "1.2", "1.3", "conflict", "story"} <= named
    assert all(finding.change and finding.artifacts for finding in FINDINGS)


def test_a_case_that_is_not_there_is_named() -> None:
    finding = Finding("H1", "about", "change", "artifact", ("p/a", "p/b"))
    assert list(problems([finding], {"p/a"})) == [
        "The finding H1 names the case `p/b`, which is not there."
    ]


def test_the_section_has_a_row_for_each(tmp_path: Path) -> None:
    file = tmp_path / "findings.tsv"
    file.write_text(f"{COLUMNS}H1\ta|b\tchanged\tfact m\tp/a; p/b\n", "utf-8")
    section = as_section(read_findings(file))
    assert section.endswith("\n| H1 | a\\|b | changed | fact m | p/a<br>p/b |\n")


def test_without_a_file_there_is_no_section(tmp_path: Path) -> None:
    assert as_section(read_findings(tmp_path / "none.tsv")) == ""


@pytest.mark.parametrize(
    ("text", "refusal"),
    [
        ("", "`findings.tsv` is broken at `line 1`: the columns should be finding, about, "),
        ("a\tb\n", "`findings.tsv` is broken at `line 1`: the columns should be finding, about, "),
        (f"{COLUMNS}H1\tabout\n", "`findings.tsv` is broken at `line 2`: there should be 5 cells."),
    ],
)
def test_another_table_is_refused(text: str, refusal: str, tmp_path: Path) -> None:
    file = tmp_path / "findings.tsv"
    file.write_text(text, "utf-8")
    with pytest.raises(InvalidContent) as caught:
        read_findings(file)
    assert str(caught.value).startswith(refusal)
