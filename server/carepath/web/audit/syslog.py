"""AuditEvents to a syslog server: on this machine, by UDP, by TCP or by TLS.

https://www.rfc-editor.org/rfc/rfc5424 (the message), https://www.rfc-editor.org/rfc/rfc5425 (TLS)
and https://www.rfc-editor.org/rfc/rfc6587#section-3.4.1 (TCP with octet counting)

A stream has no receipt: whoever keeps one open learns too late that nobody listens any more.  So
each event has a connection of its own, which is closed in order and waits for the other side.
"""

import errno
import json
import os
import socket
import ssl
import time
from collections.abc import Callable
from contextlib import suppress
from logging.handlers import SysLogHandler
from typing import Any
from urllib.parse import urlsplit

from carepath.resources import Resource

_FACILITY, _SEVERITY = SysLogHandler.LOG_AUTHPRIV, SysLogHandler.LOG_NOTICE
"""As IHE ATNA has them: https://profiles.ihe.net/ITI/TF/Volume2/ITI-20.html."""
_NOTHING = "-"
_LONGEST_HOST = 255


def message(event: Resource, host: str, process: int) -> str:
    """Return an event as a message without its priority: `1 TIMESTAMP HOST ...`.

    It is JSON in ASCII, which needs no byte order mark.
    """
    name = "".join(c for c in host if c.isascii() and c.isprintable() and c != " ")
    head = f"1 {event['recorded']} {name[:_LONGEST_HOST] or _NOTHING} carepath {process}"
    return f"{head} AuditEvent {_NOTHING} {json.dumps(event, separators=(',', ':'))}"


class Datagrams:
    """A syslog that takes single messages: the socket of this machine, or UDP."""

    def __init__(self, address: str, seconds: float) -> None:
        """Take `/path` or `udp://host:port`; nothing is opened yet."""
        self._address, self._seconds = _target(address), seconds

    def add(self, event: Resource) -> None:
        """Send an event; raises OSError.  By UDP nobody knows whether it arrives."""
        data = _numbered(event)
        with self._connected(socket.SOCK_DGRAM) as connection:
            connection.sendall(data)

    def _connected(self, kind: socket.SocketKind) -> socket.socket:
        family, to = self._of_kind(kind)
        made = socket.socket(family, kind)
        # The handler of the standard library tries again without an end where nobody reads.
        made.settimeout(self._seconds)
        try:
            made.connect(to)
        except OSError as error:
            made.close()
            if error.errno != errno.EPROTOTYPE or kind is socket.SOCK_STREAM:
                raise
            return self._connected(socket.SOCK_STREAM)
        return made

    def _of_kind(self, kind: socket.SocketKind) -> tuple[int, Any]:
        """Return family and address as a socket takes them."""
        if isinstance(self._address, str):
            return socket.AF_UNIX, self._address
        host, port = self._address
        family, _, _, _, to = socket.getaddrinfo(host, port, type=kind)[0]
        return family, to


class Stream:
    """A syslog that is reached by TCP or TLS; the length of each message stands before it."""

    def __init__(self, address: str, seconds: float, context: ssl.SSLContext | None) -> None:
        """Take `tcp://host:port`, or `tls://host:port` with how certificates are checked."""
        self._address, self._seconds, self._context = _target(address), seconds, context

    def add(self, event: Resource) -> None:
        """Send an event; raises OSError, also where the certificate is not to be trusted."""
        data = _numbered(event)
        left = _clock(self._seconds)
        with socket.create_connection(self._address, left()) as plain:
            plain.settimeout(left())
            connection = self._secured(plain)
            with connection:
                connection.settimeout(left())
                connection.sendall(b"%d " % len(data) + data)
                _close(connection, left)

    def _secured(self, plain: socket.socket) -> socket.socket:
        if self._context is None:
            return plain
        return self._context.wrap_socket(plain, server_hostname=self._address[0])


def _numbered(event: Resource) -> bytes:
    """Return the message for an event, its priority first."""
    text = message(event, socket.gethostname(), os.getpid())
    return f"<{_FACILITY * 8 + _SEVERITY}>{text}".encode()


def _close(connection: socket.socket, left: Callable[[], float]) -> None:
    """Say that there is nothing more, and wait for the other side to have read it.

    What it says to that, or that it says nothing, changes nothing: the event is sent.
    """
    with suppress(OSError):
        connection.settimeout(left())
        if isinstance(connection, ssl.SSLSocket):
            connection.unwrap()
            return
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(1024):
            connection.settimeout(left())


def _clock(seconds: float) -> Callable[[], float]:
    """Return how much time is left, asked again and again; asking too late raises TimeoutError."""
    end = time.monotonic() + seconds

    def left() -> float:
        found = end - time.monotonic()
        if found <= 0:
            raise TimeoutError("syslog does not answer in time")
        return found

    return left


def _target(address: str) -> Any:
    """Return the address as sockets take it: a path, or host and port."""
    parts = urlsplit(address)
    return (parts.hostname, parts.port) if parts.scheme else address
