"""The tutorial for Python users runs, and what stands below its cells is what comes out."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
NOTEBOOK = ROOT / "docs" / "tutorial.ipynb"
TOOL = ROOT / "tools" / "tutorial.py"


def check(notebook: Path) -> tuple[int, str]:
    command = [sys.executable, TOOL, "--check", notebook]
    done = subprocess.run(command, check=False, stdout=subprocess.PIPE, text=True)
    return done.returncode, done.stdout


def test_the_tutorial_is_fresh() -> None:
    assert check(NOTEBOOK) == (0, "")


def test_a_stale_cell_is_told(tmp_path: Path) -> None:
    held = json.loads(NOTEBOOK.read_text("utf-8"))
    held["cells"][7]["outputs"] = []
    stale = tmp_path / "stale.ipynb"
    stale.write_text(json.dumps(held), "utf-8")
    assert check(stale) == (1, "Not fresh, run `make tutorial`: cell-7.\n")
