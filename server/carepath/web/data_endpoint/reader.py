"""Reading a patient's data from another FHIR server, as the data requirements of a plan say.

https://hl7.org/fhir/R4/http.html#paging

Only hosts that the deployment lists are asked, redirects are not followed, every request has a
timeout and every answer a limit, and what fails for the moment is tried again a few times.
"""

import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import httpx

from carepath.errors import InputError, InvalidParameter, SubjectNotFound
from carepath.r4.search import search_parameters
from carepath.resources import Resource
from carepath.web.config import Config
from carepath.web.data_endpoint.address import is_listed, names, origin, plain_url
from carepath.web.http import body
from carepath.web.http.negotiation import body_format
from carepath.web.http.outcomes import is_gone, is_passing, is_success
from carepath.web.http.refusals import DataEndpointFailed, DataEndpointRefused, TooLarge

_PAGE_SIZE = 200
_MAX_CODES = 20
_PAUSE_SECONDS = 0.2
# The rest of the time of an operation is for the operation itself.
_SHARE_OF_TIME = 0.8
_SECONDS = re.compile(r"\d{1,6}", re.ASCII)
_HEADERS = {"Accept": "application/fhir+json", "Accept-Encoding": "gzip"}


class DataEndpoint:
    """One FHIR server to read from."""

    def __init__(
        self,
        base: str,
        config: Config,
        headers: Mapping[str, str] | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Take the base URL of the server; raise InvalidParameter when its host is not listed."""
        url = plain_url(base)
        if url is None or not is_listed(url, config):
            raise InvalidParameter("dataEndpoint", base, "a server on the list of this service")
        self._base = str(url).rstrip("/")
        self._origin = origin(url)
        self._host = names(url)[0]
        self._config = config
        self._sleep = sleep
        self._left = config.max_expanded_bytes
        self._end = time.monotonic() + _SHARE_OF_TIME * config.request_seconds
        self._client = httpx.Client(
            headers={**_HEADERS, **(headers or {})},
            follow_redirects=False,
        )

    def gather(self, subject: str, requirements: Sequence[Mapping[str, Any]]) -> list[Resource]:
        """Return the Patient and what is required about them, each page of each search."""
        with self._client:
            found = [self._patient(subject)]
            for url in self._searches(subject, requirements):
                for resource in self._pages(url):
                    found.append(resource)
                    if len(found) > self._config.max_entries:
                        raise TooLarge("What the data endpoint holds", self._config.max_entries)
        return found

    def _patient(self, subject: str) -> Resource:
        patient = self._get(self._url(f"{self._base}/{subject}"))
        if patient is None:
            raise SubjectNotFound(subject)
        if f"{patient.get('resourceType')}/{patient.get('id')}" != subject:
            raise self._refused("a read was not answered with the Patient")
        return patient

    def _searches(
        self, subject: str, requirements: Sequence[Mapping[str, Any]]
    ) -> Iterator[httpx.URL]:
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
            yield self._url(f"{self._base}/{resource_type}").copy_merge_params(query)

    def _pages(self, url: httpx.URL) -> Iterator[Resource]:
        """Yield the matches of all pages of a search."""
        seen: set[httpx.URL] = set()
        while True:
            seen.add(url)
            bundle = self._get(url) or {}
            if bundle.get("resourceType") != "Bundle":
                raise self._refused("a search was not answered with a Bundle")
            yield from self._matches(bundle)
            following = _next(bundle)
            if not following:
                return
            url = self._url(following, url)
            if url in seen:
                raise self._refused("the pages of a search go round in a circle")
            if len(seen) >= self._config.data_endpoint_pages:
                raise self._refused("a search has too many pages")

    def _matches(self, bundle: Resource) -> Iterator[Resource]:
        """Yield the resources of one page; a page that says it is not whole is refused."""
        for entry in _objects(bundle.get("entry")):
            resource = entry.get("resource")
            if not isinstance(resource, dict):
                continue
            if resource.get("resourceType") != "OperationOutcome":
                yield resource
            elif any(
                i.get("severity") in ("error", "fatal") for i in _objects(resource.get("issue"))
            ):
                raise self._refused("a search came with errors")

    def _url(self, text: str, base: httpx.URL | None = None) -> httpx.URL:
        """Return a URL to ask; raise when it leads to another server."""
        try:
            url = base.join(text) if base is not None else httpx.URL(text)
        except (httpx.InvalidURL, ValueError) as error:
            raise self._refused("a page has no valid URL") from error
        if origin(url) != self._origin or url.userinfo:
            raise self._refused("a page is on another host")
        return url

    def _get(self, url: httpx.URL) -> Resource | None:
        """Return a resource, None when it is not there; try again what fails for the moment."""
        pause = 0.0
        for attempt in range(self._config.data_endpoint_retries + 1):
            if attempt:
                self._rest(max(pause, _PAUSE_SECONDS * 2 ** (attempt - 1)))
            try:
                seconds = self._seconds()
                with self._client.stream("GET", url, timeout=seconds) as response:
                    if is_gone(response.status_code):
                        return None
                    if is_success(response.status_code):
                        return self._decoded(response, seconds)
                    if not is_passing(response.status_code):
                        raise self._refused(f"it answered {response.status_code}")
                    pause = self._asked_pause(response)
            except httpx.HTTPError:
                continue
        raise DataEndpointFailed(self._host, "it does not answer")

    def _seconds(self) -> float:
        """Return how long one request may take; raise when the time for all of them is over."""
        return min(self._config.data_endpoint_seconds, self._time_left())

    def _rest(self, seconds: float) -> None:
        """Leave the server alone for a while; raise when there is no time for it."""
        self._time_left(seconds)
        self._sleep(seconds)

    def _time_left(self, needed: float = 0.0) -> float:
        left = self._end - time.monotonic()
        if left <= needed:
            raise DataEndpointFailed(self._host, "it does not answer in time")
        return left

    def _asked_pause(self, response: httpx.Response) -> float:
        """Return how long the server wants to be left alone; raise when that is too long."""
        found = _SECONDS.fullmatch(response.headers.get("Retry-After", ""))
        seconds = int(found[0]) if found else 0
        if seconds > self._config.data_endpoint_seconds:
            raise DataEndpointFailed(self._host, "it is busy", retry_after=seconds)
        return seconds

    def _decoded(self, response: httpx.Response, seconds: float) -> Resource:
        """Return the resource in an answer, which is read no further than the limits allow."""
        headers = response.headers
        stream = _Stream(response, seconds)
        try:
            fmt = body_format(headers.get("Content-Type"))
            encoding = headers.get("Content-Encoding", "")
            data = body.read(stream, None, encoding, self._config)
            value = body.decode(data, fmt, self._config)
        except InputError as error:
            raise self._refused(f"an answer cannot be read: {error}".rstrip(".")) from error
        self._left -= len(data)
        if self._left < 0:
            raise TooLarge("What the data endpoint holds", self._config.max_expanded_bytes)
        return value

    def _refused(self, reason: str) -> DataEndpointRefused:
        return DataEndpointRefused(self._host, reason)


class _Stream:
    """The bytes of an answer as they were sent, still packed; each read has a time."""

    def __init__(self, response: httpx.Response, seconds: float) -> None:
        self._chunks = response.iter_raw()
        self._seconds = seconds

    def read(self, size: int = -1, /) -> bytes:
        """Return `size` bytes, fewer at the end; raise ReadTimeout when they come too slowly."""
        found = bytearray()
        end = time.monotonic() + self._seconds
        for chunk in self._chunks:
            found += chunk
            if 0 <= size <= len(found):
                break
            if time.monotonic() > end:
                raise httpx.ReadTimeout("the answer takes too long")
        return bytes(found if size < 0 else found[:size])


def _next(bundle: Resource) -> str:
    """Return the URL of the next page, '' on the last one."""
    links = _objects(bundle.get("link"))
    return next((str(link.get("url")) for link in links if link.get("relation") == "next"), "")


def _objects(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


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
        found += [_token(c) for c in codes]
    return list(dict.fromkeys(found)) if len(set(found)) <= _MAX_CODES else []


def _token(coding: Mapping[str, Any]) -> str:
    """Return a coding as a search value, with what has a meaning in it escaped."""
    parts = [coding[name] for name in ("system", "code") if coding.get(name)]
    return "|".join("".join(f"\\{c}" if c in "\\,|$" else c for c in part) for part in parts)
