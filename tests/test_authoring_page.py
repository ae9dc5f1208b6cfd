"""docs/authoring.md leads from nothing to a tested pathway: a test does what it says."""

import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from carepath.command.main import main
from carepath.knowledge import Knowledge
from carepath.web import Config, create_app

PAGE = Path(__file__).parent.parent / "docs" / "authoring.md"
BLOCK = re.compile(r"```console\n([\s\S]*?)```|((?:^\|.*\|\n)+)", re.MULTILINE)
CELL = re.compile(r"\| `(.*?)`(?= \|)")
SERVE = "carepath serve --content ."


def steps() -> Iterator[tuple[str, ...]]:
    """Yield what the section says in order: (command, what it prints) or (file, text, new text)."""
    section = PAGE.read_text("utf-8").partition("in ten minutes\n")[2].partition("\n## ")[0]
    for console, table in BLOCK.findall(section):
        for told in console.removeprefix("$ ").split("\n$ ") if console else ():
            command, _, printed = told.partition("\n")
            yield command, printed.strip("\n")
        for row in table.splitlines()[2:]:
            yield tuple(CELL.findall(row))


def printed_by(command: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Run a command of the section and return what it prints."""
    program, *arguments = shlex.split(command)
    if program == "cd":
        monkeypatch.chdir(arguments[0])
    elif program == "cp":
        shutil.copy(*arguments)
    else:
        assert program == "carepath"
        return CliRunner().invoke(main, arguments, catch_exceptions=False).output.strip("\n")
    return ""


def change(file: str, text: str, new: str) -> None:
    """Put a text in the place of one that stands in a file once."""
    before = Path(file).read_text("utf-8")
    assert before.count(text) == 1, (file, text)
    Path(file).write_text(before.replace(text, new), "utf-8")


def test_the_page_leads_to_a_tested_pathway(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = []
    for step in steps():
        done.append(len(step))
        if len(step) == 3:
            change(*step)
        elif step[0] != SERVE:
            printed = printed_by(step[0], monkeypatch)
            if step[1].startswith("... "):
                printed = f"... {printed.partition(' ')[2]}"
            assert printed == step[1], step[0]
    assert (done.count(2), done.count(3), step) == (11, 15, (SERVE, ""))
    held = Knowledge.shipped().with_folder(tmp_path / "our-content")
    service = create_app(Config(now="2026-11-27T12:00:00+00:00"), held).test_client()
    page = service.get("/pathways/lung-nodule", headers={"Accept": "text/html"})
    assert (page.status_code, "8 mm or larger" in page.text) == (200, True)
