"""What a run writes: the result of each part beside the others, and the final files of them all.

Whatever counts is written beside, put on the disk and renamed: a file under its own name is whole.
"""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import copyfileobj
from typing import IO

from carepath.formats.json import decode, encode
from carepath.population.counts import Counts

CAREPLANS, ROWS, ERRORS, COUNTS = "careplans", "rows", "errors", "counts"
_KINDS = (CAREPLANS, ROWS, ERRORS)
_CHUNK = 1 << 20


@contextmanager
def beside(path: Path) -> Iterator[IO[bytes]]:
    """Open a file that gets its name when the block has ended well; raises OSError."""
    name = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with name.open("wb", buffering=_CHUNK) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        name.replace(path)
    finally:
        name.unlink(missing_ok=True)


def sync(path: Path) -> None:
    """See that a file, or the names in a folder, are on the disk."""
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def result_file(work: Path, part: int, kind: str) -> Path:
    """Return the file with the lines of one kind that a part gave."""
    return work / f"{part:04}.{kind}.ndjson"


def counts_file(work: Path, part: int) -> Path:
    """Return the file that is written last: a part that has it is done."""
    return work / f"{part:04}.{COUNTS}.json"


def done_parts(work: Path) -> list[int]:
    """Return the parts that are done."""
    return sorted(int(path.name[:4]) for path in work.glob(f"[0-9]*.{COUNTS}.json"))


def write_counts(work: Path, part: int, counts: Counts) -> None:
    """Say that a part is done, and what it counts; its other files have their names by now."""
    sync(work)
    with beside(counts_file(work, part)) as file:
        file.write(encode(counts.to_json()))


def counts_of(work: Path, parts: Iterable[int]) -> Counts:
    """Return the counts of all parts together."""
    total = Counts()
    for part in parts:
        total += Counts.from_json(decode(counts_file(work, part).read_bytes()))
    return total


def write(data: bytes, target: Path) -> None:
    """Write a file."""
    with beside(target) as file:
        file.write(data)


def put_together(sources: Iterable[Path], target: Path) -> None:
    """Write files one after the other into one."""
    with beside(target) as file:
        for source in sources:
            with source.open("rb") as lines:
                copyfileobj(lines, file, _CHUNK)
