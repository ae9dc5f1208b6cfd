"""Answers: a resource in the negotiated format, its tag, its parts, packed when asked.

https://hl7.org/fhir/R4/http.html#versions
"""

import gzip
from collections.abc import Mapping
from datetime import datetime

from flask import Response
from werkzeug.http import http_date, parse_date

from carepath.resources import Resource
from carepath.web.http import body, outcomes
from carepath.web.http.exchange import Exchange, current
from carepath.web.http.negotiation import CONTENT_TYPES
from carepath.web.http.subset import subset

_GZIP_FROM = 1_000
_GZIP_LEVEL = 1


def resource(
    answer: Resource, *, status: int = outcomes.OK, headers: Mapping[str, str] | None = None
) -> Response:
    """Answer with a resource."""
    exchange = current()
    data = body.encode(answer, exchange.format, pretty=exchange.pretty)
    response = Response(data, status=status, content_type=CONTENT_TYPES[exchange.format])
    response.headers.update(headers or {})
    return response


def part(answer: Resource, headers: Mapping[str, str] | None = None) -> Response:
    """Answer with a resource, or the part of it that `_summary` or `_elements` asks for."""
    exchange = current()
    wanted = subset(answer, exchange.argument("_summary"), exchange.argument("_elements"))
    return resource(wanted, headers=headers)


def cached(answer: Resource, tag: str, modified: datetime) -> Response:
    """Answer with a resource that has a tag, or 304 when the client's copy is the same."""
    headers = {"ETag": f'W/"{tag}"', "Last-Modified": http_date(modified)}
    if _is_known(current(), tag, modified):
        return empty(outcomes.NOT_MODIFIED, headers)
    return part(answer, headers)


def empty(status: int = outcomes.NO_CONTENT, headers: Mapping[str, str] | None = None) -> Response:
    """Answer without a body."""
    response = Response(status=status, headers=dict(headers or {}))
    del response.headers["Content-Type"]
    return response


def failure(error: Exception, elements: tuple[str, ...] = ()) -> Response:
    """Answer an error as OperationOutcome."""
    outcome = outcomes.outcome_of(error, elements)
    return resource(outcome.resource, status=outcome.status, headers=outcome.headers)


def pack(response: Response, accept_encoding: str) -> None:
    """Pack a large answer when the client reads gzip; the same bytes give the same bytes."""
    data = response.get_data()
    if len(data) < _GZIP_FROM or not _reads_gzip(accept_encoding):
        return
    response.set_data(gzip.compress(data, compresslevel=_GZIP_LEVEL, mtime=0))
    response.headers["Content-Encoding"] = "gzip"


def _reads_gzip(accept_encoding: str) -> bool:
    for member in accept_encoding.lower().split(","):
        name, _, parameters = member.partition(";")
        if name.strip() in ("gzip", "*"):
            return parameters.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False


def _is_known(exchange: Exchange, tag: str, modified: datetime) -> bool:
    """Compare If-None-Match (weak, strong or bare tags), else If-Modified-Since."""
    headers = exchange.request.headers
    known = headers.get("If-None-Match")
    if known is not None:
        parts = [part.strip() for part in known.split(",")]
        return "*" in parts or tag in [part.removeprefix("W/").strip('"') for part in parts]
    since = _time_of(headers.get("If-Modified-Since", ""))
    return since is not None and modified.replace(microsecond=0) <= since


def _time_of(text: str) -> datetime | None:
    """Return the time in a header; one that is none, or no calendar has, counts as absent."""
    try:
        return parse_date(text)
    except OverflowError:
        return None
