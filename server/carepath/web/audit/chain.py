"""A file of entries that is only added to; each entry seals all before it.

https://www.rfc-editor.org/rfc/rfc6234 (SHA-256)

A line is a JSON object: `number`, `previous` (the seal of the entry before), `event`, and `seal`,
the SHA-256 of the three as they stand in the line.  Whoever changes, removes, adds or reorders an
entry breaks the seals from there on; whoever cuts off the end is found by a seal noted before.
"""

import fcntl
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from carepath.errors import CarepathError, MalformedInput
from carepath.formats.json import decode, encode

FIRST = "0" * 64
"""What stands for the seal before the first entry."""
_SEAL = b',"seal":"'
_END = b'"}\n'
_BLOCK = 65_536
_TYPES = {"number": int, "previous": str, "event": dict, "seal": str}


@dataclass(eq=False)
class BrokenChain(CarepathError):
    """A trail was changed after it was written; `line` is the first that does not fit."""

    sentence = "Line {line} of the audit trail does not fit: {reason}."
    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class Verified:
    """What a trail holds that is whole."""

    entries: int
    seal: str
    """The seal of the last entry."""
    unfinished: int
    """Lines that a crash has left behind; nobody was answered for them."""


class Trail:
    """The trail of a deployment, which all its processes add to."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def add(self, event: dict[str, Any]) -> None:
        """Add an event; when this returns it is on the disk.

        Raises OSError, and BrokenChain where the last entry cannot be read.
        """
        descriptor = os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
        with os.fdopen(descriptor, "rb+", buffering=0) as file:
            # One process at a time: an entry seals the one before it.
            fcntl.flock(file, fcntl.LOCK_EX)
            number, seal, is_torn = _last_of(file)
            line = _line(number + 1, seal, event)
            written = file.write(b"\n" + line if is_torn else line)
            if written != len(line) + is_torn:
                raise OSError("the audit trail could not be written in full")
            os.fsync(file.fileno())


def verify(lines: Iterable[bytes], noted: Iterable[str] = ()) -> Verified:
    """Return what a trail holds; raises BrokenChain where an entry, or a noted seal, is missing."""
    wanted = set(noted)
    number, seal, unfinished, line = 0, FIRST, 0, 0
    for line, text in enumerate(lines, start=1):
        entry = _entry(text)
        if entry is None:
            unfinished += 1
            continue
        expected = (number + 1, seal)
        if (entry["number"], entry["previous"]) != expected:
            raise BrokenChain(line, f"it should be entry {number + 1}, sealing the one before")
        if entry["seal"] != _seal_in(text):
            raise BrokenChain(line, "its seal is not that of what it says")
        number, seal = entry["number"], entry["seal"]
        wanted.discard(seal)
    if wanted:
        raise BrokenChain(line, f"no entry has the seal {min(wanted)}, which was noted before")
    return Verified(number, seal, unfinished)


def _line(number: int, previous: str, event: dict[str, Any]) -> bytes:
    head = encode({"number": number, "previous": previous, "event": event}).strip()[:-1]
    return head + _SEAL + _sealed(head).encode() + _END


def _sealed(head: bytes) -> str:
    return sha256(head).hexdigest()


def _seal_in(text: bytes) -> str:
    """Return the seal that an entry should have."""
    return _sealed(text.rpartition(_SEAL)[0])


def _entry(text: bytes) -> dict[str, Any] | None:
    """Return the entry in a line, None where the line holds none."""
    try:
        entry = decode(text) if text.endswith(_END) else None
    except MalformedInput:
        return None
    if not isinstance(entry, dict) or entry.keys() != _TYPES.keys():
        return None
    is_whole = all(type(entry[name]) is kind for name, kind in _TYPES.items())
    return entry if is_whole else None


def _last_of(file: Any) -> tuple[int, str, bool]:
    """Return number and seal of the last entry, and whether the file ends within a line."""
    is_torn = False
    for text in _lines_from_the_end(file):
        entry = _entry(text)
        if entry is not None:
            return entry["number"], entry["seal"], is_torn
        is_torn = is_torn or not text.endswith(b"\n")
    if file.seek(0, os.SEEK_END) and not is_torn:
        raise BrokenChain(1, "the file holds no entry")
    return 0, FIRST, is_torn


def _lines_from_the_end(file: Any) -> Iterator[bytes]:
    """Yield the lines of a file, the last first."""
    at, rest = file.seek(0, os.SEEK_END), b""
    while at:
        size = min(_BLOCK, at)
        at -= size
        file.seek(at)
        rest = file.read(size) + rest
        first, *lines = rest.splitlines(keepends=True)
        yield from reversed(lines)
        rest = first
    if rest:
        yield rest
