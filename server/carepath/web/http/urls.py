"""Absolute URLs: the base that clients see, from configuration or a trusted proxy only.

https://hl7.org/fhir/R4/http.html#general
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from ipaddress import ip_address
from urllib.parse import urlsplit

from carepath.errors import InputError
from carepath.web.config import Config

FHIR = "/fhir"
_HOST = re.compile(r"(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)(:[0-9]{0,5})?")
_ELEMENT = re.compile(r"""(?:[^,"]|"[^"]*")+""")
_PAIR = re.compile(r"""([A-Za-z]+)=(?:"([^"]*)"|([^\s;,"]*))""")
_PREFIX = re.compile(r"(/(?!\.\.?(/|$))[A-Za-z0-9._~-]+)*")


class InvalidHost(InputError):
    """The Host header, or what a proxy says of it, is no host."""

    sentence = "The `Host` of the request, or what a proxy says of it, is not valid."


def fhir_base(config: Config, environ: Mapping[str, str]) -> str:
    """Return the FHIR base without a slash at the end.

    The configured base wins; `Forwarded` (RFC 7239), `X-Forwarded-Proto`, `-Host`, `-Port` and
    `-Prefix` count only when the request comes from a trusted proxy.
    """
    if config.base_url:
        return config.base_url.rstrip("/")
    scheme = environ["wsgi.url_scheme"]
    host = environ.get("HTTP_HOST") or f"{environ['SERVER_NAME']}:{environ['SERVER_PORT']}"
    prefix = environ.get("SCRIPT_NAME", "")
    if config.trusted_proxies and is_trusted(config, environ.get("REMOTE_ADDR", "")):
        said = _forwarded(environ)[-1]
        scheme = _first(environ.get("HTTP_X_FORWARDED_PROTO")) or said.get("proto", scheme)
        host = _first(environ.get("HTTP_X_FORWARDED_HOST")) or said.get("host", host)
        host = _with_port(host, _first(environ.get("HTTP_X_FORWARDED_PORT")), scheme)
        prefix = _first(environ.get("HTTP_X_FORWARDED_PREFIX")).rstrip("/") or prefix
    if not _HOST.fullmatch(host) or scheme not in ("http", "https"):
        raise InvalidHost
    if not _PREFIX.fullmatch(prefix):
        raise InvalidHost
    return f"{scheme}://{host}{prefix}{FHIR}"


def root_of(base: str) -> str:
    """Return the address below which everything but FHIR stands, without a slash at the end."""
    if base.endswith(FHIR):
        return base.removesuffix(FHIR)
    parts = urlsplit(base)
    return f"{parts.scheme}://{parts.netloc}"


def refuse_invalid_host(environ: Mapping[str, str]) -> None:
    """Raise InvalidHost unless there is one Host that is a host; HTTP/1.0 may do without.

    https://www.rfc-editor.org/rfc/rfc9112.html#name-request-target
    """
    host = environ.get("HTTP_HOST")
    if host is None and environ.get("SERVER_PROTOCOL") == "HTTP/1.0":
        return
    if not _HOST.fullmatch(host or ""):
        raise InvalidHost


def is_fhir(path: str) -> bool:
    """Tell whether a path is under the FHIR base."""
    return path == FHIR or path.startswith(f"{FHIR}/")


def client_address(config: Config, environ: Mapping[str, str]) -> str:
    """Return who sends the request: the peer, or what the trusted proxies say of it.

    Each proxy appends whom it saw, and what stands before the first trusted entry anybody may have
    written: the last address that is not a proxy's is the client.
    """
    peer = environ.get("REMOTE_ADDR", "")
    if not config.trusted_proxies or not is_trusted(config, peer):
        return peer
    if "HTTP_X_FORWARDED_FOR" in environ:
        chain = [part.strip() for part in environ["HTTP_X_FORWARDED_FOR"].split(",")]
    else:
        chain = [_address(said.get("for", "")) for said in _forwarded(environ)]
    return next((a for a in reversed(chain) if a and not is_trusted(config, a)), peer)


@lru_cache(maxsize=1024)
def is_trusted(config: Config, address: str) -> bool:
    """Tell whether an address is one of the configured proxies."""
    try:
        peer = ip_address(address)
    except ValueError:
        return False
    # A socket for both kinds of addresses shows an IPv4 peer as `::ffff:192.0.2.1`.
    peer = getattr(peer, "ipv4_mapped", None) or peer
    return any(peer in network for network in config.proxies)


def _forwarded(environ: Mapping[str, str]) -> list[dict[str, str]]:
    """Return what each proxy says in `Forwarded`, the nearest one last; an empty one at least.

    https://www.rfc-editor.org/rfc/rfc7239.html#section-4
    """
    elements = _ELEMENT.findall(environ.get("HTTP_FORWARDED", ""))
    return [
        {name.lower(): quoted or token for name, quoted, token in _PAIR.findall(element)}
        for element in elements or [""]
    ]


def _address(node: str) -> str:
    """Return the address of a node, which may have a port and, for IPv6, has brackets."""
    inside = node.removeprefix("[").partition("]")[0]
    return inside if node.startswith("[") else node.partition(":")[0]


def _with_port(host: str, port: str, scheme: str) -> str:
    """Return a host with the port of a gateway, unless it has one or it is the usual one."""
    has_port = host.rpartition("]")[2].count(":") > 0
    is_usual = port == {"http": "80", "https": "443"}.get(scheme)
    return host if has_port or is_usual or not port else f"{host}:{port}"


def _first(header: str | None) -> str:
    return (header or "").partition(",")[0].strip()
