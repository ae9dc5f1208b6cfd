"""The table of facts in pathways/shared/README.md names what the Library holds."""

import re
from pathlib import Path
from typing import Any

import pytest

from carepath.apply.compile.names import FACT

README = Path(__file__).parents[2] / "pathways" / "shared" / "README.md"


def first_cells(heading: str) -> set[str]:
    """Return the names in the first column of the table under a heading."""
    text = README.read_text(encoding="utf-8")
    section = text.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    rows = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]
    return {name for row in rows for name in re.findall(r"`([^`]+)`", row)}


def expressions(library: dict[str, Any]) -> list[dict[str, Any]]:
    return [e["valueExpression"] for e in library["extension"] if e["url"] == FACT]


def test_the_table_of_facts_is_complete(main_facts: set[str]) -> None:
    assert first_cells("Facts") == main_facts


def test_the_auxiliary_facts_exist(library: dict[str, Any], main_facts: set[str]) -> None:
    names = {expression["name"] for expression in expressions(library)}
    assert first_cells("Auxiliary facts") <= names - main_facts


def test_the_table_of_parameters_is_complete(library: dict[str, Any]) -> None:
    assert first_cells("Parameters of the Library") == {p["name"] for p in library["parameter"]}


@pytest.mark.parametrize("key", ["name", "description", "language", "expression"])
def test_each_fact_is_described(library: dict[str, Any], key: str) -> None:
    assert all(expression[key] for expression in expressions(library))
