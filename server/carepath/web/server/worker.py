"""A worker of gunicorn that leaves the network to waitress.

https://docs.gunicorn.org/en/stable/design.html and https://docs.pylonsproject.org/projects/waitress/

gunicorn's master starts, watches and stops the workers; waitress reads whole requests and sends
whole answers in one poller, so that only a complete request has a thread.
"""

import os
import signal
import time
from typing import Any

from gunicorn.workers.base import Worker
from waitress import wasyncore

from carepath.web.server.listener import Listener

_POLL_SECONDS = 0.5


class PollingWorker(Worker):
    """A worker that no client can hold up by doing nothing."""

    def init_signals(self) -> None:
        """Leave Ctrl-C, which a terminal sends to all processes, to the one that started us.

        Extends `Worker.init_signals`, where SIGINT ends a worker at once (`handle_quit`).
        """
        super().init_signals()
        signal.signal(signal.SIGINT, signal.SIG_IGN)

    def run(self) -> None:
        """Serve until told to stop, or until the master is gone; then answer who has come."""
        app: Any = self.app
        poller: dict[int, Any] = {}
        sockets: Any = self.sockets
        listeners = [Listener(self.wsgi, poller, one.sock, app.config) for one in sockets]
        while self.alive and self.ppid == os.getppid():
            self._poll(poller)
        for one in listeners:
            one.stop()
        until = time.monotonic() + app.config.graceful_seconds
        while time.monotonic() < until and not all(one.is_done() for one in listeners):
            self._poll(poller)

    def _poll(self, poller: dict[int, Any]) -> None:
        self.notify()
        wasyncore.loop(timeout=_POLL_SECONDS, use_poll=True, map=poller, count=1)
