"""A batch: reads, searches and operations in one Bundle, each answered by itself.

https://hl7.org/fhir/R4/http.html#transaction

Each entry is a request of its own and passes through all that a request passes through: limits,
log, figures.  The whole is bounded in entries, in time and in the size of its answers.
"""

import io
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, unquote_to_bytes, urlsplit

from flask import Flask, Response, current_app
from werkzeug.http import http_date, parse_date

from carepath.errors import InputError, InvalidParameter
from carepath.formats import json as json_codec
from carepath.resources import Resource
from carepath.web import service
from carepath.web.authorisation.grants import GRANT, current_grant
from carepath.web.http import exchange, outcomes, respond
from carepath.web.http.refusals import NestedBatch, NotInBatch, TooLarge, UnsupportedBundle
from carepath.web.http.urls import FHIR

MOST_ENTRIES = 500
_JSON = "application/fhir+json"
_HEAD = "HEAD"
_FORM_OF_ANSWER = "_format"
"""Means nothing in an entry: its answer is in the form of the batch."""
_OF_URLS = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
_HANDED_ON = ("SERVER_", "REMOTE_", "SCRIPT_NAME", "HTTP_HOST", "HTTP_X_FORWARDED_", "wsgi.")
_ALSO = ("HTTP_FORWARDED", "HTTP_PREFER", "HTTP_X_CORRELATION_ID")


def batch() -> Response:
    """Answer a batch with a `batch-response`; raise for any other body."""
    ours, current = service.current(), exchange.current()
    current.receive()
    current.sent = sent = current.resource()
    entries = _entries(sent)
    with ours.gate.batch():
        answers = _Answers(ours.config.max_body_bytes, ours.config.request_seconds)
        answered = [answers.of(entry, current) for entry in entries]
    bundle: Resource = {"resourceType": "Bundle", "type": "batch-response"}
    return respond.resource(bundle | ({"entry": answered} if answered else {}))


def _entries(sent: Resource | None) -> list[Any]:
    """Return the entries of a batch; raise when it is none, or has too many."""
    if sent is None:
        raise InvalidParameter("body", None, "a Bundle of type `batch`")
    kind = sent.get("type") if sent["resourceType"] == "Bundle" else sent["resourceType"]
    if kind != "batch":
        raise UnsupportedBundle(str(kind)[:40])
    entries = sent.get("entry", [])
    if not isinstance(entries, list):
        raise InvalidParameter("Bundle.entry", "no array", "an array of entries")
    if len(entries) > MOST_ENTRIES:
        raise TooLarge("The number of entries of a batch", MOST_ENTRIES, "Bundle.entry")
    return entries


class _Answers:
    """The answers to the entries of one batch, within its time and size."""

    def __init__(self, most_bytes: int, seconds: float) -> None:
        self._left = most_bytes
        self._seconds = seconds
        self._end = time.monotonic() + seconds

    def of(self, entry: Any, current: exchange.Exchange) -> Resource:
        """Return what a batch answers for one entry, whatever becomes of it."""
        try:
            self._refuse_more()
            environ = _environ(entry, current)
            response = _dispatched(environ)
            data = response.get_data()
        except InputError as error:
            return _refused(error)
        self._left -= len(data)
        return _answer(response, b"" if environ["REQUEST_METHOD"] == _HEAD else data)

    def _refuse_more(self) -> None:
        if time.monotonic() > self._end:
            raise NotInBatch(f"the batch was stopped after {self._seconds:g} seconds")
        if self._left < 0:
            raise NotInBatch("the answers to the entries before are larger than a batch may have")


def _dispatched(environ: dict[str, Any]) -> Response:
    """Answer one request as if it had come alone."""
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    # A context of its own: the exchange of the batch stays as it is.
    with app.app_context(), app.request_context(environ):
        return app.full_dispatch_request()


