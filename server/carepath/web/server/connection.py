"""One connection: what waitress leaves open about clients that are slow or do not read.

https://www.rfc-editor.org/rfc/rfc9112.html#section-9
"""

import socket
import sys
import time
from typing import Any

from waitress.channel import HTTPChannel
from waitress.utilities import Error

from carepath.errors import MalformedInput
from carepath.web.http import logs
from carepath.web.http.refusals import Busy
from carepath.web.server.answer import Answer, Refusal
from carepath.web.server.memory import given_back
from carepath.web.server.request import RETRY_AFTER, Request, RequestTimeout

_LINGER_SECONDS = 10.0
_BYTES_PER_SECOND = 100_000


class Connection(HTTPChannel):
    """A connection that ends when its client takes too long, in whatever it does."""

    parser_class = Request
    task_class = Answer
    error_task_class = Refusal
    server: Any
    request: Any
    requests: Any
    socket: Any
    requests_lock: Any

    def __init__(self, *args: Any, **options: Any) -> None:
        self.queued = 0.0
        """Since when its request waits for a thread."""
        self._is_held = False
        self._is_leaving = False
        self._is_served = False
        self._since = time.monotonic()
        self._unsent = 0
        self._unfinished = 0
        super().__init__(*args, **options)

    def service(self) -> None:
        """Answer one request.

        Extends `HTTPChannel.service`.
        """
        self._is_served = True
        try:
            with given_back(self.requests[0].size), self.server.lanes.counted(self):
                super().service()
        except BaseException:
            self.cancel()
            self.server.pull_trigger()
            raise
        finally:
            self._unsent = self.total_outbufs_len
            self._since = time.monotonic()
            self._is_served = False
        self._go_on()

    def refuse_load(self) -> None:
        """Let the request that waits be answered with 503."""
        self.requests[0].error = Busy(RETRY_AFTER)

    def hold(self) -> bool:
        """Tell whether the next request waits until the last answer is sent.

        Whoever asks and does not read would fill the memory with answers.
        """
        with self.outbuf_lock:
            self._is_held = bool(self._is_served or self.total_outbufs_len)
            return self._is_held

    def handle_read(self) -> None:
        """Read what has come; a client that hangs up in the middle of a request is told so.

        Extends `HTTPChannel.handle_read`: it may have closed only its own side of the connection.
        """
        if self.request is None or not self._is_at_end():
            super().handle_read()
            return
        with self.requests_lock:
            self._refuse(self.request.broken_off())

    def handle_write(self) -> None:
        """Send what can be sent.

        Extends `HTTPChannel.handle_write`.
        """
        super().handle_write()
        self._go_on()

    def readable(self) -> bool:
        """Tell whether to read: requests, or what is sent behind the last one.

        Extends `HTTPChannel.readable`.
        """
        return self._is_leaving or super().readable()

    def received(self, data: bytes) -> bool:
        """Take what has come, unless nobody wants it any more.

        Extends `HTTPChannel.received`.
        """
        if self._is_leaving:
            return False
        is_complete = super().received(data)
        request = self.request
        self._count_unfinished()
        if request is not None and self.server.has_no_room(request.size):
            with self.requests_lock:
                self._refuse(Busy(RETRY_AFTER))
        return is_complete

    def del_channel(self, map: Any = None) -> None:
        """Forget the connection, with what has come of its request.

        Extends `HTTPChannel.del_channel`.
        """
        self.request = None
        self._count_unfinished()
        super().del_channel(map)

    def handle_close(self) -> None:
        """Close; after an answer that ends the connection only our side of it, for a while.

        Extends `HTTPChannel.handle_close`: to close while the client still sends could destroy the
        answer.
        """
        is_over = self.socket is None or self._is_leaving or self.total_outbufs_len
        if is_over or not self.will_close or not self._has_said_goodbye():
            super().handle_close()
            return
        self.will_close = False
        self._is_leaving = True
        self._since = time.monotonic()

    def handle_error(self) -> None:
        """Give a connection up that nobody foresaw.

        Replaces `dispatcher.handle_error`, which writes down what the client sent.
        """
        logs.ERRORS.error("a connection failed", exc_info=sys.exc_info()[1])
        self.drop()

    def keep_time(self, now: float) -> None:
        """End what has lasted too long."""
        with self.requests_lock:
            if not self.waits_for_client():
                return
            is_late = self._is_request_late(now)
            if is_late and self.request is not None and not self.requests:
                self._refuse(RequestTimeout("the request did not arrive in time"))
                return
        if now > self._ends():
            self.drop()

    def drop(self) -> None:
        """Close at once."""
        super().handle_close()

    def waits_for_client(self) -> bool:
        """Tell whether the next step is the client's: to send, or to read."""
        is_ours = self._is_served or (self.requests and not self.total_outbufs_len)
        return not is_ours

    def is_busy(self) -> bool:
        """Tell whether something is asked for and not yet answered."""
        begun = self.requests or self.request
        return bool(begun or self.total_outbufs_len or self.close_when_flushed)

    @property
    def since(self) -> float:
        """Return since when nothing is done for this connection."""
        return self._since

    def _go_on(self) -> None:
        """Let the next request be answered, if one was held and nothing holds it any more."""
        with self.outbuf_lock:
            is_free = self.connected and not self._is_served and not self.total_outbufs_len
            goes_on = self._is_held and is_free
            self._is_held = self._is_held and not goes_on
        if goes_on:
            self.server.add_task(self)

    def _count_unfinished(self) -> None:
        """Tell the listener how much has come of a request that is not complete."""
        request = self.request
        size = 0 if request is None else request.size
        self.server.unfinished += size - self._unfinished
        self._unfinished = size

    def _refuse(self, error: Error | MalformedInput | Busy) -> None:
        """Answer what has come of a request; the lock of the requests is held."""
        request = self.request
        request.refuse(error)
        self.request = None
        self._count_unfinished()
        self.requests.append(request)
        self.server.add_task(self)

    def _is_request_late(self, now: float) -> bool:
        request = self.request
        return request is not None and bool(request.is_late(now, self.server.body_seconds))

    def _ends(self) -> float:
        """Return when the connection has lasted long enough."""
        seconds: float = self.server.body_seconds
        if self._is_leaving:
            return self._since + _LINGER_SECONDS
        if self.total_outbufs_len:
            return self._since + seconds + self._unsent / _BYTES_PER_SECOND
        if self.request is not None:
            return float("inf")
        idle: float = self.server.keepalive_seconds
        return self._since + idle

    def _is_at_end(self) -> bool:
        """Tell whether the client has sent all that it will send."""
        try:
            return not self.socket.recv(1, socket.MSG_PEEK)
        except OSError:
            return False

    def _has_said_goodbye(self) -> bool:
        """End our side of the connection; tell whether the client was there at all."""
        try:
            self.socket.shutdown(socket.SHUT_WR)
        except OSError:
            return False
        return True
