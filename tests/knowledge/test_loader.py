"""What stands in a folder of definitions and is no plain file is refused by name, at once."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from carepath.errors import InvalidContent
from carepath.knowledge import Knowledge, loader

VALUE_SET = '{"resourceType": "ValueSet", "url": "http://x/vs", "status": "active"}'


def content(folder: Path) -> Path:
    """Return a folder with one definition in it."""
    (folder / "content").mkdir()
    (folder / "content" / "a.json").write_text(VALUE_SET)
    return folder / "content"


def _pipe(folder: Path) -> None:
    os.mkfifo(folder / "x.json")


def _link_to_pipe(folder: Path) -> None:
    os.mkfifo(folder / "pipe")
    (folder / "x.json").symlink_to(folder / "pipe")


def _link_out(folder: Path) -> None:
    (folder.parent / "outside.json").write_text(VALUE_SET)
    (folder / "x.json").symlink_to("../outside.json")


def _link_to_nothing(folder: Path) -> None:
    (folder / "x.json").symlink_to("gone.json")


def _link_to_itself(folder: Path) -> None:
    (folder / "x.json").symlink_to("x.json")


def _link_to_folder(folder: Path) -> None:
    (folder / "x").symlink_to(folder)


def _large(folder: Path) -> None:
    with (folder / "x.json").open("wb") as file:
        file.truncate(loader.MAX_FILE_BYTES + 1)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (_pipe, "`x.json` is broken at `file`: it is no plain file."),
        (_link_to_pipe, "`x.json` is broken at `file`: it is no plain file."),
        (_link_out, "`x.json` is broken at `file`: it is a link that leads out of the folder."),
        (
            _link_to_nothing,
            "`x.json` is broken at `file`: it cannot be read (No such file or directory).",
        ),
        (
            _link_to_itself,
            "`x.json` is broken at `file`: it cannot be read (its links lead in a circle).",
        ),
        (
            _link_to_folder,
            "`x` is broken at `folder`: it is a link to a folder; name that folder.",
        ),
        (_large, "`x.json` is broken at `file`: it has more than 64000000 bytes."),
    ],
)
def test_what_is_no_plain_file(tmp_path: Path, make: Callable[[Path], None], said: str) -> None:
    folder = content(tmp_path)
    make(folder)
    with pytest.raises(InvalidContent) as caught:
        Knowledge.from_folder(folder)
    assert str(caught.value) == said


@pytest.mark.parametrize(
    ("method", "said"),
    [
        ("read_bytes", "`a.json` is broken at `file`: it cannot be read (Permission denied)."),
        ("iterdir", "`{folder}` is broken at `folder`: it cannot be read (Permission denied)."),
    ],
)
def test_what_may_not_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, method: str, said: str
) -> None:
    folder = content(tmp_path)

    def denied(_: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(type(folder), method, denied)
    with pytest.raises(InvalidContent) as caught:
        Knowledge.from_folder(folder)
    assert str(caught.value) == said.format(folder=folder)


def test_links_as_a_mounted_volume_has_them_are_followed(tmp_path: Path) -> None:
    folder = content(tmp_path)
    (folder / "..2026").mkdir()
    (folder / "a.json").rename(folder / "..2026" / "a.json")
    (folder / "..data").symlink_to("..2026")
    (folder / "a.json").symlink_to("..data/a.json")
    (tmp_path / "linked").symlink_to(folder)
    for way in (folder, tmp_path / "linked"):
        assert [v["url"] for v in Knowledge.from_folder(way).all("ValueSet")] == ["http://x/vs"]
