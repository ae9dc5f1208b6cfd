"""What each setting has to be, and the words that say so; a table of small tests.

https://docs.python.org/3/library/ipaddress.html and https://www.rfc-editor.org/rfc/rfc3986.html
"""

import re
from collections.abc import Callable
from datetime import datetime
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from carepath.apply.request import EXPLAIN

_HIGHEST = 10**12
_HIGHEST_PORT = 65_535
_SLASHES_OF_ORIGIN = 2
_BESIDES_PATH = re.compile(r"[?#@\s\\]")
_PLACE = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[\w.-]+):([1-9]\d{0,4})")
_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[\w.-]+)(:\d{1,5})?")


def _is_base_url(text: str) -> bool:
    """Tell whether a text is an http(s) URL that paths can be put behind."""
    return not text or (_is_url(text) and not _BESIDES_PATH.search(text))


def _are_origins(texts: tuple[str, ...]) -> bool:
    return all(_is_url(text) and text.count("/") == _SLASHES_OF_ORIGIN for text in texts)


def _is_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _are_hosts(texts: tuple[str, ...]) -> bool:
    return all(_HOST.fullmatch(text) for text in texts)


def _is_syslog(text: str) -> bool:
    """Tell whether a text is a path, or a way to reach a host and port."""
    scheme, sign, host = text.partition("://")
    if not sign:
        return not text or text.startswith("/")
    found = _PLACE.fullmatch(host)
    return scheme in ("udp", "tcp", "tls") and bool(found and int(found[2]) <= _HIGHEST_PORT)


def _are_networks(texts: tuple[str, ...]) -> bool:
    try:
        return all(ip_network(text, strict=False) for text in texts)
    except ValueError:
        return False


def _is_time(text: str) -> bool:
    try:
        return not text or datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


def _positive(value: float) -> bool:
    return 0 < value <= _HIGHEST


def _not_negative(value: float) -> bool:
    return 0 <= value <= _HIGHEST


_POSITIVE = (
    "workers",
    "threads",
    "max_body_bytes",
    "max_expanded_bytes",
    "max_expansion",
    "max_entries",
    "max_depth",
    "max_url_bytes",
    "body_seconds",
    "request_seconds",
    "max_applications",
    "rate_burst",
    "page_size",
    "max_page_size",
    "data_endpoint_pages",
    "data_endpoint_seconds",
    "audit_seconds",
)
_NOT_NEGATIVE = (
    "queue_seconds",
    "rate_limit",
    "keepalive_seconds",
    "graceful_seconds",
    "data_endpoint_retries",
)
_LEVELS = ("debug", "info", "warning", "error")
CHECKS: tuple[tuple[str, Callable[[Any], bool], str], ...] = (
    *((name, _positive, "a number above 0") for name in _POSITIVE),
    *((name, _not_negative, "0 or more") for name in _NOT_NEGATIVE),
    ("port", lambda port: 0 <= port <= _HIGHEST_PORT, "a port, 0 to 65535"),
    ("base_url", _is_base_url, "an absolute http(s) URL without user, query and fragment"),
    ("data_endpoint", _is_base_url, "an absolute http(s) URL without user, query and fragment"),
    ("data_endpoint_hosts", _are_hosts, "hosts such as `records.example` or `[::1]:8080`"),
    ("cors_origins", _are_origins, "origins such as `https://page.example`"),
    ("trusted_proxies", _are_networks, "IP addresses or networks"),
    ("explain", lambda word: word in EXPLAIN, "one of " + ", ".join(EXPLAIN)),
    ("audit_file", lambda path: not path or Path(path).parent.is_dir(), "a file in a folder"),
    ("audit_syslog", _is_syslog, "a path such as `/dev/log`, or udp://, tcp:// or tls://host:port"),
    ("audit_syslog_ca", lambda path: not path or Path(path).is_file(), "a PEM file"),
    ("audit_fhir", _is_base_url, "an absolute http(s) URL without user, query and fragment"),
    ("audit_fhir_token", lambda path: not path or Path(path).is_file(), "a file"),
    ("templates", lambda path: not path or Path(path).is_dir(), "a folder"),
    ("authorisation", lambda path: not path or Path(path).is_file(), "a JSON or YAML file"),
    ("authorisation_state", lambda path: not path or Path(path).is_dir(), "a folder"),
    ("now", _is_time, "a date and time with a zone"),
    ("log_level", lambda level: level in _LEVELS, "one of " + ", ".join(_LEVELS)),
)
"""Setting, test, and what is expected, by which a refusal explains itself."""
