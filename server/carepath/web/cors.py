"""CORS and OPTIONS: which web pages may call which endpoints.

https://fetch.spec.whatwg.org/#http-cors-protocol
"""

from flask import Response, current_app, request
from werkzeug.routing import Rule

from carepath.web import service
from carepath.web.http import respond
from carepath.web.http.refusals import UnknownEndpoint
from carepath.web.http.urls import FHIR

OPEN_RULES = "carepath-open-rules"
_WELL_KNOWN = "/.well-known/"
_REQUEST_HEADERS = (
    "Accept, Content-Type, Prefer, If-Match, If-None-Match, If-None-Exist, Authorization, "
    "X-Request-Id, X-Correlation-Id"
)
_RESPONSE_HEADERS = "ETag, Location, Content-Location, Last-Modified, X-Request-Id"
_MAX_AGE_SECONDS = "86400"


def methods() -> tuple[str, ...]:
    """Return the methods that this URL takes; none when there is nothing at it."""
    adapter = current_app.create_url_adapter(request)
    allowed = adapter.allowed_methods() if adapter else []
    if not allowed and request.path.rstrip("/") != FHIR:
        return ()
    return tuple(sorted({*allowed, "OPTIONS"}))


def options() -> Response:
    """Answer OPTIONS with the methods of this URL; a page may ask so before it calls."""
    allowed = methods()
    if not allowed and not _is_open():
        raise UnknownEndpoint("There is nothing at this URL.")
    return respond.empty(headers={"Allow": ", ".join(allowed or ("OPTIONS",))})


def allow(response: Response) -> None:
    """Add the CORS headers when the endpoint is open or the page's origin is configured."""
    origin = request.environ.get("HTTP_ORIGIN")
    if origin is None:
        return
    is_open = _is_open()
    if not is_open and origin not in service.current().config.cors_origins:
        return
    response.headers["Access-Control-Allow-Origin"] = "*" if is_open else origin
    response.headers["Access-Control-Expose-Headers"] = _RESPONSE_HEADERS
    if request.method == "OPTIONS":
        response.headers["Access-Control-Allow-Methods"] = ", ".join(methods() or ("GET",))
        response.headers["Access-Control-Allow-Headers"] = _REQUEST_HEADERS
        response.headers["Access-Control-Max-Age"] = _MAX_AGE_SECONDS


def _is_open() -> bool:
    """Tell whether any page may read this endpoint."""
    if _WELL_KNOWN in request.path:
        return True
    rule = request.url_rule or _rule_of_url()
    return rule is not None and rule.rule in current_app.extensions[OPEN_RULES]


def _rule_of_url() -> Rule | None:
    """Return the rule for another method of this URL: OPTIONS and HEAD have none of their own."""
    adapter = current_app.create_url_adapter(request)
    for method in adapter.allowed_methods() if adapter else ():
        rule, _ = adapter.match(method=method, return_rule=True)  # type: ignore[union-attr]
        return rule
    return None
