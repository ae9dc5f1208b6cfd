"""Files and functions of the package are short enough to be read in one go."""

import ast
from collections.abc import Iterator
from pathlib import Path

import carepath

ROOT = Path(carepath.__file__).parent
FILE, FUNCTION = 300, 45


def files() -> Iterator[tuple[str, str]]:
    """Yield path and text of every module."""
    for path in sorted(ROOT.rglob("*.py")):
        yield path.relative_to(ROOT).as_posix(), path.read_text("utf-8")


def functions() -> Iterator[tuple[str, int]]:
    """Yield every function with its lines, as file and name."""
    for name, text in files():
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield f"{name} {node.name}", (node.end_lineno or 0) - node.lineno + 1


def test_files_are_short() -> None:
    assert {name: lines for name, text in files() if (lines := text.count("\n")) > FILE} == {}


def test_functions_are_short() -> None:
    assert {name: lines for name, lines in functions() if lines > FUNCTION} == {}
