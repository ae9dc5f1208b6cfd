"""Imports point down, and each outside library has one home."""

import ast
from pathlib import Path

import pytest

import carepath

ROOT = Path(carepath.__file__).parent
DATA = {"pathways", "fhir_profiles"}
LEAVES = {"errors", "issues", "canonical", "resources", "json_codec", "r4"}
READING = LEAVES | {"record", "fhirpath"}
MAY_IMPORT: dict[str, set[str]] = {
    "errors": {"issues"},
    "issues": set(),
    "canonical": {"errors"},
    "resources": {"errors", "canonical"},
    "json_codec": {"errors"},
    "r4": {"errors"},
    "xml_codec": LEAVES,
    "record": LEAVES,
    "fhirpath": LEAVES | {"record"},
    "knowledge": READING | DATA,
    "validation": READING | {"knowledge"} | DATA,
    "apply": READING | {"knowledge", "validation"},
    "plan_text": set(),
    "terminology_lint": READING | {"knowledge"},
    "lint": READING | {"knowledge", "validation", "apply", "terminology_lint", "authoring"},
    "authoring": READING | {"knowledge", "apply", "cases"},
    "web": READING | {"xml_codec", "knowledge", "validation", "apply", "plan_text"},
    "fhirpath_cli": READING | {"xml_codec"},
    "fact_cases": READING | {"knowledge", "apply"},
    "facts_withheld": READING | {"apply"},
    "facts_report": READING | {"knowledge", "apply", "facts_withheld"},
    "facts_text": READING | {"facts_report"},
    "cases": READING | {"knowledge", "apply"},
    "intake": READING | {"xml_codec", "knowledge", "validation", "apply"},
    "__init__": READING | {"knowledge", "apply"},
    "__main__": {"cli"},
    "pathways": set(),
    "fhir_profiles": set(),
}
HOME = {
    "flask": {"web"},
    "werkzeug": {"web"},
    "gunicorn": {"web"},
    "httpx": {"web"},
    "fhir": {"validation"},
    "jsonschema": {"validation"},
    "jsonschema_rs": {"validation"},
    "click": {"cli", "fhirpath_cli"},
}


def layer_of(path: Path) -> str:
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def imported_by(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: absolute imports only"
            names.add(node.module or "")
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
    return names


# By file; the command line may use every part: it is the top.
IMPORTED = {path: imported_by(path) for path in sorted(ROOT.rglob("*.py"))}
BELOW_THE_TOP = {path: names for path, names in IMPORTED.items() if layer_of(path) != "cli"}


def test_every_file_is_in_a_layer() -> None:
    assert {layer_of(path) for path in BELOW_THE_TOP} | DATA == MAY_IMPORT.keys()


def test_imports_point_down() -> None:
    upward = {
        str(path.relative_to(ROOT)): above
        for path, names in BELOW_THE_TOP.items()
        if (above := parts_of(names) - MAY_IMPORT.get(layer_of(path), set()) - {layer_of(path)})
    }
    assert upward == {}


def parts_of(names: set[str]) -> set[str]:
    """Return the parts of this project among the names of imported modules."""
    return {name.split(".")[1] for name in names if name.startswith("carepath.")}


def test_libraries_stay_at_home() -> None:
    abroad = {
        str(path.relative_to(ROOT)): found
        for path, names in IMPORTED.items()
        if (found := {lib for lib in outside(names) if layer_of(path) not in HOME[lib]})
    }
    assert abroad == {}


def outside(names: set[str]) -> set[str]:
    """Return the libraries that have a home among the names of imported modules."""
    return {name.split(".")[0] for name in names} & HOME.keys()


@pytest.mark.parametrize("layer", ["fhirpath", "apply"])
def test_the_core_reads_no_clock_and_no_file(layer: str) -> None:
    for path in (ROOT / layer).rglob("*.py"):
        text = path.read_text("utf-8")
        for forbidden in ("datetime.now(", "date.today(", "time.time(", "open(", "read_text("):
            assert forbidden not in text, f"{path.name}: {forbidden}"
