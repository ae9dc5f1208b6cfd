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


# The command line may use every part: it is the top.
SOURCES = [path for path in sorted(ROOT.rglob("*.py")) if layer_of(path) != "cli"]


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_point_down(path: Path) -> None:
    ours = {name.split(".")[1] for name in imported_by(path) if name.startswith("carepath.")}
    assert ours <= MAY_IMPORT[layer_of(path)] | {layer_of(path)}  # KeyError: a file in no layer


@pytest.mark.parametrize("path", sorted(ROOT.rglob("*.py")), ids=lambda p: str(p.relative_to(ROOT)))
def test_libraries_stay_at_home(path: Path) -> None:
    outside = {name.split(".")[0] for name in imported_by(path)} & HOME.keys()
    assert all(layer_of(path) in HOME[name] for name in outside), outside


@pytest.mark.parametrize("layer", ["fhirpath", "apply"])
def test_the_core_reads_no_clock_and_no_file(layer: str) -> None:
    for path in (ROOT / layer).rglob("*.py"):
        text = path.read_text("utf-8")
        for forbidden in ("datetime.now(", "date.today(", "time.time(", "open(", "read_text("):
            assert forbidden not in text, f"{path.name}: {forbidden}"
