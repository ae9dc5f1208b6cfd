"""What a form of the explorer sends: its fields, a file among them, never put down anywhere.

https://www.rfc-editor.org/rfc/rfc7578.html
"""

from collections.abc import Iterator, Mapping
from io import BytesIO
from typing import IO

from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.formparser import FormDataParser

from carepath.errors import MalformedInput
from carepath.resources import Resource
from carepath.web.http import body
from carepath.web.http.exchange import FORM, Exchange
from carepath.web.http.negotiation import UnsupportedMediaType
from carepath.web.http.refusals import TooLarge

_MULTIPART = "multipart/form-data"
_MOST_FIELDS = 1_000
_FIELDS = "The number of fields of the form"


def fields_of(exchange: Exchange) -> dict[str, str]:
    """Return the fields of the form in the body, of the URL for a GET; the first of a name counts.

    A file that was chosen counts as text under its own name.  Raises TooLarge, MalformedInput and
    UnsupportedMediaType.
    """
    if exchange.request.method != "POST":
        return dict(reversed(exchange.parameters()))
    mimetype = exchange.request.mimetype
    if mimetype not in (FORM, _MULTIPART):
        raise UnsupportedMediaType(mimetype, f"{_MULTIPART} or {FORM}")
    return dict(reversed(list(_pairs(exchange, mimetype))))


def _pairs(exchange: Exchange, mimetype: str) -> Iterator[tuple[str, str]]:
    most = exchange.config.max_body_bytes
    parser = FormDataParser(
        # Else werkzeug puts what is large into a temporary file.
        stream_factory=_in_memory,
        max_form_memory_size=most,
        max_form_parts=_MOST_FIELDS,
        silent=False,
    )
    data, options = exchange.data, exchange.request.mimetype_params
    if mimetype == FORM and data.count(b"&") >= _MOST_FIELDS:
        raise TooLarge(_FIELDS, _MOST_FIELDS)
    try:
        _, form, files = parser.parse(BytesIO(data), mimetype, len(data), options)
    except RequestEntityTooLarge as error:
        what, limit = ("The form", most) if len(data) > most else (_FIELDS, _MOST_FIELDS)
        raise TooLarge(what, limit) from error
    except ValueError as error:
        raise MalformedInput("the form is not as it says") from error
    yield from form.items(multi=True)
    for name, file in files.items(multi=True):
        try:
            yield name, file.read().decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise MalformedInput("the file is not UTF-8") from error


def _in_memory(
    total_content_length: int | None,
    content_type: str | None,
    filename: str | None,
    content_length: int | None = None,
) -> IO[bytes]:
    """Return where a file goes that a form brings."""
    return BytesIO()


def resource_in(text: str, exchange: Exchange) -> Resource:
    """Return the resource that a text is, JSON or XML, within the limits for bodies."""
    is_xml = text.lstrip()[:1] == "<"
    return body.decode(text.encode(), "xml" if is_xml else "json", exchange.config)


def chosen(fields: Mapping[str, str], *names: str) -> str:
    """Return the first of some fields that is filled, an empty text when none is."""
    return next((fields[name] for name in names if fields.get(name, "").strip()), "")
