"""Where a data endpoint is, who asks there, and whether it may be asked at all.

https://hl7.org/fhir/R4/endpoint.html

Addresses are read by the same library that sends the requests, so that both see the same host.
"""

import httpx

from carepath.errors import InvalidParameter
from carepath.resources import Resource
from carepath.web.config import Config

_PORTS = {"http": 80, "https": 443}
_AUTHORIZATION = "authorization"


def address_of(endpoint: Resource, parameter: str = "dataEndpoint") -> str:
    """Return the address in an Endpoint resource, which a parameter holds."""
    address = endpoint.get("address")
    if not isinstance(address, str) or plain_url(address) is None:
        expected = "an Endpoint whose address is a plain http(s) URL"
        raise InvalidParameter(parameter, address, expected)
    return address


def headers_of(endpoint: Resource, parameter: str = "dataEndpoint") -> dict[str, str]:
    """Return the headers that an Endpoint wants to be sent: who asks, and nothing else."""
    headers: dict[str, str] = {}
    given = endpoint.get("header")
    for line in given if isinstance(given, list) else ():
        name, sign, value = str(line).partition(":")
        value = value.strip()
        if not sign or name.strip().lower() != _AUTHORIZATION or not _is_sendable(value):
            # What was given may be a secret.
            expected = "`Authorization: ...` as the only header of an Endpoint"
            raise InvalidParameter(parameter, "an Endpoint with other headers", expected)
        headers["Authorization"] = value
    return headers


def _is_sendable(value: str) -> bool:
    return value.isascii() and value.isprintable()


def plain_url(text: str) -> httpx.URL | None:
    """Return an http(s) URL without user, query and fragment; None for anything else."""
    try:
        url = httpx.URL(text)
        is_plain = not (url.userinfo or url.query or url.fragment or "?" in text or "#" in text)
    except (httpx.InvalidURL, ValueError):
        return None
    return url if is_plain and url.scheme in _PORTS and url.host else None


def names(url: httpx.URL) -> tuple[str, ...]:
    """Return the ways to write the host in a list, the usual one first."""
    host = f"[{url.host}]" if ":" in url.host else url.host
    if url.port is not None:
        return (f"{host}:{url.port}",)
    return (host, f"{host}:{_PORTS[url.scheme]}")


def origin(url: httpx.URL) -> tuple[str, str, int | None]:
    """Return what says whether two URLs are of one server: scheme, host, port."""
    return url.scheme, url.host, url.port or _PORTS.get(url.scheme)


def is_listed(url: httpx.URL, config: Config) -> bool:
    """Tell whether a server may be asked: its host is listed, or it is the deployment's own."""
    listed = {host.lower() for host in config.data_endpoint_hosts}
    own = plain_url(config.data_endpoint)
    return not listed.isdisjoint(names(url)) or (own is not None and origin(own) == origin(url))
