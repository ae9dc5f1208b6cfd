"""Where a worker listens, and all connections that came from there."""

import resource
import sys
import time
from tempfile import TemporaryFile
from typing import Any

from waitress import wasyncore
from waitress.adjustments import Adjustments
from waitress.server import TcpWSGIServer

from carepath.web.config import Config
from carepath.web.http import logs
from carepath.web.server.connection import Connection
from carepath.web.server.lanes import Lanes
from carepath.web.server.request import LONGEST_HEAD

_MOST_CONNECTIONS = 1000
_OTHER_FILES = 64
_IN_MEMORY = 262_144
_LARGEST_ANSWER = 2**40
_LARGEST_AT_ONCE = 16
"""How many of the largest bodies may be on their way to a worker."""
_AT_STOP_SECONDS = 2.0


class Listener(TcpWSGIServer):
    """A listening socket that makes room, keeps time, and stops without losing anybody."""

    channel_class = Connection
    active_channels: Any

    def __init__(self, application: Any, poller: Any, listening: Any, config: Config) -> None:
        self.body_seconds = config.body_seconds
        self.keepalive_seconds = config.keepalive_seconds
        self.lanes = Lanes(config)
        self.is_stopping = False
        self.unfinished = 0
        """How many bytes have come of requests that are not complete."""
        self._most_unfinished = _LARGEST_AT_ONCE * config.max_body_bytes
        self._stopped = 0.0
        self._most = most_connections()
        name = listening.getsockname()
        super().__init__(
            application,
            map=poller,
            _sock=listening,
            dispatcher=self.lanes,  # type: ignore[arg-type]
            adj=Adjustments(**settings(config, self._most)),
            sockinfo=(listening.family, listening.type, listening.proto, name),
            bind_socket=False,
        )

    def add_task(self, task: Any) -> None:
        """Let the next request of a connection be answered, in its turn.

        Extends `BaseWSGIServer.add_task`.
        """
        if not task.hold():
            super().add_task(task)

    def handle_accept(self) -> None:
        """Take a client; when all is full, the oldest of those that wait makes room.

        Extends `BaseWSGIServer.handle_accept`.
        """
        if len(self.active_channels) >= self._most:
            waiting = [one for one in self.active_channels.values() if one.waits_for_client()]
            if waiting:
                min(waiting, key=lambda one: one.since).drop()
        super().handle_accept()

    def has_no_room(self, size: int) -> bool:
        """Tell whether a request of which so much has come is too much beside all others.

        What is small has room: all connections together could not fill the memory with it.
        """
        return size > _IN_MEMORY and self.unfinished > self._most_unfinished

    def handle_error(self) -> None:
        """Go on listening, whatever it is.

        Replaces `dispatcher.handle_error`, which would close the socket.
        """
        logs.ERRORS.error("a client could not be taken", exc_info=sys.exc_info()[1])

    def maintenance(self, now: float) -> None:
        """End what has lasted too long; waitress calls this once a second.

        Replaces `BaseWSGIServer.maintenance`, which knows of one time only, by the clock.
        """
        at = time.monotonic()
        self.lanes.shed(at)
        for one in list(self.active_channels.values()):
            one.keep_time(at)

    def stop(self) -> None:
        """Take no more clients than those that stand in the queue already."""
        self.is_stopping = True
        self._stopped = time.monotonic()
        held = -1
        while held != len(self.active_channels):
            held = len(self.active_channels)
            self.handle_accept()
        # Who comes now is refused at once; in the queue of an open socket nobody would answer.
        wasyncore.dispatcher.close(self)

    def is_done(self) -> bool:
        """Tell, after a stop, whether nobody is left who was promised an answer."""
        self.maintenance(0)
        connections = list(self.active_channels.values())
        if time.monotonic() < self._stopped + _AT_STOP_SECONDS:
            return not connections
        return not any(one.is_busy() for one in connections)


def settings(config: Config, connections: int) -> dict[str, Any]:
    """Return waitress's settings for a deployment."""
    in_memory = _IN_MEMORY if _has_files() else _LARGEST_ANSWER
    return {
        "max_request_header_size": LONGEST_HEAD,
        # waitress refuses what is as large as this.
        "max_request_body_size": config.max_body_bytes + 1,
        "inbuf_overflow": in_memory,
        "outbuf_overflow": in_memory,
        # A thread never waits for a client: what is not sent yet lies in a file.
        "outbuf_high_watermark": _LARGEST_ANSWER,
        "recv_bytes": 65_536,
        "connection_limit": connections + _OTHER_FILES // 2,
        "cleanup_interval": 1,
        # Whom to believe about X-Forwarded-* is decided in `urls`, by one setting.
        "clear_untrusted_proxy_headers": False,
        "log_socket_errors": False,
        "ident": None,
        "server_name": f"[{config.host}]" if ":" in config.host else config.host,
        "backlog": 2048,
    }


def _has_files() -> bool:
    """Tell whether a temporary file can be made; else all has to lie in memory."""
    try:
        with TemporaryFile():
            return True
    except OSError:
        return False


def most_connections() -> int:
    """Return how many connections a worker may hold; each may need a file besides its socket."""
    descriptors = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return max(_OTHER_FILES, min(_MOST_CONNECTIONS, (descriptors - _OTHER_FILES) // 2))
