"""Reading a patient's data from another FHIR server, as the data requirements of a plan say.

https://hl7.org/fhir/R4/http.html#paging

Only hosts that the deployment lists are asked, redirects are not followed, every request has a
timeout, and what fails for the moment is tried again a few times.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx

from carepath import json_codec
from carepath.errors import InvalidParameter, MalformedInput, SubjectNotFound
from carepath.r4.search import search_parameters
from carepath.resources import Resource
from carepath.web.config import Config
from carepath.web.outcomes import is_gone, is_passing, is_success
from carepath.web.refusals import DataEndpointFailed, TooLarge

_PAGE_SIZE = 200
_MAX_CODES = 20
_PAUSE_SECONDS = 0.2


class DataEndpoint:
    """One FHIR server to read from."""

    def __init__(
        self,
        base: str,
        config: Config,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Take the base URL of the server; raise InvalidParameter when its host is not listed."""
        self._base = base.rstrip("/")
        self._host = _host(base)
        self._config = config
        self._sleep = sleep
        own = _host(config.data_endpoint) if config.data_endpoint else ""
        if self._host not in {host for host in (*config.data_endpoint_hosts, own) if host}:
            raise InvalidParameter("dataEndpoint", base, "a server on the list of this service")
        self._client = httpx.Client(
            timeout=config.data_endpoint_seconds,
            transport=transport,
            headers={"Accept": "application/fhir+json"},
        )

    def gather(self, subject: str, requirements: Sequence[Mapping[str, Any]]) -> list[Resource]:
        """Return the Patient and what is required about them, each page of each search."""
        with self._client:
            patient = self._get(f"{self._base}/{subject}")
            if patient is None:
                raise SubjectNotFound(subject)
            found = [patient]
            for url in self._searches(subject, requirements):
                found += self._pages(url)
                if len(found) > self._config.max_entries:
                    raise TooLarge("What the data endpoint holds", self._config.max_entries)
        return found

    def _searches(self, subject: str, requirements: Sequence[Mapping[str, Any]]) -> Iterator[str]:
        """Yield one search for each type that is required, narrowed when all its needs agree."""
        by_type: dict[str, list[Mapping[str, Any]]] = {}
        for requirement in requirements:
            by_type.setdefault(str(requirement.get("type")), []).append(requirement)
        for resource_type, several in sorted(by_type.items()):
            name = _subject_parameter(resource_type)
            if name is None:
                continue
            query = {name: subject, "_count": str(_PAGE_SIZE)}
            codes = _codes(several)
            if codes and "code" in search_parameters(resource_type):
                query["code"] = ",".join(codes)
            yield f"{self._base}/{resource_type}?{urlencode(query)}"

    def _pages(self, url: str) -> Iterator[Resource]:
        """Yield the matches of all pages of a search."""
        for _ in range(self._config.data_endpoint_pages):
            bundle = self._get(url) or {}
            if bundle.get("resourceType") != "Bundle":
                raise DataEndpointFailed(self._host, "a search was not answered with a Bundle")
            for entry in bundle.get("entry") or ():
                resource = entry.get("resource") if isinstance(entry, dict) else None
                if (
                    isinstance(resource, dict)
                    and resource.get("resourceType") != "OperationOutcome"
                ):
                    yield resource
            following = [link.get("url") for link in bundle.get("link") or ()
                         if link.get("relation") == "next"]  # fmt: skip
            if not following:
                return
            url = str(following[0])
            if _host(url) != self._host:
                raise DataEndpointFailed(self._host, "a page is on another host")
        raise DataEndpointFailed(self._host, "a search has too many pages")

    def _get(self, url: str) -> Resource | None:
        """Return a resource, None when it is not there; try again what fails for the moment."""
        for attempt in range(self._config.data_endpoint_retries + 1):
            if attempt:
                self._sleep(_PAUSE_SECONDS * 2 ** (attempt - 1))
            try:
                response = self._client.get(url)
            except httpx.TransportError:
                continue
            if is_gone(response.status_code):
                return None
            if is_success(response.status_code):
                return self._decoded(response)
            if not is_passing(response.status_code):
                raise DataEndpointFailed(self._host, f"it answered {response.status_code}")
        raise DataEndpointFailed(self._host, "it does not answer")

    def _decoded(self, response: httpx.Response) -> Resource:
        if len(response.content) > self._config.max_expanded_bytes:
            raise DataEndpointFailed(self._host, "an answer is too large")
        try:
            value = json_codec.decode(response.content, max_depth=self._config.max_depth)
        except MalformedInput as error:
            raise DataEndpointFailed(self._host, "an answer is not valid JSON") from error
        if not isinstance(value, dict):
            raise DataEndpointFailed(self._host, "an answer is not a FHIR resource")
        return value


def address_of(endpoint: Resource) -> str:
    """Return the address in an Endpoint resource."""
    address = endpoint.get("address")
    if not isinstance(address, str) or urlsplit(address).scheme not in ("http", "https"):
        raise InvalidParameter(
            "dataEndpoint", address, "an Endpoint whose address is an http(s) URL"
        )
    return address


def _host(url: str) -> str:
    """Return `host` or `host:port`, lower case."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return ""
    return f"{parts.hostname}:{port}" if port else parts.hostname or ""


def _subject_parameter(resource_type: str) -> str | None:
    """Return the search parameter that says whom a resource is about; None for a Patient."""
    if resource_type == "Patient":
        return None
    known = search_parameters(resource_type)
    return next((name for name in ("patient", "subject") if name in known), None)


def _codes(requirements: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the codes that all needs of a type are limited to; none when one takes any code."""
    found: list[str] = []
    for requirement in requirements:
        filters = [f for f in requirement.get("codeFilter") or () if f.get("path") == "code"]
        codes = [c for f in filters for c in f.get("code") or ()]
        if not codes:
            return []
        found += [f"{c['system']}|{c['code']}" if c.get("system") else c["code"] for c in codes]
    return list(dict.fromkeys(found)) if len(set(found)) <= _MAX_CODES else []
