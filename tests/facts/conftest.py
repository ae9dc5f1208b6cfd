"""The shared content, and working out its facts for one patient."""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from carepath.apply.compile.names import AUXILIARY, FACT
from carepath.authoring.fact_cases import Fact, work_out
from carepath.knowledge import Knowledge

SHARED = Path(__file__).parents[2] / "pathways" / "shared"


@pytest.fixture(scope="session")
def shared() -> Knowledge:
    """Return what is under pathways/shared, and nothing else."""
    return Knowledge.from_folder(SHARED)


@pytest.fixture(scope="session")
def library() -> dict[str, Any]:
    """Return the Library of facts."""
    text = (SHARED / "libraries" / "mst-facts.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


@pytest.fixture(scope="session")
def main_facts(library: dict[str, Any]) -> set[str]:
    """Return the names of the facts that are not auxiliary."""
    expressions = [e["valueExpression"] for e in library["extension"] if e["url"] == FACT]
    return {e["name"] for e in expressions if AUXILIARY not in _urls(e)}


def _urls(expression: dict[str, Any]) -> set[str]:
    return {extension["url"] for extension in expression.get("extension", ())}


@pytest.fixture(scope="session")
def facts_of(shared: Knowledge, library: dict[str, Any]) -> Callable[..., dict[str, Fact]]:
    """Return a function of fact names and resources that works the facts out."""
    return partial(work_out, knowledge=shared, library=library["url"])
