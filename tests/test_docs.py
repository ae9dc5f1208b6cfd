"""The documentation tells the truth: links lead somewhere, commands and names are documented."""

import doctest
import importlib.util
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from types import ModuleType
from typing import Any, Literal, get_args, get_origin

import click
import pytest
from click.testing import CliRunner

import carepath
from carepath.apply.page.sheet import (
    Change,
    Changes,
    Choice,
    Item,
    Leaflet,
    Question,
    Sheet,
    Stage,
    Told,
    Visit,
)
from carepath.command.main import main

ROOT = Path(__file__).parent.parent
PAGES = sorted(
    path
    for folder in (
        ROOT,
        *(ROOT / name for name in ("docs", "pathways", "fhir_profiles", "examples", "tests")),
    )
    for path in (folder.glob("*.md") if folder == ROOT else folder.rglob("*.md"))
)
LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)#\s]+)")
# What stands in backticks and is the path of a file: `web/http/body`, `tests/apply/cases/a*.json`.
NAMED = re.compile(r"`([a-z_][\w-]*(?:/[\w.*-]+)*/?(?:\.\w+)?)`")


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    missing = [
        link for link in LINK.findall(page.read_text("utf-8")) if not (page.parent / link).exists()
    ]
    assert missing == []


@pytest.mark.parametrize("page", ["ARCHITECTURE.md", "CONTRIBUTING.md", "docs/development.md"])
def test_named_files_exist(page: str) -> None:
    named = [name for name in NAMED.findall((ROOT / page).read_text("utf-8")) if is_path(name)]
    assert named
    assert [name for name in named if not exists(name)] == []


def is_path(name: str) -> bool:
    """Tell whether a name in backticks means a file or folder, rather than code or a URL."""
    return "/" in name or name.endswith((".py", ".md", ".json", ".toml", ".txt"))


def exists(name: str) -> bool:
    """Tell whether a path leads somewhere from the root or the package, with or without `.py`."""
    return any(
        any(base.glob(f"{name.rstrip('/')}{end}"))
        for base in (ROOT, ROOT / "server/carepath")
        for end in ("", ".py")
    )


def tables(page: str) -> Iterator[list[list[str]]]:
    """Yield the tables of a page: rows of cells, the line below the head left out."""
    text = (ROOT / page).read_text("utf-8")
    for table in re.findall(r"(?:^\|.*\|$\n?)+", text, re.MULTILINE):
        rows = [re.split(r"(?<!\\)\|", line.strip("|")) for line in table.splitlines()]
        yield [[cell.strip() for cell in row] for row in (rows[0], *rows[2:])]


def test_each_walk_has_no_way_back() -> None:
    """No step of a walk names a module that an earlier step has named."""
    walks = [table for table in tables("ARCHITECTURE.md") if table[0][:2] == ["step", "where"]]
    assert len(walks) == 3
    for walk in walks:
        steps = [(row[0], name) for row in walk[1:] for name in NAMED.findall(row[1])]
        assert steps
        assert len({name for _, name in steps}) == len(steps), walk[1]


READINGS = list(tables("SPEC_NOTES.md"))


def test_readings_are_tables_of_one_form() -> None:
    text = (ROOT / "SPEC_NOTES.md").read_text("utf-8")
    assert text.count("\n## ") == len(READINGS)
    assert {tuple(table[0]) for table in READINGS} == {("issue", "reading", "reason", "files")}
    assert [row for table in READINGS for row in table if len(row) != 4 or not all(row)] == []
    issues = [row[0] for table in READINGS for row in table[1:]]
    assert sorted({issue for issue in issues if issues.count(issue) > 1}) == []


def test_readings_name_files_and_facts_that_exist() -> None:
    facts = {
        extension["valueExpression"].get("name")
        for library in carepath.Knowledge.shipped().all("Library")
        for extension in library.get("extension", ())
        if "valueExpression" in extension
    }
    untrue = [
        (row[0], item)
        for table in READINGS
        for row in table[1:]
        for item in row[3].split(", ")
        if not is_true(item, facts)
    ]
    assert untrue == []


def is_true(item: str, facts: set[str | None]) -> bool:
    """Tell whether an item of the column of files is a fact, a file, or a name within a file."""
    if fact := re.fullmatch(r"fact `(\w+)`", item):
        return fact[1] in facts
    file = re.fullmatch(r"`([^`]+)`(?: \(`(\w+)`\))?", item)
    if file is None or not exists(file[1]):
        return False
    paths = (base / file[1] for base in (ROOT, ROOT / "server/carepath"))
    return file[2] is None or any(p.exists() and file[2] in p.read_text("utf-8") for p in paths)


