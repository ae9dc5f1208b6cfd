"""Where the figures of a process are kept: in a file that others read, else in memory alone.

https://prometheus.github.io/client_python/multiprocess/

The library maps a file that it has only made longer, not written: when no room is left behind it,
writing a figure ends the process.  And it fails the request when the file cannot be made.  Here the
room is taken first, and where that fails the figures stay in the memory of their process.
"""

import mmap
import os
from typing import Any

from prometheus_client import mmap_dict, values

from carepath.web.http import logs

_ROOM = 1 << 16


class Figures(mmap_dict.MmapedDict):
    """Numbers by key; what is private here is that of prometheus-client 0.26."""

    _m: mmap.mmap
    _used: int
    _capacity: int

    def __init__(self, filename: str, read_mode: bool = False) -> None:
        """Open or make a file; begin with empty memory when that is not possible."""
        try:
            if not read_mode:
                _take_room(filename, _ROOM)
            super().__init__(filename, read_mode)  # type: ignore[no-untyped-call]
        except (OSError, ValueError, RuntimeError) as error:
            if read_mode:
                raise
            _tell(error)
            self._f: Any = None
            self._fname = filename
            self._move_to_memory(b"", _ROOM)
            self._positions: dict[str, int] = {}
            self._used = 8
            self._m[:4] = self._used.to_bytes(4, "little")

    def _init_value(self, key: str) -> None:
        """Make place for a key; extends the method that grows the file without taking room."""
        # A key is written with its length, up to eight bytes of padding and two numbers.
        needed = self._used + len(key.encode()) + 32
        capacity = self._capacity
        while capacity < needed:
            capacity *= 2
        if capacity > self._capacity:
            self._grow(capacity)
        super()._init_value(key)  # type: ignore[no-untyped-call]

    def _grow(self, capacity: int) -> None:
        if self._f is not None:
            try:
                os.posix_fallocate(self._f.fileno(), 0, capacity)
                self._m = mmap.mmap(self._f.fileno(), capacity)
            except OSError as error:
                _tell(error)
            else:
                self._capacity = capacity
                return
        self._move_to_memory(self._m[:], capacity)

    def _move_to_memory(self, held: bytes, capacity: int) -> None:
        self._m = mmap.mmap(-1, capacity)
        self._m[: len(held)] = held
        self._capacity = capacity

    def close(self) -> None:
        """Let go of the file or the memory."""
        if self._f is not None:
            super().close()  # type: ignore[no-untyped-call]


def use() -> None:
    """Let the library keep its figures so; to be called before the first figure is made."""
    values.MmapedDict = Figures  # type: ignore[attr-defined]


def _take_room(filename: str, room: int) -> None:
    descriptor = os.open(filename, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        size = os.fstat(descriptor).st_size
        try:
            os.posix_fallocate(descriptor, 0, max(room, size))
        except OSError:
            if not size:
                # Whoever adds up the figures of all cannot read an empty file.
                os.unlink(filename)
            raise
    finally:
        os.close(descriptor)


def _tell(error: Exception) -> None:
    because = getattr(error, "strerror", None) or type(error).__name__
    fields = {"because": because}
    logs.SERVER.warning("figures are kept in memory only", extra={"fields": fields})
