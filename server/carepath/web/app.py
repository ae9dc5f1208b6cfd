"""The Flask application: every request passes through here, before and after its view.

https://hl7.org/fhir/R4/http.html
"""

import time
from contextlib import suppress

from flask import Flask, Response, current_app, g, request
from werkzeug.exceptions import HTTPException
from werkzeug.routing import BaseConverter

from carepath.knowledge import Knowledge
from carepath.r4.model import RESOURCE_TYPES
from carepath.web import cors, failures, service
from carepath.web.authorisation import door
from carepath.web.authorisation.rights import Need
from carepath.web.config import Config
from carepath.web.explorer import routes as explorer
from carepath.web.explorer.routes import explorer_routes
from carepath.web.http import logs, metrics, outcomes, respond
from carepath.web.http.exchange import Exchange
from carepath.web.http.refusals import OutOfMemory, UnsupportedTransferCoding, UrlTooLong
from carepath.web.http.urls import client_address, refuse_invalid_host
from carepath.web.routes import routes
from carepath.web.service import Service

_NEEDS = "carepath-needs"
_VARY = "Accept, Accept-Encoding, Origin"


class _FhirId(BaseConverter):
    """An id: https://hl7.org/fhir/R4/datatypes.html#id."""

    regex = r"[A-Za-z0-9\-.]{1,64}"


class _ServiceId(BaseConverter):
    """The id of a CDS Service: that of a plan with the name of a hook."""

    regex = r"[A-Za-z0-9\-.]{1,128}"


class _ResourceType(BaseConverter):
    """A resource type of R4; others are unknown endpoints."""

    regex = "|".join(sorted(RESOURCE_TYPES))


_CONVERTERS = {"fhir_id": _FhirId, "resource_type": _ResourceType, "service_id": _ServiceId}


def create_app(config: Config | None = None, knowledge: Knowledge | None = None) -> Flask:
    """Return the application of one deployment, with its content loaded."""
    app = Flask("carepath.web", static_folder=None)
    config = config or Config.from_env()
    app.extensions[service.EXTENSION] = Service.of(config, knowledge)
    app.extensions[door.EXTENSION] = door.guard_of(config)
    app.url_map.converters |= _CONVERTERS
    # No redirects, ever: an integration engine takes each of them for an error.
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False
    app.url_map.redirect_defaults = False
    open_rules, needs = set(), {}
    for route in (*routes(config), *(explorer_routes() if config.explorer else ())):
        methods = [*route.methods]
        app.add_url_rule(
            route.rule, route.name, route.view, methods=methods, provide_automatic_options=False
        )
        needs[route.name] = route.needs
        if route.is_open:
            open_rules.add(route.rule)
    app.extensions[cors.OPEN_RULES] = frozenset(open_rules)
    app.extensions[_NEEDS] = needs
    app.before_request(_before)
    app.after_request(_after)
    app.register_error_handler(Exception, _failed)
    _count_definitions(app)
    return app


def _before() -> Response | None:
    """Read how the request wants to be answered and refuse what is over a limit."""
    ours = service.current()
    exchange = g.exchange = Exchange.begin(request, ours.config)
    metrics.begin()
    exchange.negotiate()
    refuse_invalid_host(request.environ)
    if request.environ.get("HTTP_TRANSFER_ENCODING", "chunked").strip().lower() != "chunked":
        raise UnsupportedTransferCoding
    if len(request.environ.get("REQUEST_URI", request.full_path)) > ours.config.max_url_bytes:
        raise UrlTooLong(ours.config.max_url_bytes)
    ours.rate_limit.take(client_address(ours.config, request.environ))
    if request.method == "OPTIONS":
        return cors.options()
    if request.url_rule is not None:
        needs: dict[str, Need | None] = current_app.extensions[_NEEDS]
        needed = needs.get(request.url_rule.endpoint)
        g.grant = door.admitted(needed, request.view_args or {}, request.environ)
    return None


def _after(response: Response) -> Response:
    """Add the headers that every answer has, pack it, log it, count it."""
    exchange: Exchange = g.exchange
    environ = request.environ
    response.headers["X-Request-Id"] = exchange.request_id
    if "HTTP_X_CORRELATION_ID" in environ and exchange.correlation_id:
        response.headers["X-Correlation-Id"] = exchange.correlation_id
    response.headers["Vary"] = _VARY
    response.headers["X-Content-Type-Options"] = "nosniff"
    # Only definitions have a tag; all else may be about a patient.
    response.headers["Cache-Control"] = "no-cache" if "ETag" in response.headers else "no-store"
    cors.allow(response)
    if "HTTP_ACCEPT_ENCODING" in environ:
        respond.pack(response, environ["HTTP_ACCEPT_ENCODING"])
    _report(response, exchange)
    return response


def _report(response: Response, exchange: Exchange) -> None:
    """Write one log line and the metrics; the route stands for the URL."""
    route = request.url_rule.rule if request.url_rule else "none"
    seconds = time.perf_counter() - exchange.started
    metrics.count(request.method, route, response.status_code, seconds)
    logs.request(exchange.request_id, request.method, route, response.status_code, seconds)


def _failed(error: Exception) -> Response:
    """Answer any error as OperationOutcome; log those that nobody foresaw."""
    exchange: Exchange = g.exchange
    error = failures.explained(error)
    if isinstance(error, OutOfMemory):
        logs.ERRORS.error("out of memory", extra={"fields": {"request_id": exchange.request_id}})
    if not isinstance(error, HTTPException) and outcomes.outcome_of(error).is_our_fault:
        logs.ERRORS.error(
            "unexpected error",
            exc_info=error,
            extra={"fields": {"request_id": exchange.request_id}},
        )
    elements = failures.elements_of(error, exchange.sent)
    if service.current().config.explorer and explorer.is_page():
        return explorer.failure(error, elements)
    return respond.failure(error, elements)


def _count_definitions(app: Flask) -> None:
    ours: Service = app.extensions[service.EXTENSION]
    for resource_type, held in ours.definitions.by_type.items():
        with suppress(Exception):  # A figure fails nothing.
            metrics.DEFINITIONS.labels(resource_type).set(len(held))
