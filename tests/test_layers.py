"""Imports point down, from room to room; each outside library has one home; the core is pure.

What is a room, and what counts as an import, stands in `tools/rooms.py`: a folder that holds
modules, or a module beside folders; and every import, wherever in a module it stands, those for
type checkers and those by name included.
"""

import ast
import importlib.util
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from types import ModuleType

import carepath

ROOT = Path(carepath.__file__).parent


def _tool() -> ModuleType:
    path = Path(__file__).parents[1] / "tools/rooms.py"
    spec = importlib.util.spec_from_file_location("rooms", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


TOOL = _tool()

# Which packages a package may import. `leaves` are the modules beside the packages that know no
# rule of FHIR beyond names, `entry` is what Python and `python -m` import first.
BELOW = {
    "leaves": "",
    "r4": "leaves",
    "formats": "leaves r4",
    "record": "leaves r4",
    "fhirpath": "leaves r4 record",
    "knowledge": "leaves r4 formats record fhirpath",
    "validation": "leaves r4 formats record fhirpath knowledge",
    "apply": "leaves r4 formats record fhirpath knowledge validation",
    "authoring": "leaves r4 formats record fhirpath knowledge validation apply",
    # The explorer shows what authors know of their content.
    "web": "leaves r4 formats record fhirpath knowledge validation apply authoring",
    "population": "leaves r4 formats record fhirpath knowledge validation apply",
    "command": "leaves r4 formats record fhirpath knowledge validation apply authoring web "
    "population",
    "entry": "record knowledge apply population command",
}
# The rooms of each package from the bottom up; those on one rung do not know each other.
LADDERS = {
    "leaves": ("deadline issues", "errors", "addresses canonical resources"),
    "r4": ("r4",),
    "formats": ("formats/json formats/xml", "formats/yaml", "formats/files"),
    "record": ("record",),
    "fhirpath": (
        "fhirpath/nodes fhirpath/environment fhirpath/narrative",
        "fhirpath/values",
        "fhirpath/patterns fhirpath/syntax",
        "fhirpath/run/steps fhirpath/run/tracing",
        "fhirpath/run/variables fhirpath/run/wrappers",
        "fhirpath/functions",
        "fhirpath/run/operators fhirpath/run/instances",
        "fhirpath/run/compiler",
        "fhirpath/run/written fhirpath/checking",
        "fhirpath/expression",
        "fhirpath",
    ),
    "knowledge": ("knowledge",),
    "validation": (
        "validation/structure validation/case_form validation/cds_hooks_form",
        "validation/walker validation/well_shaped",
        "validation/advice validation/invariants validation/rules",
        "validation/profiles",
        "validation/validate",
        "validation",
    ),
    "apply": (
        "apply/issues apply/languages",
        "apply/request",
        "apply/compile",
        "apply/describe apply/drawing apply/run",
        "apply/explain",
        "apply/collection apply/page apply/provenance",
        "apply/answer",
        "apply/operation",
        "apply",
    ),
    "authoring": (
        "authoring/statements authoring/cases authoring/fact_cases authoring/markdown",
        "authoring/decision_diagram authoring/findings authoring/scaffold authoring/compare",
        "authoring/case_outcomes authoring/coverage_outcomes authoring/mutate authoring/sentences",
        "authoring/lint authoring/statements_page authoring/decision_table_facts",
        "authoring/decision_table",
        "authoring/decision_table_cases",
        "authoring/decision_table_text",
        "authoring/coverage authoring/reach",
        "authoring/folder_check",
    ),
    "web": (
        "web/setting_checks web/shared_times",
        "web/config web/definitions",
        "web/http",
        "web/limits web/data_endpoint web/search web/seen_definitions web/feedback",
        "web/service",
        "web/authorisation",
        "web/cors web/monitoring web/operations",
        "web/rest web/failures",
        "web/cds_hooks",
        "web/routes",
        "web/explorer web/audit",
        "web/app",
        "web/server web",
    ),
    "population": (
        "population/told population/people population/counts population/decisions "
        "population/partition population/ownership",
        "population/output population/merged population/shared population/bundle_owners "
        "population/figures population/lines_of_patient",
        "population/sources population/one_patient population/state population/plots",
        "population/distribute population/summary",
        "population/part_work population/table",
        "population/worker",
        "population/workers",
        "population/run population/iterate",
        "population/spark",
    ),
    "command": ("command",),
    "entry": ("__main__ carepath spark",),
}
HOME = {
    "flask": "web",
    "werkzeug": "web",
    "gunicorn": "web",
    "waitress": "web",
    "httpx": "addresses.py population web",
    "joserfc": "web",
    "prometheus_client": "web",
    "fhir": "validation",
    "jsonschema": "validation",
    "jsonschema_rs": "validation",
    # The narrative of a plan is printed from its XHTML.
    "lxml": "formats command",
    # The tables are JSON of the package itself and larger than what anybody sends.
    # A description of patients is read into typed values, and refused by its element.
    "msgspec": "formats population r4",
    "re2": "fhirpath",
    "ruamel": "formats",
    "pint": "fhirpath",
    "ucumvert": "fhirpath",
    "jinja2": "apply authoring population web",
    "markupsafe": "apply web",
    "markdown_it": "web",
    "pandas": "population",
    "polars": "population",
    "pyarrow": "population",
    "py4j": "population",
    "pyspark": "population",
    "click": "command",
    "watchfiles": "command",
}
# Whoever reads a file or a clock outside of `web`, `command` and `population`, and what for.
READS = {
    "authoring/cases.py": "the case files that it is given",
    "authoring/fact_cases.py": "the case files that it is given",
    "authoring/findings.py": "the table of findings that it is given",
    "knowledge/loader.py": "definitions, once",
    "knowledge/passed_over.py": "whether a file that is not read holds FHIR",
    "r4/data.py": "its own tables, once",
    "r4/published.py": "its own package, once",
    "record/codes.py": "its own table, once",
    "validation/case_form.py": "its own schema, once",
    "validation/cds_hooks_form.py": "its own schemas, once",
    "validation/structure/schema.py": "its own schema, once",
    "validation/validate.py": "the moment, for a caller who gives none",
}


def rung_of() -> dict[str, tuple[str, int]]:
    """Return package and rung of each room in the ladders."""
    return {
        room.replace("/", "."): (package, height)
        for package, rungs in LADDERS.items()
        for height, rung in enumerate(rungs)
        for room in rung.split()
    }


def may_import(by: str, of: str) -> bool:
    """Tell whether a room may import another; one that is on no ladder may not."""
    (package, height), (other, below) = (rung_of().get(room, ("", 0)) for room in (by, of))
    return below < height if package == other else other in BELOW.get(package, "").split()


def test_every_room_is_on_a_ladder() -> None:
    assert TOOL.graph().keys() ^ rung_of().keys() == set()


def test_the_packages_are_in_order() -> None:
    """A package comes after those that it may import, so none is below itself."""
    order = list(BELOW)
    assert order == list(LADDERS)
    assert [n for n in order if not set(BELOW[n].split()) <= set(order[: order.index(n)])] == []


def test_imports_point_down() -> None:
    against = {
        (by, of) for by, found in TOOL.graph().items() for of in found if not may_import(by, of)
    }
    assert against == set()


def test_imports_are_statements() -> None:
    """`import_module` is for libraries: readers and type checkers do not see it."""
    assert [one for one in TOOL.imports() if one.hidden] == []


def test_no_modules_of_a_room_import_each_other() -> None:
    below: dict[str, set[str]] = {name: set() for name in TOOL.modules()}
    for one in TOOL.imports():
        if TOOL.room_of(one.by) == TOOL.room_of(one.of):
            below[one.by].add(one.of)
    assert {circle for name in below if (circle := _circle(name, below))} == set()


def _circle(name: str, below: Mapping[str, set[str]]) -> frozenset[str]:
    """Return the modules that a module imports, at however many removes, and that import it."""
    reached = {other: _reached(other, below) for other in _reached(name, below)}
    return frozenset(other for other, its in reached.items() if name in its and other in its)


def _reached(name: str, below: Mapping[str, set[str]]) -> set[str]:
    found: set[str] = set()
    waiting = [name]
    while waiting:
        fresh = below[waiting.pop()] - found
        found |= fresh
        waiting += fresh
    return found


def test_imports_are_absolute() -> None:
    relative = [
        f"{name}:{node.lineno}"
        for name, node in nodes()
        if isinstance(node, ast.ImportFrom) and node.level
    ]
    assert relative == []


@cache
def nodes() -> tuple[tuple[str, ast.AST], ...]:
    """Return every node of every module, with the path of the module."""
    return tuple(
        (path.relative_to(ROOT).as_posix(), node)
        for path in TOOL.modules().values()
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
    )


def test_libraries_stay_at_home() -> None:
    abroad = {
        (name, library)
        for name, node in nodes()
        for library in libraries(node)
        if library in HOME and name.partition("/")[0] not in HOME[library].split()
    }
    assert abroad == set()


def libraries(node: ast.AST) -> Iterator[str]:
    """Yield the first names of the modules that a node imports, by name or by statement."""
    if isinstance(node, ast.ImportFrom):
        yield str(node.module).partition(".")[0]
    elif isinstance(node, ast.Import):
        yield from (alias.name.partition(".")[0] for alias in node.names)
    elif isinstance(node, ast.Call) and last_name(node.func) in ("import_module", "__import__"):
        yield from (
            str(a.value).partition(".")[0] for a in node.args if isinstance(a, ast.Constant)
        )


def last_name(node: ast.AST) -> str:
    """Return the last name of an expression: `now` of `datetime.now`."""
    return node.id if isinstance(node, ast.Name) else str(getattr(node, "attr", ""))


FILES = frozenset({"open", "read_text", "read_bytes", "write_text", "write_bytes", "iterdir"})
CLOCKS = frozenset({"now", "utcnow", "today"})
# `.time()` of a datetime is no clock: what is asked here is where a name comes from.
OUTSIDE = frozenset({"time", "os", "io", "socket", "subprocess", "shutil", "tempfile", "random"})


def test_the_core_reads_no_clock_and_no_file() -> None:
    found = {
        name
        for name, node in nodes()
        if not name.startswith(("web/", "command/", "population/")) and reads_the_world(node)
    }
    assert found ^ READS.keys() == set()


def reads_the_world(node: ast.AST) -> bool:
    """Tell whether a node calls a clock or a file, or gets hold of one under another name."""
    if isinstance(node, ast.Call):
        return last_name(node.func) in FILES | CLOCKS
    if isinstance(node, ast.Attribute):
        # `clock = datetime.now`: a class is written with a capital letter or is one of these.
        return node.attr in CLOCKS and last_name(node.value) in ("datetime", "date")
    return not OUTSIDE.isdisjoint(libraries(node))


def test_what_reads_the_world_is_seen() -> None:
    """The test above can fail: each way to a clock or a file is noticed, and a field is not."""
    for line in (
        "datetime.now(zone)",
        "clock = date.today",
        "from time import monotonic as m",
        "import time",
        "path.read_bytes()",
        "open(path)",
    ):
        assert any(reads_the_world(node) for node in ast.walk(ast.parse(line))), line
    for line in ("moment = environment.now", "late.time()", "now = 1"):
        assert not any(reads_the_world(node) for node in ast.walk(ast.parse(line))), line


def test_the_drawing_is_fresh() -> None:
    assert TOOL.DRAWING.read_text("utf-8") == TOOL.drawing(), "run `make rooms`"
    assert TOOL.PAGE.read_text("utf-8") == TOOL.page(), "run `make rooms`"