def _environ(entry: Any, current: exchange.Exchange) -> dict[str, Any]:
    """Return the request of an entry; raise when it says none."""
    request = entry.get("request") if isinstance(entry, dict) else None
    method, url = (_text(request, name) for name in ("method", "url"))
    if method not in _METHODS or not url:
        expected = "a `request` with a method such as `GET` and a URL in every entry"
        raise InvalidParameter("Bundle.entry.request", None, expected)
    path, query = _place(_below(current.base, url))
    resource = entry.get("resource")
    data = json_codec.encode(resource) if method == "POST" and resource is not None else b""
    outer = current.request.environ
    kept = {k: v for k, v in outer.items() if k.startswith(_HANDED_ON) or k in _ALSO}
    return {
        **kept,
        "REQUEST_METHOD": method,
        "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
        "QUERY_STRING": query,
        "REQUEST_URI": f"{path}?{query}",
        "SERVER_PROTOCOL": outer.get("SERVER_PROTOCOL", "HTTP/1.1"),
        "HTTP_ACCEPT": _JSON,
        "HTTP_X_REQUEST_ID": current.request_id,
        "CONTENT_TYPE": _JSON if data else "",
        "CONTENT_LENGTH": str(len(data)),
        "wsgi.input": io.BytesIO(data),
        GRANT: current_grant(),
        **_conditions(request),
    }


def _below(base: str, url: str) -> str:
    """Return a URL relative to the base where it is below it, else as it is."""
    rest = url.removeprefix(base)
    return rest if rest[:1] in ("", "/", "?") else url


def _query(text: str) -> str:
    """Return a query in ASCII, and without what an entry cannot choose."""
    parts = (part for part in text.split("&") if part.partition("=")[0] != _FORM_OF_ANSWER)
    return quote("&".join(parts), safe=_OF_URLS)


def _place(url: str) -> tuple[str, str]:
    """Return path and query of a URL relative to the base; raise for any other."""
    try:
        parts = urlsplit(url)
        is_elsewhere = bool(parts.scheme or parts.netloc)
    except ValueError:
        is_elsewhere = True
    if is_elsewhere:
        expected = "a URL below the base of this service"
        raise InvalidParameter("Bundle.entry.request.url", "another place", expected)
    path = f"{FHIR}/{parts.path.lstrip('/')}"
    if path.rstrip("/") == FHIR:
        raise NestedBatch
    return path, _query(parts.query)


def _conditions(request: Any) -> dict[str, str]:
    """Return the headers for what an entry says of the client's own copy."""
    tag, since = _text(request, "ifNoneMatch"), _text(request, "ifModifiedSince")
    headers = {"HTTP_IF_NONE_MATCH": tag} if tag else {}
    moment = _moment(since)
    return headers | ({"HTTP_IF_MODIFIED_SINCE": http_date(moment)} if moment else {})


def _moment(text: str) -> datetime | None:
    """Return an instant, None for what is none, has no zone or is beyond all years."""
    try:
        moment = datetime.fromisoformat(text)
        return moment.astimezone(UTC) if moment.tzinfo else None
    except (ValueError, OverflowError):
        return None


def _answer(response: Response, data: bytes) -> Resource:
    """Return the entry that answers, with a resource or what went wrong."""
    told: Resource = {"status": _status(response.status_code)}
    tag, modified = response.headers.get("ETag"), response.headers.get("Last-Modified")
    moment = parse_date(modified) if modified else None
    if tag:
        told["etag"] = tag
    if moment is not None:
        told["lastModified"] = moment.strftime("%Y-%m-%dT%H:%M:%SZ")
    body = json_codec.decode(data) if data else None
    if body is None or outcomes.is_success(response.status_code):
        return {"resource": body, "response": told} if body is not None else {"response": told}
    return {"response": {**told, "outcome": body}}


def _refused(error: InputError) -> Resource:
    """Return the entry for a request that was not even tried."""
    outcome = outcomes.outcome_of(error)
    return {"response": {"status": _status(outcome.status), "outcome": outcome.resource}}


def _status(code: int) -> str:
    return f"{code} {outcomes.phrase(code)}"


def _text(owner: Any, name: str) -> str:
    value: Mapping[str, Any] = owner if isinstance(owner, dict) else {}
    return value[name] if isinstance(value.get(name), str) else ""
