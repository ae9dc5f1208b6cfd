"""The process that starts, watches and stops the workers.

https://docs.gunicorn.org/en/stable/custom.html
"""

import gc
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from gunicorn import glogging
from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter
from gunicorn.workers.base import Worker

from carepath.apply.page.setting import forget_templates
from carepath.errors import CarepathError
from carepath.web.authorisation.door import refuse_open_door
from carepath.web.config import Config
from carepath.web.http import logs
from carepath.web.server.worker import PollingWorker

_METRICS = "PROMETHEUS_MULTIPROC_DIR"
_SHARED_MEMORY = "/dev/shm"  # noqa: S108 - where there is no other; the file has no name in it
_SPARE_SECONDS = 30
_YOUNG_OBJECTS = 10_000
_SWITCH_SECONDS = 0.02


class Logger(glogging.Logger):
    """Gunicorn's own log in our form."""

    def setup(self, cfg: Any) -> None:
        """Replace the handlers that `glogging.Logger.setup` has set up."""
        super().setup(cfg)
        logs.configure(cfg.loglevel)


class Master(Arbiter):
    """The process that starts and stops the workers."""

    app: Any

    def reload(self) -> None:
        """Read the content anew and start workers with it; those that run go on where it is broken.

        Extends `Arbiter.reload`, which starts new workers with what was loaded at the start.
        """
        if self.app.renew():
            super().reload()

    def handle_int(self) -> None:
        """Stop as SIGTERM does; a second Ctrl-C ends what still runs.

        Replaces `Arbiter.handle_int`, which stops without waiting for requests that run.
        """
        self.handle_term()

    def handle_usr2(self) -> None:
        """Go on: a second master beside this one would keep the port when this one is stopped.

        Replaces `Arbiter.handle_usr2`, which starts one; SIGHUP renews the workers.
        """
        logs.SERVER.warning("SIGUSR2 is ignored; SIGHUP starts new workers")


class Application(BaseApplication):
    """The service as a gunicorn application."""

    def __init__(self, config: Config) -> None:
        self.config = config
        super().__init__()

    def load_config(self) -> None:
        """Translate our settings to gunicorn's; `BaseApplication` leaves this to us."""
        for name, value in gunicorn_settings(self.config).items():
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

        app = create_app(self.config)
        warm_up(app.extensions[EXTENSION])
        return app

    def renew(self) -> bool:
        """Load what is to be served once more; tell whether it can be, and log why it cannot."""
        forget_templates()
        # What was loaded before is let go: frozen, it would stay for ever.
        gc.unfreeze()
        try:
            self.callable = self.load()
        except CarepathError as error:
            fields = {"because": str(error)}
            logs.SERVER.error("not loaded anew; the workers go on", extra={"fields": fields})
            return False
        except Exception as error:  # noqa: BLE001  whatever it is, those that run are in order
            logs.ERRORS.error("not loaded anew; the workers go on", exc_info=error)
            return False
        finally:
            _keep_what_is_loaded()
        logs.SERVER.info("loaded anew")
        return True


def gunicorn_settings(config: Config) -> dict[str, Any]:
    """Return gunicorn's settings for a deployment."""
    host = f"[{config.host}]" if ":" in config.host else config.host
    return {
        "bind": f"{host}:{config.port}",
        "workers": config.workers,
        "worker_class": PollingWorker,
        "worker_tmp_dir": _folder_of_heartbeats(),
        "preload_app": True,
        "graceful_timeout": config.graceful_seconds,
        # Operations end themselves; this catches a worker that no longer answers at all.
        "timeout": int(config.request_seconds) + _SPARE_SECONDS,
        "control_socket_disable": True,
        "logger_class": Logger,
        "loglevel": config.log_level,
        "proc_name": "carepath",
        "when_ready": _ready,
        "child_exit": _worker_ended,
    }


def serve(config: Config) -> None:
    """Run the service until it is told to stop; SIGTERM and Ctrl-C let running requests end.

    Whoever calls has the collector off since before this was loaded; `_ready` puts it on again.
    """
    refuse_open_door(config)
    logs.configure(config.log_level)
    folder = None if _METRICS in os.environ else _folder_of_figures()
    parent = os.getpid()
    try:
        Application(config).run()
    finally:
        if folder is not None and os.getpid() == parent:
            shutil.rmtree(folder, ignore_errors=True)


def _folder_of_heartbeats() -> str | None:
    """Return where gunicorn may keep its file for each worker: as usual, else in shared memory."""
    try:
        tempfile.gettempdir()
    except OSError:
        return _SHARED_MEMORY
    return None


def _folder_of_figures() -> Path | None:
    """Make a folder for the figures of all workers; without one each keeps its own in memory."""
    try:
        folder = Path(tempfile.mkdtemp(prefix="carepath-metrics-"))
    except OSError as error:
        fields = {"because": error.strerror or "no temporary folder"}
        logs.SERVER.warning("figures are kept in memory only", extra={"fields": fields})
        return None
    os.environ[_METRICS] = str(folder)
    return folder


def _ready(server: Arbiter) -> None:
    """Say where the service listens, just before the workers are forked."""
    _keep_what_is_loaded()
    gc.enable()
    # An application leaves no circles behind: looking often would find nothing.
    gc.set_threshold(_YOUNG_OBJECTS, 20, 20)
    # Most operations take less: each runs to its end, and not in turns with the others' beginnings.
    sys.setswitchinterval(_SWITCH_SECONDS)
    addresses = [listener.getsockname()[:2] for listener in server.LISTENERS]
    logs.SERVER.info("ready", extra={"fields": {"listening": addresses}})


def _keep_what_is_loaded() -> None:
    """Spare the collector what lives as long as a worker, in the master and so in its workers."""
    gc.collect()
    gc.freeze()


def _worker_ended(_server: Arbiter, worker: Worker) -> None:
    """Take a worker that is gone out of the metrics of those that run."""
    from carepath.web.http import metrics  # noqa: PLC0415  as above

    metrics.process_ended(int(worker.pid))
