"""Addresses of servers: which are plain, how a host is written in a list, which are of one server.

https://datatracker.ietf.org/doc/html/rfc3986

They are read by the same library that sends the requests, so that both see the same host.
"""

from collections.abc import Iterable

import httpx

_PORTS = {"http": 80, "https": 443}


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


def stands_in(url: httpx.URL, hosts: Iterable[str]) -> bool:
    """Tell whether the host of a URL stands in a list."""
    return not {host.lower() for host in hosts}.isdisjoint(names(url))
