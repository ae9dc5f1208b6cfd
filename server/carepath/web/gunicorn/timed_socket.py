"""The reading side of a connection: a request has to arrive in time, not a byte now and then.

Each thread serves one connection while a request arrives, so a handful of clients that send next to
nothing would keep all others out.
"""

import socket
import threading
import time
from typing import Any

from gunicorn.http.errors import ParseException

_BYTES_PER_SECOND = 10_000
_LONGEST_HEAD = 65_536
_SERVED = threading.local()


def head_so_far() -> bytes:
    """Return what this thread has received of a request whose head is not complete."""
    return bytes(getattr(_SERVED, "head", b""))


class SlowHead(ParseException):
    """The request line and the header fields did not arrive in time."""


class Paced:
    """A socket whose `recv` ends with the time of the request; the rest is the socket's own.

    A request may take `seconds`, and as much longer as its bytes take on a slow line.  It stands in
    the place of `gunicorn.http.unreader.SocketUnreader.sock`.
    """

    def __init__(self, connection: socket.socket, seconds: float) -> None:
        self._connection = connection
        self._seconds = seconds
        self.begin()

    def begin(self) -> None:
        """Start the time of the next request."""
        self._is_head = True
        self._until = time.monotonic() + self._seconds
        _SERVED.head = bytearray()

    def head_is_read(self) -> None:
        """From here on, time that runs out is the body's."""
        self._is_head = False
        _SERVED.head = bytearray()

    def recv(self, size: int) -> bytes:
        """Return what has arrived; raise SlowHead or TimeoutError when the time is over."""
        own = self._connection.gettimeout()
        left = self._until - time.monotonic()
        try:
            if left <= 0:
                raise TimeoutError
            self._connection.settimeout(left if own is None else min(left, own))
            data = self._connection.recv(size)
        except TimeoutError as error:
            if self._is_head:
                raise SlowHead from error
            raise
        finally:
            self._connection.settimeout(own)
        self._until += len(data) / _BYTES_PER_SECOND
        if self._is_head and len(_SERVED.head) < _LONGEST_HEAD:
            _SERVED.head += data
        return data

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)
