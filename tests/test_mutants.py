"""The lists of `make mutate-content` and `make mutate-code` still apply to what they change."""

import ast
import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from carepath.knowledge import Knowledge

ROOT = Path(__file__).parents[1]
LISTED = [
    pytest.param(mutant, id=f"{path.stem} {place}")
    for path in sorted((ROOT / "tools" / "code_mutants").glob("*.json"))
    for place, mutant in enumerate(json.loads(path.read_text("utf-8")))
]


@pytest.fixture(scope="module")
def tool(monkeypatch_module: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> ModuleType:
    """Return a tool as a module, with the folder that it is run from on the path."""
    monkeypatch_module.setattr(sys, "path", [str(ROOT / "tools"), *sys.path])
    spec = importlib.util.spec_from_file_location(request.param, ROOT / f"tools/{request.param}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch_module.setitem(sys.modules, request.param, module)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def monkeypatch_module() -> Any:
    with pytest.MonkeyPatch.context() as patch:
        yield patch


@pytest.mark.parametrize("tool", ["mutate_code"], indirect=True)
@pytest.mark.parametrize("listed", LISTED)
def test_a_change_of_the_code_applies_and_gives_code(
    tool: ModuleType, listed: dict[str, str]
) -> None:
    mutant = tool.Mutant(**listed)
    text = (ROOT / mutant.file).read_text("utf-8")
    assert text.count(mutant.before) == 1
    changed = ast.dump(ast.parse(mutant.applied_to(text)))
    assert changed != ast.dump(ast.parse(text))
    assert mutant.why
    paths = [test.removeprefix("--deselect=").partition("::")[0] for test in mutant.tests]
    assert all((ROOT / path).exists() for path in paths)


def test_each_change_of_the_code_stands_once() -> None:
    changes = [(m["file"], m["before"], m["after"]) for (m,) in (p.values for p in LISTED)]
    assert len(set(changes)) == len(changes) >= 150


@pytest.mark.parametrize("tool", ["mutate_content"], indirect=True)
def test_the_equivalent_changes_of_the_content_are_changes_of_it(tool: ModuleType) -> None:
    named = {str(mutant) for mutant in tool.mutants(Knowledge.shipped())}
    assert tool.equivalent() - named == set()
    assert all(entry["reason"] for entry in json.loads(tool.EQUIVALENT.read_text("utf-8")))
