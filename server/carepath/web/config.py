"""Configuration of the service: one frozen value, from a file, the environment or arguments.

Later sources win: defaults, the TOML file that `CAREPATH_CONFIG` names, variables `CAREPATH_*`,
then what the caller passes.  `docs/operations.md` lists every variable; a test compares.
"""

import os
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any

from carepath.errors import CarepathError
from carepath.web.setting_checks import CHECKS

PREFIX = "CAREPATH_"


@dataclass(eq=False)
class InvalidConfiguration(CarepathError):
    """A setting cannot be used."""

    sentence = "The setting `{name}` is `{value}`; expected {expected}."
    name: str
    value: object
    expected: str


def _setting(default: Any, about: str) -> Any:
    """Declare a setting with its default and the sentence that documents it."""
    return field(default=default, metadata={"about": about})


@dataclass(frozen=True, slots=True)
class Config:
    """How one deployment runs; every field is also a variable `CAREPATH_<FIELD>`."""

    host: str = _setting("127.0.0.1", "Address to listen on.")
    port: int = _setting(8080, "Port to listen on; 0 takes a free one.")
    workers: int = _setting(2, "Worker processes.")
    threads: int = _setting(4, "Threads of each worker.")
    base_url: str = _setting("", "External FHIR base, for absolute links; empty: from the request.")
    trusted_proxies: tuple[str, ...] = _setting(
        (), "Addresses or networks whose X-Forwarded-* headers are believed."
    )
    content: tuple[str, ...] = _setting((), "Folders with definitions of this deployment.")
    max_body_bytes: int = _setting(16_000_000, "Largest request body as sent.")
    max_expanded_bytes: int = _setting(64_000_000, "Largest request body after gunzip.")
    max_expansion: int = _setting(
        100, "How many times its size a body of more than 1 MB may have after gunzip."
    )
    max_entries: int = _setting(5_000, "Largest number of entries in a Bundle.")
    max_depth: int = _setting(64, "Deepest nesting of a request body.")
    max_url_bytes: int = _setting(8_000, "Longest path with query.")
    body_seconds: float = _setting(20.0, "Time for a request to come, for an answer to go.")
    request_seconds: float = _setting(25.0, "Longest time that one operation may take.")
    max_applications: int = _setting(2, "Operations at once in a worker; fewer than threads.")
    queue_seconds: float = _setting(5.0, "How long an operation waits for its turn before 503.")
    rate_limit: float = _setting(0.0, "Requests per second and client; 0 is unlimited.")
    rate_burst: int = _setting(100, "Requests that a client may send at once before the rate.")
    keepalive_seconds: int = _setting(30, "How long an idle connection stays open.")
    graceful_seconds: int = _setting(20, "How long a stop waits for requests that run.")
    page_size: int = _setting(50, "Entries of a search page when `_count` is absent.")
    max_page_size: int = _setting(500, "Largest page whatever `_count` says.")
    accept_text_plain: bool = _setting(False, "Read `text/plain` bodies as FHIR JSON.")
    cors_origins: tuple[str, ...] = _setting(
        (), "Web origins that may call all endpoints; the open ones take any."
    )
    data_endpoint: str = _setting("", "FHIR base where data is read when a request brings none.")
    data_endpoint_hosts: tuple[str, ...] = _setting(
        (), "Hosts (host or host:port) that `dataEndpoint` and the like may name; empty: none."
    )
    data_endpoint_seconds: float = _setting(5.0, "Timeout of one request to a data endpoint.")
    data_endpoint_retries: int = _setting(2, "Repeats of a failed request to a data endpoint.")
    data_endpoint_pages: int = _setting(20, "Pages read for one search at a data endpoint.")
    explorer: bool = _setting(True, "Serve pages for people, from `/` on.")
    cds_hooks: bool = _setting(True, "Answer CDS Hooks, from `/cds-services` on.")
    cds_hooks_feedback: str = _setting("", "File to which feedback on cards is added; empty: none.")
    explain: str = _setting("brief", "How much answers explain by default: none, brief or full.")
    templates: str = _setting("", "Folder of page templates that replace those that are shipped.")
    parameters: str = _setting("", "JSON file with deployment parameters of the content, by name.")
    time_zone: str = _setting("UTC", "Time zone of `now` and of dates in answers.")
    now: str = _setting("", "A fixed time for every request (tests and demonstrations).")
    authorisation: str = _setting(
        "", "JSON or YAML file of who may do what; empty: whoever reaches the port, everything."
    )
    authorisation_state: str = _setting(
        "", "Folder where the key of tokens and the used assertions outlive a restart."
    )
    open_to_all: bool = _setting(
        False,
        "Listen on any address without authorisation: whoever reaches the port may do everything.",
    )
    audit_file: str = _setting(
        "", "File to which who asked for what about whom is added; empty: no audit trail."
    )
    audit_syslog: str = _setting(
        "", "Syslog for it: /dev/log, udp://, tcp:// or tls:// with host and port; empty: none."
    )
    audit_syslog_ca: str = _setting(
        "", "PEM file of who signs the certificate of a tls:// syslog; empty: as the system trusts."
    )
    audit_fhir: str = _setting(
        "", "FHIR base for it, on a host of the list of data endpoints; empty: none."
    )
    audit_fhir_token: str = _setting("", "File with a bearer token for that FHIR server.")
    audit_seconds: float = _setting(2.0, "Time for syslog, and for the FHIR server, to take it.")
    audit_key: str = _setting(
        "", "File with a secret by which patients are told apart there without their references."
    )
    audit_required: bool = _setting(
        True, "Answer nothing that could not be written to the audit trail."
    )
    log_level: str = _setting("info", "debug, info, warning or error.")

    def __post_init__(self) -> None:
        for name, check, expected in CHECKS:
            if not check(getattr(self, name)):
                raise InvalidConfiguration(variable(name), getattr(self, name), expected)

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None, **given: Any) -> "Config":
        """Read the file that `CAREPATH_CONFIG` names, then `CAREPATH_*`, then `given`.

        A value of None in `given` means that the caller has no opinion.
        """
        environ = os.environ if environ is None else environ
        values: dict[str, Any] = {}
        path = environ.get(PREFIX + "CONFIG")
        if path:
            values |= _from_file(Path(path))
        values |= _from_variables(environ)
        values |= {name: _plain(value) for name, value in given.items() if value is not None}
        return cls(**values)

    @property
    def proxies(self) -> tuple[IPv4Network | IPv6Network, ...]:
        """Return the trusted proxies as networks."""
        return tuple(ip_network(text, strict=False) for text in self.trusted_proxies)


