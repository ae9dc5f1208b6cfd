"""Structured logs: one JSON object in a line, with the request id and no patient data.

A line names the route (`/fhir/PlanDefinition/<id>/$apply`), never the URL, whose query may hold
patient data; an unexpected error is logged by its type and the places in the code, without its
message, which may hold data, too.
"""

import json
import logging
import sys
import traceback
from datetime import UTC, datetime
from typing import Any

REQUESTS = logging.getLogger("carepath.requests")
SERVER = logging.getLogger("carepath.server")
ERRORS = logging.getLogger("carepath.errors")
METHODS = frozenset(
    {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"}
)


class JsonLines(logging.Formatter):
    """Formats a record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line: time, level, logger, message and the fields given."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        line |= getattr(record, "fields", {})
        if record.exc_info:
            line |= error_fields(record.exc_info[1])
        return json.dumps(line, ensure_ascii=False, default=str)


def configure(level: str) -> None:
    """Send the logs of this package and of the server to standard error as JSON lines."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    for name, lowest in _LOWEST.items():
        logger = logging.getLogger(name)
        logger.handlers[:] = [handler]
        logger.setLevel(max(getattr(logging, level.upper()), lowest))
        logger.propagate = False


# Below these levels others write down URLs and bytes that came in, which may hold patient data.
_LOWEST = {
    "carepath": logging.DEBUG,
    "gunicorn.error": logging.INFO,
    "waitress": logging.WARNING,
    "waitress.queue": logging.ERROR,
    "httpx": logging.WARNING,
    "httpcore": logging.WARNING,
}


def method_name(method: str) -> str:
    """Return a method as it is written down: anybody can make up another."""
    return method if method in METHODS else "other"


def request(request_id: str, method: str, route: str, status: int, seconds: float) -> None:
    """Log one answered request."""
    if REQUESTS.isEnabledFor(logging.INFO):
        fields = {
            "request_id": request_id,
            "method": method_name(method),
            "route": route,
            "status": status,
            "milliseconds": round(seconds * 1000, 2),
        }
        REQUESTS.info("request", extra={"fields": fields})


def error_fields(error: BaseException | None) -> dict[str, Any]:
    """Return the type of an error and where it was raised, without its message."""
    if error is None:
        return {}
    frames = traceback.extract_tb(error.__traceback__)
    return {
        "error": f"{type(error).__module__}.{type(error).__qualname__}",
        "at": [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames[-12:]],
    }
