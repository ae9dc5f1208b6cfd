"""A table of moments that all workers share: until when a client is over its rate, and the like.

https://docs.python.org/3/library/mmap.html and https://docs.python.org/3/library/fcntl.html

It is made before the workers are forked, in a file without a name or in one that outlives a
restart.  The lock is the operating system's, and free again when a worker dies with it.
"""

import fcntl
import hashlib
import mmap
import struct
import tempfile
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

_PLACE = struct.Struct("=16sd")
_TRIED = 16
"""Places at which an entry may stand."""
_SHARED_MEMORY = "/dev/shm"  # noqa: S108 - where there is no other; the file has no name in it

Change = Callable[[float], float]
"""From the moment that stands in the table, 0 for none, to the one that is to stand there."""


class Full(Exception):
    """There is no place for another entry."""


class SharedTimes:
    """Moments by name, in a bounded table; a moment that is over may be forgotten."""

    def __init__(self, places: int, path: Path | None = None) -> None:
        """Make the table, or go on with the one in a file; raises OSError."""
        self._places = places
        size = places * _PLACE.size
        self._file = _file(path)
        weakref.finalize(self, self._file.close)
        held = self._file.seek(0, 2)
        # Written, not only made long: memory that is promised and not there would end a worker.
        self._file.write(bytes(max(0, size - held)))
        self._file.flush()
        self._table = mmap.mmap(self._file.fileno(), size)
        # The lock of the operating system is between processes, this one between threads.
        self._lock = threading.Lock()

    def update(self, name: str, now: float, change: Change, *, evict: bool = False) -> float:
        """Change the moment of a name; return the one that was there, 0 for none or one over.

        Where there is no place, raises Full, or takes the one that is over first.
        """
        tag = hashlib.blake2b(name.encode(), digest_size=16).digest()
        with self._locked():
            place, before = self._place(tag, now, evict)
            _PLACE.pack_into(self._table, place, tag, change(before))
        return before

    def _place(self, tag: bytes, now: float, evict: bool) -> tuple[int, float]:
        """Return where an entry stands or may stand, and its moment."""
        free, soonest, least = -1, -1, float("inf")
        start = int.from_bytes(tag[:8], "big")
        for step in range(_TRIED):
            place = (start + step) % self._places * _PLACE.size
            held, moment = _PLACE.unpack_from(self._table, place)
            if held == tag:
                return place, moment if moment > now else 0.0
            if moment <= now and free < 0:
                free = place
            if moment < least:
                soonest, least = place, moment
        if free < 0 and not evict:
            raise Full
        return (free if free >= 0 else soonest), 0.0

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with self._lock:
            fcntl.lockf(self._file, fcntl.LOCK_EX)
            try:
                yield
            finally:
                fcntl.lockf(self._file, fcntl.LOCK_UN)


def _file(path: Path | None) -> IO[bytes]:
    """Return the file of a table: a named one that only its owner reads, or one without a name."""
    if path is not None:
        path.touch(mode=0o600, exist_ok=True)
        return path.open("r+b", buffering=0)
    try:
        return tempfile.TemporaryFile(buffering=0)
    except OSError:
        return tempfile.TemporaryFile(buffering=0, dir=_SHARED_MEMORY)
