"""Mistakes that authors of content make, each told in sentences.

`desmoid` is a folder of an author that is in order; a file in `mistakes` changes it (`change`) and
says what is then told (`says`): by `carepath lint` about the definitions of the folder, or by
`carepath test` about its cases.
"""

import json
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from carepath.authoring.lint import lint
from carepath.command.folders import loaded_from, not_read
from carepath.command.main import main
from carepath.errors import InvalidContent

HERE = Path(__file__).parent
MISTAKES = sorted((HERE / "mistakes").glob("*.json"))
CONTENT = Path("content")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(HERE / "desmoid", tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def change(folder: Path, changes: Iterable[dict[str, str]]) -> None:
    """Make the changes: write a file, copy one (`copy`), or replace a text in one."""
    for one in changes:
        file = folder / one["file"]
        if "replace" in one:
            before = file.read_text("utf-8")
            assert one["replace"] in before
            file.write_text(before.replace(one["replace"], one["with"]), "utf-8")
        elif "copy" in one:
            shutil.copyfile(folder / one["copy"], file)
        else:
            file.write_text(one["text"], "utf-8")


def told_by(command: str) -> list[str]:
    """Return the lines that a command prints about the folder of the author."""
    if command == "test":
        arguments = ["test", "--content", "content", "--cases", "cases"]
        return CliRunner().invoke(main, arguments, catch_exceptions=False).output.splitlines()
    try:
        loaded = loaded_from([CONTENT])
    except InvalidContent as error:
        return [f"error: {error}"]
    findings = [*not_read([CONTENT]), *lint(loaded.knowledge, loaded.files, loaded.files)]
    return [line for finding in findings for line in str(finding).splitlines()]


def test_the_folder_is_in_order(folder: Path) -> None:
    assert (told_by("lint"), told_by("test")) == ([], ["2 passed, 0 failed"])


@pytest.mark.parametrize("file", MISTAKES, ids=lambda file: file.stem)
def test_a_mistake_is_told(file: Path, folder: Path) -> None:
    mistake: dict[str, Any] = json.loads(file.read_text("utf-8"))
    change(folder, mistake["change"])
    assert told_by(mistake["command"]) == mistake["says"]


def test_there_are_mistakes_of_each_kind() -> None:
    assert len(MISTAKES) >= 75
