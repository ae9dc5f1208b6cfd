"""Asking one FHIR server: which URLs, how often, how long, how much.

https://hl7.org/fhir/R4/http.html

Only hosts that the deployment lists are asked, and directly: no proxy and no login of the
environment counts.  Redirects are not followed, every request has a timeout as a whole and every
answer a limit, and what fails for the moment is tried again a few times.
"""

import re
import time
from collections.abc import Callable, Mapping
from typing import Any, Self

import httpx

from carepath import deadline
from carepath.addresses import names, origin, plain_url
from carepath.errors import InputError, InvalidParameter
from carepath.resources import Resource
from carepath.web.config import Config
from carepath.web.data_endpoint.address import is_listed
from carepath.web.http import body
from carepath.web.http.negotiation import body_format
from carepath.web.http.outcomes import is_gone, is_passing, is_success
from carepath.web.http.refusals import DataEndpointFailed, DataEndpointRefused, TooLarge

_PAUSE_SECONDS = 0.2
# The rest of the time of an operation is for the operation itself.
_SHARE_OF_TIME = 0.8
_CONNECTED = ("connection.connect_tcp.complete", "connection.start_tls.complete")
_SECONDS = re.compile(r"\d{1,6}", re.ASCII)
_HEADERS = {"Accept": "application/fhir+json", "Accept-Encoding": "gzip"}


_CALLED = {
    "dataEndpoint": "data endpoint",
    "contentEndpoint": "content endpoint",
    "terminologyEndpoint": "terminology endpoint",
    "artifactEndpointConfiguration": "artifact endpoint",
    "fhirServer": "FHIR server",
}


class Budget:
    """The bytes that are left for all that one request reads elsewhere."""

    def __init__(self, left: int) -> None:
        self._left = self._most = left

    def take(self, count: int, what: str) -> None:
        """Count bytes of an answer; raise TooLarge when there are none left."""
        self._left -= count
        if self._left < 0:
            raise TooLarge(f"What the {what} holds", self._most)


class Connection:
    """The connection to a server, with the time and the bytes that are left for all requests."""

    def __init__(
        self,
        base: str,
        config: Config,
        headers: Mapping[str, str],
        sleep: Callable[[float], None],
        parameter: str = "dataEndpoint",
        budget: Budget | None = None,
    ) -> None:
        """Take the base URL of the server; raise InvalidParameter when its host is not listed.

        `parameter` is where it was named; a `budget` is shared with other servers.
        """
        url = plain_url(base)
        if url is None or not is_listed(url, config):
            raise InvalidParameter(parameter, base, "a server on the list of this service")
        self._base = str(url).rstrip("/")
        self._origin = origin(url)
        self._host = names(url)[0]
        self._config = config
        self._sleep = sleep
        self._called = _CALLED[parameter]
        self._budget = budget or Budget(config.max_expanded_bytes)
        self._end = time.monotonic() + _SHARE_OF_TIME * deadline.left(config.request_seconds)
        self._client = httpx.Client(
            headers={**_HEADERS, **headers},
            follow_redirects=False,
            # Patients' ids and logins go to the host that is listed, and through nobody else.
            trust_env=False,
            # The certificates of the environment (SSL_CERT_FILE) do count.
            verify=httpx.create_ssl_context(),
        )
        self._until = self._end

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def url(self, path: str) -> httpx.URL:
        """Return the URL of a path below the base; raises DataEndpointRefused."""
        return self._checked(f"{self._base}/{path}")

    def following(self, text: str, page: httpx.URL) -> httpx.URL:
        """Return the URL of the next page; raise when it leads to another server."""
        return self._checked(text, page)

    def _checked(self, text: str, base: httpx.URL | None = None) -> httpx.URL:
        """Return a URL that may be asked."""
        try:
            url = base.join(text) if base is not None else httpx.URL(text)
        except (httpx.InvalidURL, ValueError) as error:
            raise self.refused("a page has no valid URL") from error
        if origin(url) != self._origin or url.userinfo:
            raise self.refused("a page is on another host")
        return url

    def get(self, url: httpx.URL) -> Resource | None:
        """Return a resource, None when it is not there; try again what fails for the moment."""
        pause = 0.0
        for attempt in range(self._config.data_endpoint_retries + 1):
            if attempt:
                self._rest(max(pause, _PAUSE_SECONDS * 2 ** (attempt - 1)))
            try:
                seconds = self._seconds()
                self._until = time.monotonic() + seconds
                within = {"trace": self._trace}
                with self._client.stream(
                    "GET", url, timeout=seconds, extensions=within
                ) as response:
                    if is_gone(response.status_code):
                        return None
                    if is_success(response.status_code):
                        return self._decoded(response, seconds)
                    if not is_passing(response.status_code):
                        raise self.refused(f"it answered {response.status_code}")
                    pause = self._asked_pause(response)
            except httpx.HTTPError:
                continue
        raise self._failed("it does not answer")

    def post(self, url: httpx.URL, content: bytes, seconds: float) -> int:
        """Return with which status a server takes a resource, which is sent once.

        Raises httpx.HTTPError; what the server says beside the status is not read.
        """
        self._until = time.monotonic() + seconds
        within, kind = {"trace": self._trace}, {"Content-Type": _HEADERS["Accept"]}
        with self._client.stream(
            "POST", url, content=content, headers=kind, timeout=seconds, extensions=within
        ) as response:
            return response.status_code

    def _trace(self, event: str, info: Mapping[str, Any]) -> None:
        """Let a new connection read no longer than the request may take.

        A timeout is for one read, and a server may send `100 Continue` for ever.
        """
        if event in _CONNECTED:
            stream = info["return_value"]
            read = stream.read

            def read_in_time(most: int, timeout: float | None = None) -> bytes:
                left = self._until - time.monotonic()
                if left <= 0:
                    raise httpx.ReadTimeout("the answer takes too long")
                found: bytes = read(most, left if timeout is None else min(left, timeout))
                return found

            stream.read = read_in_time

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
            raise self._failed("it does not answer in time")
        return left

    def _asked_pause(self, response: httpx.Response) -> float:
        """Return how long the server wants to be left alone; raise when that is too long."""
        found = _SECONDS.fullmatch(response.headers.get("Retry-After", ""))
        seconds = int(found[0]) if found else 0
        if seconds > self._config.data_endpoint_seconds:
            raise self._failed("it is busy", retry_after=seconds)
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
            raise self.refused(f"an answer cannot be read: {error}".rstrip(".")) from error
        self._budget.take(len(data), self._called)
        return value

    def refused(self, reason: str) -> DataEndpointRefused:
        """Return the error that says why the server is of no use."""
        return DataEndpointRefused(self._host, reason, called=self._called)

    def _failed(self, reason: str, **more: int) -> DataEndpointFailed:
        return DataEndpointFailed(self._host, reason, called=self._called, **more)


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
