"""Where the feedback on cards goes: the port, and a file to which lines are only ever added.

https://cds-hooks.hl7.org/2.0/#feedback

A line is one JSON object (`docs/cds-hooks.md` has its members); all workers write the same file.
"""

import fcntl
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from carepath.errors import MalformedInput
from carepath.formats import json as json_codec
from carepath.web.config import InvalidConfiguration
from carepath.web.http.logs import SERVER

_VARIABLE = "CAREPATH_CDS_HOOKS_FEEDBACK"
_MODE = 0o600
"""A comment may tell of a patient: only the service reads it."""
_LOGGED = ("service", "hook", "card", "outcome", "request_id")
Entry = Mapping[str, Any]


class Feedback(Protocol):
    """Takes what clinicians made of cards."""

    def keep(self, entries: Sequence[Entry]) -> None:
        """Keep entries for good; when it returns they are safe."""


class FeedbackLog:
    """Keeps in the log of the service what tells of no patient, where no file is set."""

    def keep(self, entries: Sequence[Entry]) -> None:
        """Write a line of the log for each entry, without reasons and comments."""
        for entry in entries:
            fields = {name: entry[name] for name in _LOGGED if name in entry}
            SERVER.info("feedback", extra={"fields": fields})


class FeedbackFile:
    """Adds lines to a file, which several processes may do at once."""

    def __init__(self, path: Path) -> None:
        """Take the file; raises InvalidConfiguration when it cannot be written."""
        self._path = path
        try:
            os.close(self._opened())
        except OSError as error:
            raise InvalidConfiguration(_VARIABLE, path, "a file that can be written") from error

    def keep(self, entries: Sequence[Entry]) -> None:
        """Add a line for each entry, all or none of them, and wait until the disk has them."""
        data = b"".join(json_codec.encode(entry) + b"\n" for entry in entries)
        file = self._opened()
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
            before = os.fstat(file).st_size
            try:
                _written(file, data)
                os.fsync(file)
            except OSError:
                os.ftruncate(file, before)
                raise
        finally:
            os.close(file)

    def _opened(self) -> int:
        return os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, _MODE)


def feedback_to(path: str) -> Feedback:
    """Return where feedback goes by the setting: the file, or the log when there is none."""
    return FeedbackFile(Path(path)) if path else FeedbackLog()


def entries_in(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the entries of a file, oldest first; raises MalformedInput that names the line."""
    with path.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            try:
                entry = json_codec.decode(line)
            except MalformedInput as error:
                raise MalformedInput("it is no feedback", f"line {number}") from error
            if not isinstance(entry, dict):
                raise MalformedInput("it is no feedback", f"line {number}")
            yield entry


def _written(file: int, data: bytes) -> None:
    while data:
        data = data[os.write(file, data) :]
