"""The first stage: every line of the input into the part of its patient.

https://hl7.org/fhir/uv/bulkdata/STU2/export.html

Nothing is kept of a line but in the part it goes to: memory does not grow with the input.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from carepath.errors import CarepathError
from carepath.formats.json import decode
from carepath.population.bundle_owners import bundle_owners
from carepath.population.merged import homes, replacements
from carepath.population.ownership import Owners, guessed, head_of, owners
from carepath.population.partition import Parts
from carepath.population.shared import Shared
from carepath.population.sources.files import Input
from carepath.population.sources.lines import Line, SourceFile, lines_of
from carepath.population.told import Told

SHARED = "shared.sqlite"
_TOLD_ALIKE = 100
"""So many lines of one file are told of that have the same fault; the others are counted."""
MOST_TOLD = 10_000
_COPIES = 256_000_000
"""A Bundle of several patients is kept once for each; together they may hold so many bytes."""
_OFTEN = 4096


@dataclass(slots=True)
class Distributed:
    """What became of the lines: how many patients were named, and what is to be told."""

    patients: int = 0
    lines: int = 0
    types: Counter[str] = field(default_factory=Counter)
    unused: Counter[str] = field(default_factory=Counter)
    shared: int = 0
    hidden: int = 0
    told: list[Told] = field(default_factory=list)

    def remarks(self) -> tuple[str, ...]:
        """Return what must stand in every plan, since it may concern anybody."""
        if not self.hidden:
            return ()
        places = "1 place" if self.hidden == 1 else f"{self.hidden} places"
        return (
            f"The data may be incomplete: {places} of the input could not be used, and nobody "
            "knows whose data stand there.",
        )


def distribute(
    found: Input,
    work: Path,
    count: int,
    *,
    limit: int | None = None,
    progress: Callable[[int], None] = lambda lines: None,
) -> Distributed:
    """Read the input into `count` parts below a folder; `limit` takes the first patients only."""
    made = Distribution(found, limit)
    with Parts(work, count) as parts, Shared(work / SHARED) as shared:
        for number, file in enumerate(found.files):
            made.read(number, file, parts, shared, progress)
        made.result.shared = shared.count
        parts.move(homes(made.replaced))
    made.finish()
    return made.result


class PartsOfLines(Protocol):
    """What takes lines that are somebody's, by whose they are."""

    def add(self, key: str, file: int, line: int, data: bytes, kind: str = "line") -> None:
        """Take a line of a patient; `kind` is `line`, `bundle` or `broken`."""


class SharedOfLines(Protocol):
    """What takes lines that are nobody's in particular, by their names."""

    def add(self, name: str, base: str, file: int, line: int, data: bytes) -> None:
        """Take a line under its name `Type/id`."""


