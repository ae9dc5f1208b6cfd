"""Every hazard names cases or tests that guard it, and each of them exists."""

import re
from pathlib import Path

import pytest

from carepath.authoring import lint

ROOT = Path(__file__).parents[1]
CASES = ROOT / "tests" / "cases"
PAGE = (ROOT / "docs/clinical-safety.md").read_text("utf-8")
HAZARDS = {
    cells[1]: cells[-2]
    for cells in ([cell.strip() for cell in line.split("|")] for line in PAGE.splitlines())
    if len(cells) > 2 and re.fullmatch(r"H\d+", cells[1])
}


def exists(guard: str) -> bool:
    """Tell whether a test file, a test, a case, a folder of cases or a lint rule exists."""
    path, _, test = guard.partition("::")
    if path.startswith("tests/"):
        files = [ROOT / path, ROOT / f"{path}.json"]
        found = [file for file in files if file.exists()]
        return bool(found) and (not test or f"def {test}(" in found[0].read_text("utf-8"))
    if path.endswith("/"):
        return any((CASES / path).glob("*.json"))
    return (CASES / f"{path}.json").exists() or _is_rule(path)


def _is_rule(name: str) -> bool:
    folder = Path(str(lint.__file__)).parent
    return any(f"def {name}(" in file.read_text("utf-8") for file in folder.glob("*.py"))


def test_the_page_lists_hazards() -> None:
    assert len(HAZARDS) >= 20


@pytest.mark.parametrize("hazard", HAZARDS)
def test_each_hazard_is_guarded(hazard: str) -> None:
    guards = re.findall(r"`([^`]+)`", HAZARDS[hazard])
    assert guards
    assert [guard for guard in guards if not exists(guard)] == []


@pytest.mark.parametrize(
    "guard",
    ["mst-gist/no-such-case", "tests/authoring/test_lint.py::test_none", "no_such_rule", "none/"],
)
def test_a_guard_that_is_gone_is_noticed(guard: str) -> None:
    assert not exists(guard)
