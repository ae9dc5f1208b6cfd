"""The pictures of the README: there, named, small, and taken from the page as it is."""

import re
import struct
import subprocess
import sys
from pathlib import Path

from browser import needs_browser  # type: ignore[import-not-found]
from shown_pages import ROOT

FOLDER = ROOT / "docs" / "pictures"
TOOL = ROOT / "tools" / "pictures.py"
LARGEST = 200_000


def sizes(folder: Path) -> dict[str, tuple[int, int]]:
    """Return width and height of the pictures in a folder, each held to be a small PNG."""
    found = {}
    for path in sorted(folder.iterdir()):
        content = path.read_bytes()
        assert content.startswith(b"\x89PNG\r\n\x1a\n"), path.name
        assert len(content) < LARGEST, path.name
        found[path.name] = struct.unpack(">II", content[16:24])
    return found


def test_the_readme_shows_each_picture_and_says_what_is_on_it() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    shown = re.findall(r"^!\[([^\]]+)\]\(docs/pictures/([^)]+)\)$", readme, re.MULTILINE)
    kept = sizes(FOLDER)
    assert sorted(name for _, name in shown) == list(kept)
    assert len(kept) == 2
    assert [name for text, name in shown if len(text.split()) < 10] == []


@needs_browser
def test_the_page_still_shows_what_the_pictures_show(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, TOOL, "--to", tmp_path], check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert sizes(tmp_path) == sizes(FOLDER)