def commands(
    group: click.Group, names: tuple[str, ...] = ()
) -> Iterator[tuple[str, click.Command]]:
    for name, command in group.commands.items():
        yield " ".join((*names, name)), command
        if isinstance(command, click.Group):
            yield from commands(command, (*names, name))


@pytest.mark.parametrize(
    ("name", "command"), list(commands(main)), ids=lambda v: v if isinstance(v, str) else ""
)
def test_every_command_and_option_is_documented(name: str, command: click.Command) -> None:
    page = (ROOT / "docs/command-line.md").read_text("utf-8")
    assert f"carepath {name}" in page
    options = [o for p in command.params if isinstance(p, click.Option) for o in p.opts]
    assert [option for option in options if f"`{option}" not in page] == []


def test_every_make_target_is_documented() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    targets = re.findall(r"^([a-z-]+):.*## ", makefile, re.MULTILINE)
    page = (ROOT / "docs/development.md").read_text("utf-8")
    assert [target for target in targets if f"`make {target}" not in page] == []


def test_every_public_name_is_documented() -> None:
    pages = "".join(
        (ROOT / "docs" / name).read_text("utf-8") for name in ("python.md", "fhirpath.md")
    )
    assert [name for name in carepath.__all__ if name not in pages] == []


def test_every_library_is_explained() -> None:
    pyproject = (ROOT / "pyproject.toml").read_text("utf-8")
    block = pyproject.partition("\ndependencies = [")[2].partition("]\n")[0]
    names = re.findall(r'"([A-Za-z0-9_.-]+)', block)
    page = (ROOT / "ARCHITECTURE.md").read_text("utf-8").partition("## Libraries")[2]
    assert names
    assert [name for name in names if f"`{name}`" not in page] == []


@pytest.mark.parametrize("page", ["docs/python.md", "docs/fhirpath.md"])
def test_python_examples_run(page: str) -> None:
    """Blocks with `>>>` are run as doctests, others as one script."""
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / page).read_text("utf-8"), re.DOTALL)
    assert blocks
    script = "\n".join(block for block in blocks if ">>>" not in block)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    session = "\n".join(block for block in blocks if ">>>" in block)
    test = doctest.DocTestParser().get_doctest(session, {}, page, page, 0)
    told: list[str] = []
    doctest.DocTestRunner(verbose=False, optionflags=doctest.ELLIPSIS).run(test, out=told.append)
    assert told == []


def test_the_example_of_the_readme_is_what_comes_out() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    shown = re.search(r"<!-- example -->.*?```text\n(.*?)```", readme, re.DOTALL)
    assert shown
    example = str(ROOT / "examples/mcode-collection.json")
    arguments = ["apply", example, "--format", "summary", "--now", "2026-11-24T09:15:00+04:00"]
    printed = CliRunner().invoke(main, arguments).stdout.splitlines()
    assert [line for line in shown[1].splitlines() if line not in (*printed, "...")] == []


def tool(name: str) -> ModuleType:
    """Return a tool of the project as a module."""
    spec = importlib.util.spec_from_file_location(name, ROOT / f"tools/{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_pages_of_typical_patients_are_fresh() -> None:
    pages = dict(tool("example_pages").pages())
    kept = {path for path in (ROOT / "docs/examples").iterdir() if path.suffix != ".md"}
    assert kept == set(pages)
    stale = [path.name for path, text in pages.items() if path.read_text("utf-8") != text]
    assert stale == [], "run `make example-pages`"


TYPES = {str: "text", bool: "truth", int: "number"}


def in_words(kind: Any) -> str:
    """Return a type as the table for authors of templates writes it."""
    inner = get_args(kind)
    if get_origin(kind) is tuple:
        return f"list of {in_words(inner[0])}"
    if get_origin(kind) is Literal:
        return " or ".join(f"`{word}`" for word in inner)
    if type(None) in inner:
        return f"{in_words(inner[0])}, or none"
    return TYPES.get(kind) or str(kind.__name__)


def test_every_value_for_templates_is_documented() -> None:
    """The tables name what a sheet and its parts hold, in order, with the types."""
    parts = (Sheet, Item, Told, Choice, Question, Visit, Stage, Leaflet, Changes, Change)
    defined = [
        (part.__name__, field.name, in_words(field.type))
        for part in parts
        for field in fields(part)
    ]
    listed = [
        (of, row[0].strip("`"), row[1])
        for table in tables("docs/pages.md")
        if (of := table[0][0].strip("`")) in {part.__name__ for part in parts}
        for row in table[1:]
    ]
    assert listed == defined


def test_no_page_speaks_of_machines() -> None:
    found = [
        page.name
        for page in PAGES
        if re.search(
            r"/(work|tmp/|root)/|registry\.npmjs|pypi\.org/simple", page.read_text("utf-8")
        )
    ]
    assert found == []
