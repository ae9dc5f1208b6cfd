"""Running the service under gunicorn: workers, threads, limits, a stop that waits.

https://docs.gunicorn.org/en/stable/custom.html
"""

import gc
import os
import shutil
import socket
import sys
import tempfile
from pathlib import Path
from typing import Any

from gunicorn import glogging
from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter
from gunicorn.http import errors as http_errors
from gunicorn.workers.base import Worker

from carepath.web.config import Config
from carepath.web.gunicorn.refused_head import read_head
from carepath.web.gunicorn.timed_socket import SlowHead, head_so_far
from carepath.web.gunicorn.worker import ConnectionWorker, most_connections
from carepath.web.http import body, logs, outcomes
from carepath.web.http.negotiation import CONTENT_TYPES

_METRICS = "PROMETHEUS_MULTIPROC_DIR"
_LONGEST_LINE = 8190
_SPARE_SECONDS = 30
_YOUNG_OBJECTS = 10_000
_SWITCH_SECONDS = 0.02
_STATUS_OF: tuple[tuple[type[Exception], int], ...] = (
    (http_errors.LimitRequestLine, 414),
    (http_errors.LimitRequestHeaders, 431),
    (http_errors.ExpectationFailed, 417),
    (http_errors.UnsupportedTransferCoding, 501),
    (http_errors.ForbiddenProxyRequest, 403),
    (SlowHead, 408),
    (http_errors.ParseException, 400),
)


class FhirWorker(ConnectionWorker):
    """A worker whose own refusals are OperationOutcomes, too."""

    def handle_error(self, req: Any, client: socket.socket, addr: Any, exc: BaseException) -> None:
        """Answer what the HTTP parser refused, or a failure outside the application.

        Replaces `Worker.handle_error`, which writes a page of HTML.
        """
        status = next((code for kind, code in _STATUS_OF if isinstance(exc, kind)), 500)
        outcome = outcomes.outcome_of_status(status)
        wish = read_head(_head_of(req) if req else head_so_far())
        data = body.encode(outcome.resource, wish.format)
        head = (
            f"HTTP/1.1 {outcome.status} {outcomes.phrase(outcome.status)}\r\n"
            f"Content-Type: {CONTENT_TYPES[wish.format]}\r\n"
            f"X-Request-Id: {wish.request_id}\r\n"
            f"Content-Length: {len(data)}\r\nConnection: close\r\n\r\n"
        )
        fields = {"request_id": wish.request_id, "status": outcome.status}
        self.log.warning(
            "refused before the application: %s", type(exc).__name__, extra={"fields": fields}
        )
        try:
            client.sendall(head.encode("ascii") + (data if wish.has_body else b""))
        except OSError:
            self.log.debug("the client is gone")


def _head_of(req: Any) -> bytes:
    """Return the head of a request that has been read, as it came."""
    lines = [f"{req.method} {req.uri} HTTP/1.1", *(f"{k}: {v}" for k, v in req.headers)]
    return "\r\n".join(lines).encode("latin-1", "replace")


class Logger(glogging.Logger):
    """Gunicorn's own log in our form."""

    def setup(self, cfg: Any) -> None:
        """Replace the handlers that `glogging.Logger.setup` has set up."""
        super().setup(cfg)
        logs.configure(cfg.loglevel)


class Master(Arbiter):
    """The process that starts and stops the workers."""

    def handle_int(self) -> None:
        """Stop as SIGTERM does; a second Ctrl-C ends what still runs.

        Replaces `Arbiter.handle_int`, which stops without waiting for requests that run.
        """
        self.handle_term()


class Application(BaseApplication):
    """The service as a gunicorn application."""

    def __init__(self, config: Config) -> None:
        self._config = config
        super().__init__()

    @property
    def body_seconds(self) -> float:
        """How long a request may take to arrive; longer when it is large."""
        return self._config.body_seconds

    def load_config(self) -> None:
        """Translate our settings to gunicorn's; `BaseApplication` leaves this to us."""
        for name, value in gunicorn_settings(self._config).items():
            self.cfg.set(name, value)

    def run(self) -> None:
        """Run until a signal stops it.

        Replaces `BaseApplication.run`, which starts an `Arbiter` that is not ours.
        """
        Master(self).run()

    def load(self) -> Any:
        """Make the application, once, before the workers are forked (`preload_app`)."""
        # The folder of the metrics must be known before they are imported.
        from carepath.web.app import create_app  # noqa: PLC0415
        from carepath.web.operations.apply import warm_up  # noqa: PLC0415
        from carepath.web.service import EXTENSION  # noqa: PLC0415

        app = create_app(self._config)
        warm_up(app.extensions[EXTENSION])
        return app


def gunicorn_settings(config: Config) -> dict[str, Any]:
    """Return gunicorn's settings for a deployment."""
    host = f"[{config.host}]" if ":" in config.host else config.host
    return {
        "bind": f"{host}:{config.port}",
        "workers": config.workers,
        "threads": config.threads,
        "worker_class": FhirWorker,
        "preload_app": True,
        "worker_connections": most_connections(),
        "keepalive": config.keepalive_seconds,
        "graceful_timeout": config.graceful_seconds,
        # Operations end themselves; this catches a worker that no longer answers at all.
        "timeout": int(config.request_seconds) + _SPARE_SECONDS,
        "limit_request_line": _LONGEST_LINE,
        # Whom to believe about X-Forwarded-* is decided in `urls`, by one setting.
        "forwarded_allow_ips": "",
        "control_socket_disable": True,
        "logger_class": Logger,
        "loglevel": config.log_level,
        "proc_name": "carepath",
        "when_ready": _ready,
        "child_exit": _worker_ended,
    }


def serve(config: Config) -> None:
    """Run the service until it is told to stop; SIGTERM and Ctrl-C let running requests end."""
    logs.configure(config.log_level)
    # Nearly all that is made at the start is kept: looking for the rest would take a fifth of it.
    gc.disable()
    folder = None
    if _METRICS not in os.environ:
        folder = Path(tempfile.mkdtemp(prefix="carepath-metrics-"))
        os.environ[_METRICS] = str(folder)
    parent = os.getpid()
    try:
        Application(config).run()
    finally:
        if folder is not None and os.getpid() == parent:
            shutil.rmtree(folder, ignore_errors=True)


def _ready(server: Arbiter) -> None:
    """Say where the service listens, just before the workers are forked."""
    # What is loaded by now lives as long as the process: the collector need not look at it again.
    gc.collect()
    gc.freeze()
    gc.enable()
    # An application leaves no circles behind: looking often would find nothing.
    gc.set_threshold(_YOUNG_OBJECTS, 20, 20)
    # Most operations take less: each runs to its end, and not in turns with the others' beginnings.
    sys.setswitchinterval(_SWITCH_SECONDS)
    addresses = [listener.getsockname()[:2] for listener in server.LISTENERS]
    logs.SERVER.info("ready", extra={"fields": {"listening": addresses}})


def _worker_ended(_server: Arbiter, worker: Worker) -> None:
    """Take a worker that is gone out of the metrics of those that run."""
    from prometheus_client import multiprocess  # noqa: PLC0415  as above

    multiprocess.mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]
