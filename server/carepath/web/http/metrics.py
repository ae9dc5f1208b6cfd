"""Metrics for Prometheus: requests by route and status, their time, how many run.

https://prometheus.io/docs/instrumenting/exposition_formats/

With several workers, `PROMETHEUS_MULTIPROC_DIR` must be set before this module is imported;
`web/server/master.py` does so.  No figure ever fails a request, wherever it cannot be kept.
"""

import os
import struct
from contextlib import suppress

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
    multiprocess,
)

from carepath.web.http import figures
from carepath.web.http.logs import method_name

figures.use()

CONTENT_TYPE = CONTENT_TYPE_LATEST
_OF_ONE = b"# The figures of the other workers cannot be read: these are of one worker.\n"
_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)

REQUESTS = Counter("carepath_requests", "Requests answered.", ("method", "route", "status"))
SECONDS = Histogram(
    "carepath_request_seconds", "Time from the first byte to the answer.", ("route",),
    buckets=_BUCKETS,
)  # fmt: skip
RUNNING = Gauge(
    "carepath_requests_running", "Requests being answered now.", multiprocess_mode="livesum"
)
DEFINITIONS = Gauge(
    "carepath_definitions", "Definitions held.", ("type",), multiprocess_mode="max"
)  # fmt: skip


def begin() -> None:
    """Count one request that is being answered."""
    with suppress(Exception):
        RUNNING.inc()


def count(method: str, route: str, status: int, seconds: float) -> None:
    """Count one answered request."""
    with suppress(Exception):
        RUNNING.dec()
    with suppress(Exception):
        # A figure for each method that somebody makes up would fill the memory.
        REQUESTS.labels(method_name(method), route, status).inc()
        SECONDS.labels(route).observe(seconds)


def process_ended(pid: int) -> None:
    """Take a process that is gone out of the figures of those that run."""
    with suppress(Exception):
        multiprocess.mark_process_dead(pid)  # type: ignore[no-untyped-call]


def exposition() -> bytes:
    """Return all metrics as text, of all workers together when there are several."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return generate_latest()
    try:
        registry = CollectorRegistry()
        multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return generate_latest(registry)
    except (OSError, ValueError, RuntimeError, struct.error):
        return _OF_ONE + generate_latest()
