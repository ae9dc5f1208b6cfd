"""Lines sorted by patient on disk: parts by a hash, each read by itself, nothing held in memory.

A patient's place in all output is that of the CRC-32 of the name, then of the name itself.  A part
is a range of such places, so the order of the output does not depend on how many parts there are.
"""

import mmap
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from struct import Struct
from types import TracebackType
from typing import NamedTuple, Self
from zlib import crc32

PART_BYTES = 16_000_000
"""What a part shall hold, roughly; a worker has the places of its lines in memory."""
FEWEST, MOST = 16, 4096
"""Enough parts for several workers to end at about the same time, and not too many files."""
_BUFFERS = 64_000_000
_LARGEST_BUFFER = 256_000
_HEAD = Struct("<IIQHB")
"""Bytes of the line, number of the file and of the line, bytes of the name, what it is."""
_LINE, _BUNDLE, _BROKEN, _MOVED = range(4)


@dataclass(frozen=True, slots=True)
class SourceLine:
    """One resource as it was written, where, and what is known of it beforehand.

    `base` is the base URL of the server that it is of, if that is known.  A Bundle that holds
    several patients is there once for each of them.  What is broken is no JSON.
    """

    file: str
    line: int
    data: bytes
    base: str = ""
    is_bundle: bool = False
    is_broken: bool = False


class Place(NamedTuple):
    """Where a line stands in a part, and where it came from."""

    file: int
    line: int
    start: int
    end: int
    kind: int


class Patient(NamedTuple):
    """A patient of a part, the bytes of all lines, and where they stand."""

    key: str
    bytes: int
    places: Sequence[Place]


def order(key: str) -> tuple[int, bytes]:
    """Return the place of a patient among all: what output is sorted by."""
    name = key.encode()
    return crc32(name), name


def count_for(size: int) -> int:
    """Return how many parts input of so many bytes is sorted into."""
    return max(FEWEST, min(MOST, size // PART_BYTES + 1))


class Parts:
    """The parts while they are written."""

    def __init__(self, folder: Path, count: int) -> None:
        self._folder = folder
        self._buffers = [bytearray() for _ in range(count)]
        self._most = min(_LARGEST_BUFFER, _BUFFERS // count)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None
    ) -> None:
        if kind is None:
            self._finish()

    def add(self, key: str, file: int, line: int, data: bytes, kind: str = "line") -> None:
        """Add a line of a patient; `kind` is `line`, `bundle` or `broken`."""
        self._add(key, file, line, data, _KINDS[kind])

    def _add(self, key: str, file: int, line: int, data: bytes, kind: int) -> None:
        name = key.encode()
        number = self._number(name)
        buffer = self._buffers[number]
        buffer += _HEAD.pack(len(data), file, line, len(name), kind)
        buffer += name
        buffer += data
        if len(buffer) >= self._most:
            self._write(number)

    def move(self, homes: Mapping[str, str]) -> None:
        """Give the lines of some names to others; the old names have none any more."""
        by_part: dict[int, list[str]] = {}
        for old in homes:
            by_part.setdefault(self._number(old.encode()), []).append(old)
        for number, names in by_part.items():
            if self._buffers[number]:
                self._write(number)
            path = part_file(self._folder, number)
            if not path.exists():
                continue
            with Part(path, ()) as part:
                found = {one.key: one for one in part.patients}
                for old in filter(found.__contains__, sorted(names)):
                    for place in found[old].places:
                        data = part.data(place)
                        self._add(homes[old], place.file, place.line, data, place.kind)
                    self._add(old, 0, 0, b"", _MOVED)

    def _number(self, name: bytes) -> int:
        return crc32(name) * len(self._buffers) >> 32

    def _write(self, number: int) -> None:
        with part_file(self._folder, number).open("ab") as file:
            file.write(self._buffers[number])
        self._buffers[number] = bytearray()

    def _finish(self) -> None:
        """Write what is left, and see that all of it is on the disk."""
        for number, buffer in enumerate(self._buffers):
            if buffer:
                self._write(number)
            path = part_file(self._folder, number)
            if path.exists():
                with path.open("rb") as file:
                    os.fsync(file.fileno())


_KINDS = {"line": _LINE, "bundle": _BUNDLE, "broken": _BROKEN}


def part_file(folder: Path, number: int) -> Path:
    """Return the file of a part."""
    return folder / f"{number:04}.part"


class Part:
    """One part while it is read: its patients in order, and the lines of each when asked for."""

    def __init__(self, path: Path, files: Sequence[tuple[str, str]]) -> None:
        """Open a part; `files` are name and base URL of the files of the input."""
        self._files = files
        with path.open("rb") as file:
            self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        self.patients = tuple(self._patients())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._map.close()

    def lines(self, patient: Patient) -> Iterator[SourceLine]:
        """Yield the lines of a patient, in the order of the input."""
        for place in sorted(patient.places):
            name, base = self._files[place.file]
            yield SourceLine(
                name,
                place.line,
                self.data(place),
                base,
                is_bundle=place.kind == _BUNDLE,
                is_broken=place.kind == _BROKEN,
            )

    def data(self, place: Place) -> bytes:
        """Return what stands at a place."""
        return self._map[place.start : place.end]

    def _patients(self) -> list[Patient]:
        found: dict[bytes, list[Place]] = {}
        view, at, end = self._map, 0, len(self._map)
        while at < end:
            size, file, line, length, kind = _HEAD.unpack_from(view, at)
            start = at + _HEAD.size + length
            at = start + size
            name = view[start - length : start]
            if kind == _MOVED:
                found.pop(name, None)
            else:
                found.setdefault(name, []).append(Place(file, line, start, at, kind))
        ordered = sorted(found, key=lambda name: (crc32(name), name))
        return [
            Patient(name.decode(), sum(p.end - p.start for p in places), places)
            for name in ordered
            for places in (found[name],)
        ]
