"""The lines of a file, read in bounded memory, however long a line and wherever a file ends.

https://github.com/ndjson/ndjson-spec and https://www.rfc-editor.org/rfc/rfc1952
"""

import gzip
import zlib
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import IO, cast

from carepath.errors import MalformedInput
from carepath.formats import xml
from carepath.formats.json import encode
from carepath.population.told import Told

MAX_LINE_BYTES = 64_000_000
"""A longer line is an error; a Bundle of 50,000 resources has less."""
_CHUNK = 1 << 20
_GZIP = b"\x1f\x8b"
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file of the input: its name within the input, and the server that its resources are of.

    `base` is the base URL of the server, empty when nobody said it; `count` how many resources
    the manifest of the export announces, -1 when it does not.
    """

    path: Path
    name: str
    base: str = ""
    count: int = -1

    @property
    def is_lines(self) -> bool:
        """Tell whether each line is a resource; otherwise the whole file is one."""
        return not self.name.removesuffix(".gz").endswith((".json", ".xml"))


@dataclass(frozen=True, slots=True)
class Line:
    """One resource as it was written, and where."""

    number: int
    data: bytes


def lines_of(file: SourceFile, most: int = MAX_LINE_BYTES) -> Iterator[Line | Told]:
    """Yield the lines that hold something, and what is wrong with the file where it is."""
    try:
        with ExitStack() as stack:
            stream = _opened(file.path, stack)
            if file.is_lines:
                yield from _lines(stream, file.name, most)
            else:
                yield from _whole(stream, file.name, most)
    except OSError as error:
        reason = error.strerror or str(error)
        yield Told(f"The file cannot be read ({reason}).", file.name, code="exception", hides=True)


def _opened(path: Path, stack: ExitStack) -> IO[bytes]:
    """Return the bytes of a file, unpacked when they are packed, whatever its name says."""
    raw = cast("BufferedReader", stack.enter_context(path.open("rb", buffering=_CHUNK)))
    if raw.peek(2)[:2] != _GZIP:
        return raw
    # No buffer of our own around it: that would lose what was unpacked just before a cut.
    return cast("IO[bytes]", stack.enter_context(gzip.GzipFile(fileobj=raw)))


def _lines(stream: IO[bytes], name: str, most: int) -> Iterator[Line | Told]:
    number = 0
    try:
        while line := stream.readline(most + 1):
            number += 1
            if len(line) > most and not line.endswith(b"\n"):
                _skip(stream)
                sentence = f"The line has more than {most} bytes and was not read."
                yield Told(sentence, name, number, code="too-long", hides=True)
                continue
            line = line.strip()
            if number == 1:
                line = line.removeprefix(_BYTE_ORDER_MARK)
            if line:
                yield Line(number, line)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        yield _cut(name, number, error)


def _skip(stream: IO[bytes]) -> None:
    """Read on to the end of a line, and keep nothing of it."""
    while (rest := stream.readline(_CHUNK)) and not rest.endswith(b"\n"):
        pass


def _cut(name: str, number: int, error: Exception) -> Told:
    how = "ends too early" if isinstance(error, EOFError) else "is damaged"
    sentence = f"The packed file {how} after line {number}: what stands before was read, and "
    return Told(
        sentence + "nobody knows what came after.", name, number, code="incomplete", hides=True
    )


def _whole(stream: IO[bytes], name: str, most: int) -> Iterator[Line | Told]:
    """Yield the one resource of a file, which may be XML."""
    try:
        data = stream.read(most + 1).strip().removeprefix(_BYTE_ORDER_MARK)
        if len(data) > most:
            sentence = f"The file has more than {most} bytes and was not read."
            yield Told(sentence, name, code="too-long", hides=True)
        elif data.startswith(b"<"):
            yield Line(0, encode(xml.decode(data)))
        elif data:
            yield Line(0, data)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        yield _cut(name, 0, error)
    except MalformedInput as error:
        yield Told(str(error), name, hides=True)