class Distribution:
    """One pass over the input, or over a part of it."""

    def __init__(self, found: Input, limit: int | None) -> None:
        self.result = Distributed()
        self._limit = limit
        self._chosen: set[str] = set()
        self._alike: Counter[tuple[str, str]] = Counter()
        self.replaced: list[tuple[str, str]] = []
        for told in found.told:
            self._tell(told)

    def read(
        self,
        number: int,
        file: SourceFile,
        parts: Parts,
        shared: Shared,
        progress: Callable[[int], None],
    ) -> None:
        """Read one file."""
        before, start = len(self.result.told), self.result.lines
        for line in lines_of(file):
            if self.take(number, file, line, parts, shared) and not self.result.lines % _OFTEN:
                progress(self.result.lines)
        self.end(file, self.result.lines - start, told=len(self.result.told) > before)

    def take(
        self,
        number: int,
        file: SourceFile,
        line: Line | Told,
        parts: PartsOfLines,
        shared: SharedOfLines,
    ) -> bool:
        """Put one line where it belongs, and tell whether there was one."""
        if isinstance(line, Told):
            self._tell(line)
            return False
        self.result.lines += 1
        self._line(number, file, line, parts, shared)
        return True

    def end(self, file: SourceFile, count: int, *, told: bool) -> None:
        """Tell of a file what its `count` lines do not; `told` that it was told of before."""
        if not count and not told:
            text = "The file is empty."
            self._tell(Told(text, file.name, severity="warning", code="informational"))
        elif file.count not in (-1, count):
            text = f"The manifest announces {file.count} resources, and the file holds {count}."
            self._tell(Told(text, file.name, code="incomplete", hides=count < file.count))

    def _line(
        self, number: int, file: SourceFile, line: Line, parts: PartsOfLines, shared: SharedOfLines
    ) -> None:
        """Put one line where it belongs."""
        head = head_of(line.data)
        if head is None:
            self._odd(number, file, line, parts)
            return
        kind = head.resourceType
        self.result.types[kind] += 1
        if kind == "Bundle":
            self._bundle(number, file, line, parts)
            return
        whose = owners(head, file.base)
        if kind == "Patient":
            self.result.patients += 1
            self.replaced += replacements(line.data, file.base)
        for key in whose.keys:
            self._add(parts, key, number, line, "line")
        if whose.is_shared:
            shared.add(f"{kind}/{head.id}", file.base, number, line.number, line.data)
        elif not whose.keys:
            self._nobody(file, line, whose)

    def _add(self, parts: PartsOfLines, key: str, number: int, line: Line, kind: str) -> None:
        if self._limit is not None and key not in self._chosen:
            if len(self._chosen) >= self._limit:
                return
            self._chosen.add(key)
        parts.add(key, number, line.number, line.data, kind)

    def _odd(self, number: int, file: SourceFile, line: Line, parts: PartsOfLines) -> None:
        """Put a line that is no resource of the usual shape where its text tells."""
        kind, key = guessed(line.data, file.base)
        try:
            value, reason = decode(line.data), "it has not the shape of a resource"
        except CarepathError as error:
            value, reason = None, str(getattr(error, "reason", error))
        if key:
            is_sound = isinstance(value, dict)
            self._add(parts, key, number, line, "line" if is_sound else "broken")
        sentence = f"The line cannot be read: {reason}."
        self._tell(Told(sentence, file.name, line.number, patient=key, hides=not key))
        self.result.types[kind or "unreadable"] += 1

    def _nobody(self, file: SourceFile, line: Line, whose: Owners) -> None:
        self.result.unused[whose.reason] += 1
        if whose.hides or "no resource type" in whose.reason:
            sentence = f"The resource was not used: {whose.reason}."
            told = Told(sentence, file.name, line.number, "warning", "not-found", hides=whose.hides)
            self._tell(told, whose.reason)

    def _bundle(self, number: int, file: SourceFile, line: Line, parts: PartsOfLines) -> None:
        """Put a Bundle to each patient in it."""
        try:
            keys = bundle_owners(line.data, f"{file.name}:{line.number}")
        except CarepathError as error:
            text = f"The Bundle cannot be read: {str(error).removesuffix('.')}."
            self._tell(Told(text, file.name, line.number, hides=True))
            return
        if not keys:
            text = "The Bundle holds no Patient."
            self._tell(Told(text, file.name, line.number, code="not-found"))
        if len(line.data) * len(keys) > _COPIES:
            text = f"The Bundle holds {len(keys)} patients and is too large for so many: send one "
            text += "Bundle for each, or files by type."
            self._tell(Told(text, file.name, line.number, code="too-costly", hides=True))
            return
        self.result.patients += len(keys)
        for key in keys:
            self._add(parts, key, number, line, "bundle")

    def _tell(self, told: Told, alike: str = "") -> None:
        """Take up what is to be told, unless there is much of the same."""
        self.result.hidden += told.hides
        key = (told.file, alike or told.sentence)
        self._alike[key] += 1
        if self._alike[key] <= _TOLD_ALIKE and len(self.result.told) < MOST_TOLD:
            self.result.told.append(told)

    def finish(self) -> None:
        """Say how often more than told there was the same."""
        self.result.told += rest_told(self.all_told, len(self.result.told))

    @property
    def all_told(self) -> int:
        """Return of how many places there is something to tell, whether it was taken up or not."""
        return sum(self._alike.values())


def rest_told(places: int, told: int) -> list[Told]:
    """Return what says how many places there are beside those that are told of."""
    text = f"{places - told} more places of the input have faults of the same kinds."
    return [Told(text, code="incomplete")] if places > told else []
