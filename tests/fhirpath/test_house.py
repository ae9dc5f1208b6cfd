"""The rooms of the engine lie on floors: imports lead down, and none is hidden."""

import ast
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import carepath.fhirpath

ROOT = Path(carepath.fhirpath.__file__).parent
PACKAGE = "carepath.fhirpath"
FLOORS = [
    ["nodes", "environment"],
    ["values"],
    ["patterns", "narrative"],
    ["syntax"],
    ["functions"],
    ["run"],
    ["run.written"],
    ["checking"],
    ["expression"],
    [""],
]
"""From the ground up; a module belongs to the longest name that it starts with."""
TREES = {path: ast.parse(path.read_text("utf-8")) for path in sorted(ROOT.rglob("*.py"))}


def name_of(path: Path) -> str:
    """Return the name of a module below the package."""
    return (
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix("__init__").rstrip(".")
    )


NAMES = {name_of(path): tree for path, tree in TREES.items()}


def floor_of(name: str) -> int:
    places = [
        (len(room), floor)
        for floor, rooms in enumerate(FLOORS)
        for room in rooms
        if not room or name == room or name.startswith(f"{room}.")
    ]
    return max(places)[1]


def imported(tree: ast.Module) -> Iterator[str]:
    """Yield the modules of the engine that a module imports, wherever in it."""
    for node in ast.walk(tree):
        found: list[str] = []
        if isinstance(node, ast.Import):
            found = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            inner = [f"{node.module}.{alias.name}" for alias in node.names]
            found = [n if n.removeprefix(f"{PACKAGE}.") in NAMES else node.module for n in inner]
        yield from (n.removeprefix(PACKAGE).lstrip(".") for n in found if n.startswith(PACKAGE))


def test_imports_lead_down() -> None:
    upward = {
        name: above
        for name, tree in NAMES.items()
        if (above := {i for i in imported(tree) if floor_of(i) > floor_of(name)})
    }
    assert upward == {}


def test_no_modules_import_each_other() -> None:
    order = TopologicalSorter({name: set(imported(tree)) for name, tree in NAMES.items()})
    assert set(order.static_order()) == NAMES.keys()


def test_no_import_is_hidden() -> None:
    hidden = {
        name: ast.unparse(node)
        for name, tree in NAMES.items()
        for node in ast.walk(tree)
        if _is_hidden(node)
    }
    assert hidden == {}


def _is_hidden(node: ast.AST) -> bool:
    """Tell whether a module of ours is imported by its name, or for the type checker alone."""
    if isinstance(node, ast.Call) and node.args:
        is_import = "import" in ast.unparse(node.func)
        return is_import and "carepath" in ast.unparse(node.args[0])
    return isinstance(node, ast.Name) and node.id == "TYPE_CHECKING"


def test_files_and_functions_are_short() -> None:
    long = {path.name: len(path.read_text("utf-8").splitlines()) for path in TREES}
    functions = {
        f"{name}:{node.name}": node.end_lineno - node.lineno + 1
        for name, tree in NAMES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno
    }
    assert {name: lines for name, lines in long.items() if lines > 300} == {}
    assert {name: lines for name, lines in functions.items() if lines > 45} == {}
