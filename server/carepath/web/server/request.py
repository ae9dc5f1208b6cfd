"""One request as it arrives: waitress reads it, and this refuses what may not go on.

https://www.rfc-editor.org/rfc/rfc9112.html
"""

import re
import time
from collections.abc import Callable
from typing import Any

from waitress.adjustments import Adjustments
from waitress.parser import HTTPRequestParser, ParsingError
from waitress.utilities import (
    BadRequest,
    Error,
    RequestEntityTooLarge,
    RequestHeaderFieldsTooLarge,
)

from carepath.errors import MalformedInput
from carepath.web.http.refusals import Busy, TooLarge

LONGEST_HEAD = 65_536
_LONGEST_LINE = 8190
_MOST_FIELDS = 100
_MOST_FRAMING = 65_536
_BYTES_PER_SECOND = 10_000
RETRY_AFTER = 2
_FOLDED = re.compile(rb"\r\n[ \t]")
_CODINGS = re.compile(rb"^transfer-encoding:(.*)$", re.I | re.M)


class UriTooLong(BadRequest):
    """The request line is too long."""

    code = 414


class ExpectationFailed(BadRequest):
    """An expectation that no server knows."""

    code = 417


class RequestTimeout(BadRequest):
    """The request did not arrive in time."""

    code = 408


class Request(HTTPRequestParser):
    """A request, held to the rules that waitress leaves to others."""

    command: Any = "other"
    path: Any = ""
    error: Any
    adj: Any

    def __init__(self, adj: Adjustments) -> None:
        super().__init__(adj)
        self.head = b""
        """As much of the head as has come, as it came: a refusal is negotiated by it."""
        self._begun = time.monotonic()
        self.size = 0
        """How many bytes of it have come."""

    def received(self, data: bytes) -> int:
        """Take what has come; return how much of it belongs to this request.

        Extends `HTTPRequestParser.received`.
        """
        if not self.headers_finished:
            self.head += data[: LONGEST_HEAD - len(self.head)]
        try:
            taken = super().received(data)
        except OSError:
            # A large body lies in a file, and there is no room for it.
            self.refuse(Busy(RETRY_AFTER))
            return len(data)
        self.size += taken
        if isinstance(self.error, RequestEntityTooLarge):
            self.error = TooLarge("The body", self.adj.max_request_body_size - 1)
        if self._is_mostly_framing():
            self.refuse(BadRequest("more framing than content"))
        if self.completed:
            # Else `HTTPChannel.received` would ask for a body that is refused, or that is none.
            self.expect_continue = False
        return taken

    def parse_header(self, header_plus: bytes) -> None:
        """Read the head; raises ParsingError.

        Extends `HTTPRequestParser.parse_header`.
        """
        self.head = header_plus
        try:
            super().parse_header(header_plus)
        except ValueError as error:
            # More digits than Python reads as a number.
            raise ParsingError("Content-Length is invalid") from error
        refusal = next((kind for is_so, kind in _REFUSALS if is_so(self)), None)
        if refusal is not None:
            self.refuse(refusal("the head breaks a rule"))

    def broken_off(self) -> MalformedInput:
        """Return what to say of a request whose end will never come."""
        if self.body_rcv is None:
            return MalformedInput("the head of the request broke off")
        announced = f" of {self.content_length}" if self.content_length else ""
        return MalformedInput(f"the body broke off after {len(self.body_rcv)}{announced} bytes")

    def refuse(self, error: Any) -> None:
        """End the request here: it is answered with an error."""
        self.error = error
        self.completed = True

    def is_late(self, now: float, seconds: float) -> bool:
        """Tell whether it takes longer than `seconds`, and than its bytes take on a slow line."""
        return now > self._begun + seconds + self.size / _BYTES_PER_SECOND

    def _is_mostly_framing(self) -> bool:
        """Tell whether chunks are so small that to read them costs more than to send them."""
        if not self.chunked or self.body_rcv is None or self.error:
            return False
        return self.body_bytes_received > 2 * len(self.body_rcv) + _MOST_FRAMING


def _lines(request: Request) -> list[bytes]:
    return request.head.rstrip().split(b"\r\n")


def _has_no_version(request: Request) -> bool:
    return request.version not in ("1.0", "1.1")


def _has_not_one_host(request: Request) -> bool:
    host = request.headers.get("HOST")
    return "," in host if host is not None else request.version == "1.1"


def _has_two_lengths(request: Request) -> bool:
    """Tell whether two would read different bodies: waitress takes the one out of the headers."""
    if request.chunked:
        return "CONTENT_LENGTH" in request.headers
    return "TRANSFER_ENCODING" in request.headers


def _is_chunked_twice(request: Request) -> bool:
    return b" ".join(_CODINGS.findall(request.head)).lower().count(b"chunked") > 1


_REFUSALS: tuple[tuple[Callable[[Request], bool], Callable[[Any], Error]], ...] = (
    (lambda request: len(_lines(request)[0]) > _LONGEST_LINE, UriTooLong),
    (lambda request: len(_lines(request)) > _MOST_FIELDS + 1, RequestHeaderFieldsTooLarge),
    (lambda request: max(map(len, _lines(request))) > _LONGEST_LINE, RequestHeaderFieldsTooLarge),
    (_has_no_version, BadRequest),
    (_has_not_one_host, BadRequest),
    (_has_two_lengths, BadRequest),
    (_is_chunked_twice, BadRequest),
    (lambda request: _FOLDED.search(request.head) is not None, BadRequest),
    (
        lambda request: request.headers.get("EXPECT", "100-continue").lower() != "100-continue",
        ExpectationFailed,
    ),
)
"""What a head may not say, and the answer; the first that is so counts."""
