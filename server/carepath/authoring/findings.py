"""What an independent reading of the content found, what was changed, and the cases that hold it.

The table is a file of tab-separated values: finding, about, change, artifacts, cases.
"""

import csv
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from carepath.authoring.markdown import table_row
from carepath.errors import InvalidContent

_COLUMNS = ("finding", "about", "change", "artifacts", "cases")


@dataclass(frozen=True)
class Finding:
    """One finding; `cases` are names of case files, fact cases or rules of the linter."""

    finding: str
    about: str
    change: str
    artifacts: str
    cases: tuple[str, ...]


def read_findings(file: Path) -> tuple[Finding, ...]:
    """Return the findings of a file, none when there is no such file.

    Raises InvalidContent when the columns are not those of the table.
    """
    if not file.exists():
        return ()
    with file.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))
    if not rows or tuple(rows[0]) != _COLUMNS:
        raise InvalidContent(file.name, "line 1", f"the columns should be {', '.join(_COLUMNS)}")
    return tuple(_finding(row, file.name, line) for line, row in enumerate(rows[1:], 2))


def _finding(row: Sequence[str], source: str, line: int) -> Finding:
    if len(row) != len(_COLUMNS):
        raise InvalidContent(source, f"line {line}", f"there should be {len(_COLUMNS)} cells")
    finding, about, change, artifacts, cases = row
    return Finding(finding, about, change, artifacts, tuple(cases.split("; ")))


def problems(findings: Iterable[Finding], known: Container[str]) -> Iterator[str]:
    """Yield a sentence for each case that a finding names and that is not among the known."""
    for finding in findings:
        for case in finding.cases:
            if case not in known:
                yield f"The finding {finding.finding} names the case `{case}`, which is not there."


def as_section(findings: Iterable[Finding]) -> str:
    """Return the findings as a section of the report, empty when there are none."""
    rows = [_row(finding) for finding in findings]
    if not rows:
        return ""
    return "\n".join(
        (
            "",
            "## What an independent reading found",
            "",
            "Each finding with the change that answers it and the cases that hold the change; made",
            "from `findings.tsv`. `facts/` are cases of facts, `records/` records that invite a",
            "wrong reading, `lint/` rules of the linter; all others are cases of a pathway.",
            "",
            "| finding | about | change | artifacts | held by |",
            "|---|---|---|---|---|",
            *rows,
            "",
        )
    )


def _row(finding: Finding) -> str:
    return table_row(
        (
            finding.finding,
            finding.about,
            finding.change,
            finding.artifacts,
            "<br>".join(finding.cases),
        )
    )
