"""Memory that large requests took and that the C library would keep for the next ones.

https://man7.org/linux/man-pages/man3/malloc_trim.3.html
"""

import ctypes
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_MANY_BYTES = 1_000_000
_LONG_SECONDS = 1.0


@contextmanager
def given_back(size: int) -> Iterator[None]:
    """Give back what is free after the block, when a request of this size or its time was large.

    What is freed between things that stay is not given back otherwise: a few hundred megabytes.
    """
    started = time.monotonic()
    try:
        yield
    finally:
        if size > _MANY_BYTES or time.monotonic() > started + _LONG_SECONDS:
            _trim()


def _trim() -> None:
    """Give back the free pages of the heap, where the C library can (glibc)."""
    trim: Any = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