def variable(name: str) -> str:
    """Return the environment variable of a setting."""
    return PREFIX + name.upper()


def settings() -> list[tuple[str, str, Any]]:
    """Return (variable, what it does, default) of every setting, in order."""
    return [(variable(f.name), f.metadata["about"], f.default) for f in fields(Config)]


def _plain(value: Any) -> Any:
    """Return paths as text, also inside a sequence, so that a setting is always plain."""
    if isinstance(value, list | tuple):
        return tuple(str(item) for item in value)
    return str(value) if isinstance(value, Path) else value


def _words(text: str) -> tuple[str, ...]:
    return tuple(word for word in text.replace(",", " ").split() if word)


def _truth(text: str) -> bool:
    return {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}[
        text.strip().lower()
    ]


_READERS: Mapping[str, tuple[Callable[[str], Any], str]] = {
    "str": (str, "text"),
    "int": (int, "a whole number"),
    "float": (float, "a number"),
    "bool": (_truth, "true or false"),
    "tuple": (_words, "words separated by commas"),
}


_NO_SETTINGS = {
    PREFIX + n for n in ("CONFIG", "SUITES", "SUITES_NEEDED", "BROWSER_NEEDED", "NGINX_NEEDED")
}
"""Variables that name the file of settings, and those of the tests: who has them in the
environment of a checkout can still start the service there."""


def _from_variables(environ: Mapping[str, str]) -> dict[str, Any]:
    """Read every `CAREPATH_*` variable; an unknown one is refused, for it is a typing error."""
    values: dict[str, Any] = {}
    kinds = {f.name: type(f.default).__name__ for f in fields(Config)}
    for key, text in environ.items():
        name = key.removeprefix(PREFIX).lower()
        if not key.startswith(PREFIX) or key in _NO_SETTINGS:
            continue
        if name not in kinds:
            raise InvalidConfiguration(key, text, "a variable listed in the operations manual")
        reader, expected = _READERS[kinds[name]]
        try:
            values[name] = reader(text)
        except (ValueError, KeyError) as error:
            raise InvalidConfiguration(key, text, expected) from error
    return values


def _from_file(path: Path) -> dict[str, Any]:
    """Read a TOML file whose keys are the names of settings."""
    try:
        document = tomllib.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise InvalidConfiguration(PREFIX + "CONFIG", path, "a readable TOML file") from error
    defaults = {f.name: f.default for f in fields(Config)}
    values: dict[str, Any] = {}
    for name, value in document.items():
        if name not in defaults:
            raise InvalidConfiguration(name, value, "a key listed in the operations manual")
        kind = type(defaults[name])
        read = _FILE_TYPES.get((kind, type(value)))
        if read is None:
            raise InvalidConfiguration(name, value, _READERS[kind.__name__][1])
        try:
            values[name] = read(value)
        except ValueError as error:
            raise InvalidConfiguration(name, value, "a list of texts") from error
    return values


def _texts(values: list[Any]) -> tuple[str, ...]:
    """Return a list of texts; raise ValueError for anything else in it."""
    if not all(isinstance(value, str) for value in values):
        raise ValueError(values)
    return tuple(values)


_FILE_TYPES: Mapping[tuple[type, type], Callable[[Any], Any]] = {
    (str, str): str,
    (int, int): int,
    (float, float): float,
    (float, int): float,
    (bool, bool): bool,
    (tuple, list): _texts,
}
