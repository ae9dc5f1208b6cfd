"""The connections of a worker: which of them may have a thread, and how they come to their end.

https://www.rfc-editor.org/rfc/rfc9112.html#section-9

gunicorn keeps a thread waiting for each connection that is silent, and its whole worker for each
client that does not hang up after an answer that closes the connection.  Here both wait in the
poller, which costs nothing but a descriptor.

This rests on parts of gunicorn 27 that are private to it; each override says which part it replaces
or extends, so that whoever raises the pinned version knows what to read beside it.
"""

import resource
import selectors
import signal
import socket
import time
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any

from gunicorn.workers import gthread

from carepath.web.gunicorn.timed_socket import Paced

_MOST_CONNECTIONS = 1000
_OTHER_FILES = 64
_LINGER_SECONDS = 10.0
_AT_STOP_SECONDS = 2.0
_AT_ONCE = 65_536
_DRAINED = 65_536
"""As much of a body that nobody wants is read, so that the connection can go on."""


def most_connections() -> int:
    """Return how many connections a worker may hold, within the descriptors that it has."""
    descriptors = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return max(_OTHER_FILES, min(_MOST_CONNECTIONS, descriptors - _OTHER_FILES))


class ConnectionWorker(gthread.ThreadWorker):
    """A gthread worker that no client can hold up by doing nothing."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        app: Any = self.app
        self._seconds: float = app.body_seconds
        self._most: int = most_connections()
        self._lingering: deque[Any] = deque()

    def init_signals(self) -> None:
        """Leave Ctrl-C, which a terminal sends to all processes, to the one that started us.

        Extends `Worker.init_signals`, where SIGINT ends a worker at once (`handle_quit`).
        """
        super().init_signals()
        signal.signal(signal.SIGINT, signal.SIG_IGN)

    def handle(self, conn: Any) -> Any:
        """Serve a connection; one that is silent goes to the poller at once.

        Replaces the first lines of `ThreadWorker.handle`, which keep a thread for up to
        `DEFAULT_WORKER_DATA_TIMEOUT` before they return `_DEFER`; the rest is gunicorn's.
        """
        if not conn.initialized and not conn.wait_for_data(0):
            return gthread._DEFER  # type: ignore[attr-defined]
        self._pace(conn)
        return super().handle(conn)

    def handle_request(self, req: Any, conn: Any) -> Any:
        """Answer a request whose head has been read, and say so when the connection ends by it.

        Extends `ThreadWorker.handle_request`: `Request.should_close` also is true for a body that
        nobody read, which `ThreadWorker._keepalive_after` would read to its end.
        """
        reading = conn.parser.unreader.sock
        asked = req.should_close
        if isinstance(reading, Paced):
            reading.head_is_read()
            req.should_close = lambda: asked() or _is_unread(req.body)
        return super().handle_request(req, conn)

    def finish_request(self, conn: Any, fs: Any) -> None:
        """Take a connection back from its thread; one that ends is closed without waiting.

        Replaces two of the three branches of `ThreadWorker.finish_request`: a silent connection
        waits for `body_seconds`, also at a stop, and not for the time of a kept connection; one
        that ends is not closed by `TConn.close(graceful=True)`, which reads on in the main loop
        until the client hangs up.  A connection that is kept is left to gunicorn.
        """
        result = False if fs.cancelled() or fs.exception() else fs.result()
        if result is gthread._DEFER:  # type: ignore[attr-defined]
            seconds = self._seconds if self.alive else _AT_STOP_SECONDS
            self._park(conn, self.pending_conns, self.on_pending_socket_readable, seconds)
        elif result is False and _has_said_goodbye(conn.sock):
            self._park(conn, self._lingering, self._discard, _LINGER_SECONDS)
        elif result is False:
            self._close(conn)
        else:
            super().finish_request(conn, fs)

    def set_accept_enabled(self, enabled: bool | None) -> None:
        """Take clients or not; at a stop, those who have come already are let in first.

        Extends `ThreadWorker.set_accept_enabled`, by which `ThreadWorker.run` stops listening:
        whoever stood in the queue of the socket then would get no answer.
        """
        if enabled or self.alive:
            super().set_accept_enabled(enabled)
            return
        held = -1
        while held != self.nr_conns:
            held = self.nr_conns
            for listener in self.sockets:
                self.accept(listener)
        super().set_accept_enabled(False)
        # Who comes now is refused at once; in the queue of an open socket nobody would answer.
        for listener in self.sockets:
            listener.close()

    def murder_pending(self) -> None:
        """Close what has waited long enough, and the oldest of those that wait when all is full.

        Replaces `ThreadWorker.murder_pending`, which `ThreadWorker.run` calls once a second: there
        are two queues instead of one, and a worker that is full makes room instead of waiting for
        `murder_keepalived`.
        """
        now = time.monotonic()
        for waiting in (self.pending_conns, self._lingering):
            if not self.alive:
                _hurry(waiting, now + _AT_STOP_SECONDS)
            while waiting and (waiting[0].timeout or now) <= now:
                self._drop(waiting)
        while self.nr_conns >= self._most:
            waiting = self._lingering or self.pending_conns or self.keepalived_conns
            if not waiting:
                return
            self._drop(waiting)

    def _park(
        self, conn: Any, waiting: deque[Any], readable: Callable[..., None], seconds: float
    ) -> None:
        """Let a connection wait in the poller, until it can be read or for some seconds."""
        conn.sock.setblocking(False)
        conn.timeout = time.monotonic() + seconds
        waiting.append(conn)
        self.poller.register(conn.sock, selectors.EVENT_READ, partial(readable, conn))

    def _pace(self, conn: Any) -> None:
        """Let the next request of a connection arrive within a time."""
        conn.init()
        unreader = getattr(conn.parser, "unreader", None)
        if unreader is None:
            return
        if isinstance(unreader.sock, Paced):
            unreader.sock.begin()
        else:
            unreader.sock = Paced(unreader.sock, self._seconds)

    def _discard(self, conn: Any, client: socket.socket) -> None:
        """Read on until the client hangs up: to close before that could destroy the answer."""
        try:
            if client.recv(_AT_ONCE):
                return
        except BlockingIOError:
            return
        except OSError:
            self.log.debug("the client is gone")
        self.poller.unregister(client)
        self._lingering.remove(conn)
        self._close(conn)

    def _drop(self, waiting: deque[Any]) -> None:
        conn = waiting.popleft()
        self.poller.unregister(conn.sock)
        self._close(conn)

    def _close(self, conn: Any) -> None:
        self.nr_conns -= 1
        conn.close()


def _has_said_goodbye(connection: socket.socket) -> bool:
    """End our side of a connection, the client's stays open; tell whether it was there at all."""
    try:
        connection.shutdown(socket.SHUT_WR)
    except OSError:
        return False
    return True


def _hurry(waiting: deque[Any], until: float) -> None:
    for conn in waiting:
        conn.timeout = min(conn.timeout, until)


def _is_unread(body: Any) -> bool:
    """Tell whether more of a body is left than is worth reading, or nobody knows how much."""
    reader = body.reader
    if body.failed or getattr(reader, "length", 0) > _DRAINED:
        return True
    return getattr(reader, "parser", None) is not None
