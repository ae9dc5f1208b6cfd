"""A trail shows when it was changed: each way to change it is found, and a crash is none."""

import json
import os
import stat
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest
from click.testing import CliRunner

from carepath.command.main import main
from carepath.web.audit.chain import FIRST, BrokenChain, Trail, Verified, verify

WRITER = """
import sys
from pathlib import Path
from carepath.web.audit.chain import Trail

for number in range(40):
    Trail(Path(sys.argv[1])).add({"writer": sys.argv[2], "number": number})
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return a trail of four events, one of them with what could be taken for a seal."""
    trail = Trail(tmp_path / "audit")
    for event in ({"a": 1}, {"b": 'x","seal":"' + FIRST}, {"c": "ä\n\r"}, {"d": [1, 2.5]}):
        trail.add(event)
    return tmp_path / "audit"


def found(file: Path, *noted: str) -> Verified:
    return verify(file.read_bytes().splitlines(keepends=True), noted)


def seals(file: Path) -> list[str]:
    return [json.loads(line)["seal"] for line in file.read_text("utf-8").splitlines()]


def test_a_trail_is_whole_and_for_its_owner_only(file: Path) -> None:
    assert found(file, *seals(file)) == Verified(4, seals(file)[-1], 0)
    assert stat.S_IMODE(os.stat(file).st_mode) == 0o600
    assert [json.loads(line)["event"] for line in file.read_text("utf-8").splitlines()][2] == {
        "c": "ä\n\r"
    }


def test_what_is_not_there_yet_is_whole(tmp_path: Path) -> None:
    assert verify([]) == Verified(0, FIRST, 0)


def changed(lines: list[bytes]) -> list[bytes]:
    return [lines[0], lines[1].replace(b'"b"', b'"B"'), *lines[2:]]


def sealed_anew(lines: list[bytes]) -> list[bytes]:
    """Return lines of which one was changed together with its own seal."""
    entry = json.loads(lines[1])
    head = json.dumps(
        {"number": 2, "previous": entry["previous"], "event": {"b": 2}}, separators=(",", ":")
    ).encode()[:-1]
    seal = sha256(head).hexdigest().encode()
    return [lines[0], head + b',"seal":"' + seal + b'"}\n', *lines[2:]]


@pytest.mark.parametrize(
    ("change", "line", "reason"),
    [
        (changed, 2, "its seal is not that of what it says"),
        (sealed_anew, 3, "it should be entry 3, sealing the one before"),
        (lambda lines: [lines[0], *lines[2:]], 2, "it should be entry 2, sealing the one before"),
        (lambda lines: lines[1:], 1, "it should be entry 1, sealing the one before"),
        (
            lambda lines: [lines[0], lines[2], lines[1], lines[3]],
            2,
            "it should be entry 2, sealing the one before",
        ),
        (lambda lines: [*lines, lines[3]], 5, "it should be entry 5, sealing the one before"),
        (
            lambda lines: [lines[0], b"garbage\n", *lines[2:]],
            3,
            "it should be entry 2, sealing the one before",
        ),
    ],
)
def test_each_change_is_found(file: Path, change: object, line: int, reason: str) -> None:
    lines = file.read_bytes().splitlines(keepends=True)
    with pytest.raises(BrokenChain) as caught:
        verify(change(lines))  # type: ignore[operator]
    assert (caught.value.line, caught.value.reason) == (line, reason)


def test_an_end_that_is_cut_off_is_found_by_a_noted_seal(file: Path) -> None:
    last = seals(file)[-1]
    lines = file.read_bytes().splitlines(keepends=True)[:-1]
    assert verify(lines).entries == 3
    with pytest.raises(BrokenChain, match=f"no entry has the seal {last}"):
        verify(lines, [last])


@pytest.mark.parametrize("torn", [b"", b"{", b'{"number":5,"previous":"'])
def test_a_crash_in_the_middle_of_a_line_ends_nothing(file: Path, torn: bytes) -> None:
    with file.open("ab") as stream:
        stream.write(torn)
    Trail(file).add({"e": 5})
    Trail(file).add({"f": 6})
    assert found(file) == Verified(6, seals_of_entries(file)[-1], 1 if torn else 0)


def seals_of_entries(file: Path) -> list[str]:
    lines = file.read_text("utf-8").splitlines()
    return [json.loads(line)["seal"] for line in lines if line.endswith('"}')]


def test_a_first_line_that_is_torn_ends_nothing(tmp_path: Path) -> None:
    file = tmp_path / "audit"
    file.write_bytes(b"{")
    Trail(file).add({"a": 1})
    assert (found(file).entries, found(file).unfinished) == (1, 1)


def test_a_file_of_something_else_is_not_added_to(tmp_path: Path) -> None:
    file = tmp_path / "audit"
    file.write_bytes(b"notes\n")
    with pytest.raises(BrokenChain):
        Trail(file).add({"a": 1})
    assert file.read_bytes() == b"notes\n"


def test_an_entry_larger_than_what_is_read_at_once(tmp_path: Path) -> None:
    trail = Trail(tmp_path / "audit")
    for size in (10, 70_000, 140_000, 10):
        trail.add({"text": "x" * size})
    assert found(tmp_path / "audit").entries == 4


def test_several_processes_write_one_chain(tmp_path: Path) -> None:
    file = tmp_path / "audit"
    command = [sys.executable, "-c", WRITER, str(file)]
    writers = [subprocess.Popen([*command, name]) for name in ("one", "two")]
    assert [writer.wait(60) for writer in writers] == [0, 0]
    assert found(file).entries == 80


def test_the_command_says_what_it_found(file: Path) -> None:
    last = seals(file)[-1]
    result = CliRunner().invoke(main, ["audit", "verify", str(file), "--noted", last])
    assert (result.exit_code, result.stdout) == (0, f"4 entries, last seal {last}\n")
    file.write_bytes(file.read_bytes().replace(b'"a":1', b'"a":2'))
    result = CliRunner().invoke(main, ["audit", "verify", str(file)])
    assert (result.exit_code, result.output) == (
        1,
        "error: Line 1 of the audit trail does not fit: its seal is not that of what it says.\n",
    )
