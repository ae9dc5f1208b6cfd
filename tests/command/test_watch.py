"""`carepath watch` checks a folder now and after each change, whatever the change breaks."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from carepath.command.main import main

DESMOID = Path(__file__).parents[1] / "authoring/desmoid"
PLAN = "content/plan-definition.json"
IN_ORDER = [
    "warning: The action `desmoid-watch#mri` is never not-met in a case; write one.",
    "warning: The action `desmoid-watch#team` is never undetermined in a case; write one.",
    "4 definitions, 2 cases, 0 errors, 2 warnings",
]
BROKEN = (
    "error: `content/plan-definition.json` is broken at `line 1, column 2`: not valid JSON, input "
    "data was truncated."
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(DESMOID, tmp_path / "desmoid"))


@pytest.fixture
def watch(folder: Path, tmp_path: Path) -> Iterator[Callable[[int], list[str]]]:
    """Return who waits for so many lines of a watch, and returns all that there are."""
    log = tmp_path / "log"
    with log.open("wb") as file:
        command = [sys.executable, "-m", "carepath", "watch", str(folder), "--no-pages"]
        process = subprocess.Popen(command, stdout=file, stderr=file)

    def lines(count: int) -> list[str]:
        found: list[str] = []
        for _ in range(1200):
            found = log.read_text("utf-8").splitlines()
            if len(found) >= count or process.poll() is not None:
                break
            time.sleep(0.05)
        return found

    try:
        yield lines
    finally:
        process.send_signal(signal.SIGINT)
        code = process.wait(timeout=30)
    assert code == 0


def replace(folder: Path, text: str) -> None:
    """Write a hidden file, which nobody is told of, and put it in the place of the plan at once."""
    (folder / ".hidden.json").write_text(text, "utf-8")
    os.replace(folder / ".hidden.json", folder / PLAN)


def test_each_change_is_checked(folder: Path, watch: Callable[[int], list[str]]) -> None:
    assert watch(3) == IN_ORDER
    good = (folder / PLAN).read_text("utf-8")
    replace(folder, "{")
    told = [*IN_ORDER, "", f"changed: {PLAN}", BROKEN]
    assert watch(6) == told
    replace(folder, good)
    assert watch(11) == [*told, "", f"changed: {PLAN}", *IN_ORDER]


def test_without_the_package_a_sentence_says_what_to_install(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    modules: dict[str, Any] = sys.modules
    monkeypatch.setitem(modules, "watchfiles", None)
    result = CliRunner().invoke(main, ["watch", str(folder)], catch_exceptions=False)
    assert (result.exit_code, result.stdout, result.stderr) == (
        1,
        "",
        "error: watchfiles is not installed: pip install 'carepath[watch]'\n",
    )
