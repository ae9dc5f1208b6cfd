"""The lists of `make mutate-content` and `make mutate-code` still apply to what they change."""

import ast
import importlib.util
import json
import signal
import sys
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from carepath.knowledge import Knowledge

ROOT = Path(__file__).parents[1]
LISTS = {
    path.stem: json.loads(path.read_text("utf-8"))
    for path in sorted((ROOT / "tools" / "code_mutants").glob("*.json"))
}


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
@pytest.mark.parametrize("name", LISTS)
def test_the_changes_of_the_code_apply_and_give_code(tool: ModuleType, name: str) -> None:
    mutants = [tool.Mutant(**listed) for listed in LISTS[name]]
    wrong = {str(mutant): found for mutant in mutants if (found := faults(mutant))}
    assert wrong == {}


@cache
def source(file: str) -> tuple[str, str]:
    """Return the text of a file and its tree."""
    text = (ROOT / file).read_text("utf-8")
    return text, ast.dump(ast.parse(text))


def faults(mutant: Any) -> list[str]:
    """Return why a change cannot be tried."""
    if not (ROOT / mutant.file).exists():
        return ["The file is not there."]
    text, tree = source(mutant.file)
    if text.count(mutant.before) != 1:
        return [f"`before` stands {text.count(mutant.before)} times in the file."]
    paths = [test.removeprefix("--deselect=").partition("::")[0] for test in mutant.tests]
    return [
        *([] if mutant.why else ["It does not say why."]),
        *(f"{path} is not there." for path in paths if not (ROOT / path).exists()),
        *_faults_of_code(mutant.applied_to(text), tree),
    ]


def _faults_of_code(text: str, before: str) -> list[str]:
    try:
        return [] if ast.dump(ast.parse(text)) != before else ["It changes no code."]
    except SyntaxError as error:
        return [f"It gives no code: {error}."]


@pytest.mark.parametrize("tool", ["warm_pytest"], indirect=True)
def test_each_run_of_a_warm_process_sees_the_files_as_they_are(
    tool: ModuleType, tmp_path: Path
) -> None:
    (tmp_path / "server").mkdir()
    code = tmp_path / "server" / "counted_once.py"
    test = "import counted_once\n\n\ndef test_one():\n    assert counted_once.ONE == 1\n"
    (tmp_path / "test_one.py").write_text(test, "utf-8")
    warm = tool.WarmPytest(tmp_path)
    codes = []
    for text, longest in [
        ("ONE = 1", 60),
        ("ONE = 12", 60),
        ("while True: pass", 1),
        ("ONE=1", 60),
    ]:
        code.write_text(text, "utf-8")
        codes.append(warm.run(["-q", "-p", "no:cacheprovider", "-p", "no:schemathesis"], longest))
    warm.end()
    assert codes == [0, 1, -signal.SIGKILL, 0]
    assert "1 passed" in (tmp_path / tool.WarmPytest.OUTPUT).read_text("utf-8")


def test_each_change_of_the_code_stands_once() -> None:
    changes = [(m["file"], m["before"], m["after"]) for some in LISTS.values() for m in some]
    assert len(set(changes)) == len(changes) >= 150


@pytest.mark.parametrize("tool", ["mutate_content"], indirect=True)
def test_the_equivalent_changes_of_the_content_are_changes_of_it(tool: ModuleType) -> None:
    named = {str(mutant) for mutant in tool.mutants(Knowledge.shipped())}
    assert tool.equivalent() - named == set()
    assert all(entry["reason"] for entry in json.loads(tool.EQUIVALENT.read_text("utf-8")))
