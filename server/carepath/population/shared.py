"""What is about nobody in particular (a Medication, an Organization), for whoever refers to it.

https://hl7.org/fhir/R4/compartmentdefinition-patient.html

An SQLite file holds these lines by `Type/id`, so that memory does not grow with them: a worker
reads those that a patient's lines refer to, and what these refer to in turn.
"""

import re
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from carepath.population.partition import SourceLine

_REFERENCE = re.compile(rb'"reference"\s*:\s*"([^"\\]{3,500})"')
_MOST = 2_000
"""Lines that one patient may bring along."""
_STEPS = 3
_TOGETHER = 500
"""Names in one question to SQLite."""
_ROWS = 10_000


class Shared:
    """The lines while they are written; of two with one name the first counts."""

    def __init__(self, path: Path) -> None:
        self._base = sqlite3.connect(path, isolation_level=None)
        self._base.executescript(
            "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;"
            "CREATE TABLE line (base TEXT, name TEXT, file INTEGER, line INTEGER, data BLOB,"
            " PRIMARY KEY (name, base)) WITHOUT ROWID;"
        )
        self._waiting: list[tuple[str, str, int, int, bytes]] = []
        self.count = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None
    ) -> None:
        if kind is None:
            self._write()
        self._base.close()

    def add(self, name: str, base: str, file: int, line: int, data: bytes) -> None:
        """Add a line under its name `Type/id`."""
        self.count += 1
        self._waiting.append((base, name, file, line, data))
        if len(self._waiting) >= _ROWS:
            self._write()

    def _write(self) -> None:
        self._base.execute("BEGIN")
        self._base.executemany("INSERT OR IGNORE INTO line VALUES (?, ?, ?, ?, ?)", self._waiting)
        self._base.execute("COMMIT")
        self._waiting = []


class SharedLines:
    """The lines while they are read."""

    def __init__(self, path: Path, files: Sequence[tuple[str, str]]) -> None:
        self._files = files
        self._base = sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)

    @classmethod
    def unpacked(cls, data: bytes, files: Sequence[tuple[str, str]]) -> Self:
        """Return the lines in the bytes of such a file, held in memory."""
        made = cls(Path(":memory:"), files)
        made._base.deserialize(data)
        return made

    def of(self, lines: Iterable[SourceLine]) -> list[SourceLine]:
        """Return what lines refer to, and what that refers to, in the order of the input."""
        wanted = {(one.base, name) for one in lines for name in references_in(one.data)}
        found: dict[tuple[str, str], SourceLine] = {}
        for _ in range(_STEPS):
            fresh = [
                (name, line)
                for name, line in self._read(wanted - found.keys())
                if name not in found
            ][: _MOST - len(found)]
            if not fresh:
                break
            found |= fresh
            wanted = {(one.base, name) for _, one in fresh for name in references_in(one.data)}
        return sorted(found.values(), key=lambda one: (one.file, one.line))

    def _read(
        self, wanted: Iterable[tuple[str, str]]
    ) -> Iterator[tuple[tuple[str, str], SourceLine]]:
        asked = set(wanted)
        names = sorted({name for _, name in asked})
        for start in range(0, len(names), _TOGETHER):
            some = names[start : start + _TOGETHER]
            marks = ",".join("?" * len(some))
            rows = self._base.execute(
                f"SELECT base, name, file, line, data FROM line WHERE name IN ({marks})"  # noqa: S608 - question marks only
                " ORDER BY name, base",
                some,
            )
            for base, name, file, line, data in rows:
                if (base, name) in asked:
                    yield (base, name), SourceLine(self._files[file][0], line, data, base)


def references_in(data: bytes) -> set[str]:
    """Return the names `Type/id` that a line refers to, whatever the server; patients left out."""
    found: set[str] = set()
    for text in set(_REFERENCE.findall(data)):
        parts = text.decode(errors="replace").partition("/_history/")[0].rsplit("/", 2)
        if len(parts) > 1 and parts[-2] != "Patient":
            found.add("/".join(parts[-2:]))
    return found
