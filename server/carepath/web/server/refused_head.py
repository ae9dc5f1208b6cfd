"""What the head of a request says of the answer, read without the parser that refused it.

https://www.rfc-editor.org/rfc/rfc9112#name-message-format
"""

from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import parse_qs

from carepath.web.http.exchange import request_id
from carepath.web.http.negotiation import Format, NotAcceptable, answer_format

_WANTED = ("accept", "content-type", "x-request-id")


class Head(NamedTuple):
    """How a request that the HTTP server refused wants to be answered."""

    format: Format
    request_id: str
    has_body: bool
    """Whether its answer has a body: that of HEAD has none."""


def read_head(data: bytes) -> Head:
    """Read as much of a head as has arrived; JSON when it does not say, or cannot be met."""
    line, _, rest = data.partition(b"\r\n\r\n")[0].decode("latin-1").partition("\r\n")
    fields: dict[str, str] = {}
    for name, value in _fields(rest):
        fields[name] = f"{fields[name]}, {value}" if name in fields else value
    return Head(
        _format(line, fields), request_id(fields.get("x-request-id", "")), line[:5] != "HEAD "
    )


def _fields(text: str) -> Iterator[tuple[str, str]]:
    for line in text.split("\r\n"):
        name, _, value = line.partition(":")
        if name.lower() in _WANTED:
            yield name.lower(), value.strip()


def _format(request_line: str, fields: dict[str, str]) -> Format:
    target = request_line.partition(" ")[2].partition(" ")[0]
    try:
        wanted = parse_qs(target.partition("?")[2]).get("_format", [""])[0]
        return answer_format(fields.get("accept"), wanted, fields.get("content-type"))
    except (NotAcceptable, ValueError):
        return "json"
