"""What the report says of decision tables: numbers for each plan, and the rows without a case."""

from collections.abc import Iterator
from typing import Any

from carepath.authoring.decision_table import Row, Table
from carepath.authoring.decision_table_cases import RowsCovered


def summary(covered: RowsCovered) -> str:
    """Return how many rows of all tables the cases show, in words."""
    numbers = list(covered.numbers())
    possible, shown = sum(n for _, n, _, _ in numbers), sum(n for _, _, n, _ in numbers)
    return f"{shown} of {possible} rows of the decision tables shown"


def as_json(covered: RowsCovered) -> list[dict[str, Any]]:
    """Return for each plan the numbers, why rows cannot happen, and the rows that no case shows."""
    lacking: dict[str, list[str]] = {}
    for table, row in covered.uncovered():
        lacking.setdefault(table.plan, []).append(row_text(table, row))
    return [
        {
            "plan": plan,
            "rows": possible,
            "shown": shown,
            "cannotHappen": [
                {"row": row_text(table, row), "reason": row.reason}
                for table in covered.tables[plan]
                for row in table.rows
                if row.reason
            ],
            "withoutCase": lacking.get(plan, []),
        }
        for plan, possible, shown, _ in covered.numbers()
    ]


def as_markdown(covered: RowsCovered) -> Iterator[str]:
    """Yield the lines of a page's section on decision tables."""
    yield from (
        "## Decision tables",
        "",
        "A row is a combination of what the conditions of a plan can tell apart (values compared",
        "with, the others together, unknown), with the outcome of each action. Where the table of",
        "a whole plan would be too large each action has its own; how actions meet is then shown",
        "by the synthetic patients of `tests/pairs`. A row that no patient can be in has its",
        "reason in the Library (`cannot-happen`); rows without a case stand in `coverage.json`.",
        "",
        f"{summary(covered)}.",
        "",
        "| plan | tables | rows | shown by a case | cannot happen |",
        "|---|---|---|---|---|",
    )
    for plan, possible, shown, impossible in covered.numbers():
        tables = len(covered.tables[plan])
        yield f"| {plan} | {tables} | {possible} | {shown} of {possible} | {impossible} |"


def row_text(table: Table, row: Row) -> str:
    """Return a row in one line: `action met: fact = value or value; ...`."""
    outcomes = ", ".join(
        f"{action} {outcome}" for action, outcome in zip(table.actions, row.outcomes, strict=True)
    )
    said = "; ".join(
        f"{name} = {' or '.join(labels)}" for name, labels in table.described(row).items()
    )
    return f"{outcomes}: {said or 'always'}"
