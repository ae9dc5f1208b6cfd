"""The table of routes: every endpoint of the service, what answers there, who may read it.

https://hl7.org/fhir/R4/http.html#summary

CapabilityStatement and OpenAPI are made from the same tables.
"""

from collections.abc import Iterator
from functools import partial

from flask import Response, jsonify

from carepath.web import monitoring, service
from carepath.web.authorisation import door
from carepath.web.authorisation import endpoints as authorisation
from carepath.web.authorisation.rights import KNOWN, OF_URL, OPEN, Need, Right, need
from carepath.web.cds_hooks.routes import cds_hooks_routes
from carepath.web.config import Config
from carepath.web.definitions import DEFINITION_TYPES
from carepath.web.http.exchange import current
from carepath.web.http.urls import FHIR
from carepath.web.operations.model import Operation
from carepath.web.operations.table import invoke, operations
from carepath.web.rest import batch, interactions, openapi
from carepath.web.rest.route import Route, View

_TYPE_OF_SYSTEM = {"apply-pathways": "PlanDefinition"}
"""What an operation of the whole service reads."""


def routes(config: Config) -> Iterator[Route]:
    """Yield all routes of a deployment."""
    yield Route(("GET",), "/healthz", "healthz", monitoring.healthz, "Alive?", needs=OPEN)
    yield Route(("GET",), "/readyz", "readyz", monitoring.readyz, "Ready for requests?", needs=OPEN)
    figures = Need(rights=(Right.METRICS,))
    yield Route(("GET",), "/metrics", "metrics", monitoring.metrics_page, "Metrics", needs=figures)
    yield Route(
        ("GET",), "/openapi.json", "openapi", _openapi, "This document", is_open=True, needs=OPEN
    )
    yield Route(
        ("GET",),
        f"{FHIR}/metadata",
        "capabilities",
        interactions.capabilities,
        "CapabilityStatement",
        is_open=True,
        needs=OPEN,
    )
    for rule, name in (("", "smart"), (FHIR, "smart.fhir")):
        yield Route(
            ("GET",),
            f"{rule}/.well-known/smart-configuration",
            name,
            authorisation.configuration,
            "How clients log in",
            is_open=True,
            needs=OPEN,
        )
    # Who asks shows in the body who it is.
    yield Route(("POST",), "/auth/token", "token", authorisation.token, "Tokens", needs=OPEN)
    about = "What a token means"
    yield Route(
        ("POST",), "/auth/introspect", "introspect", authorisation.introspect, about, needs=KNOWN
    )
    # Each entry is a request of its own, and passes the guard by itself.
    about = "Batch of reads, searches and operations"
    yield Route(("POST",), FHIR, "batch", batch.batch, about, needs=KNOWN)
    for resource_type in DEFINITION_TYPES:
        yield from _definition_routes(resource_type)
    for operation in operations():
        yield from _operation_routes(operation)
    yield from cds_hooks_routes(config)


def _definition_routes(resource_type: str) -> Iterator[Route]:
    """Yield read, vread, history and search of one type."""
    base = f"{FHIR}/{resource_type}"
    one = f"{base}/<fhir_id:id>"
    views: tuple[tuple[str, str, View, str, str], ...] = (
        ("GET", base, interactions.search_by_url, "Search", "s"),
        ("POST", f"{base}/_search", interactions.search_by_form, "Search by form", "s"),
        ("GET", one, interactions.read, "Read", "r"),
        ("GET", f"{one}/_history", interactions.history, "Versions", "r"),
        ("GET", f"{one}/_history/<fhir_id:version_id>", interactions.vread, "Read a version", "r"),
    )
    for method, rule, function, about, letter in views:
        name = f"{resource_type}.{function.__name__}"
        view = partial(function, resource_type)
        yield Route(
            (method,),
            rule,
            name,
            view,
            about,
            is_open=True,
            resource_type=resource_type,
            needs=need(resource_type, letter),
        )


def _operation_routes(operation: Operation) -> Iterator[Route]:
    """Yield each way to invoke one operation."""
    for level, resource_type, path in operation.paths():
        name = f"{operation.id}.{level}.{resource_type}"
        if operation.resources == ("Resource",):
            view: View = partial(invoke, operation, level)
        else:
            view = partial(invoke, operation, level, resource_type)
        yield Route(
            methods=("GET", "POST") if operation.takes_get else ("POST",),
            rule=FHIR + path,
            name=name,
            view=view,
            about=str(operation.definition.get("title", operation.code)),
            is_open=operation.code == "versions",
            resource_type=resource_type,
            operation=operation,
            level=level,
            needs=_need_of(operation, resource_type),
        )


def _need_of(operation: Operation, resource_type: str) -> Need:
    """Return what an operation asks of a client: it changes nothing, so it is a way of reading."""
    if operation.code == "versions":
        return OPEN
    if not resource_type:
        return need(_TYPE_OF_SYSTEM[operation.code], "r")
    return need(OF_URL if resource_type == "Resource" else resource_type, "r")


def _openapi() -> Response:
    """Answer with the OpenAPI document."""
    ours = service.current()
    examples = {name: held[0].id for name, held in ours.definitions.by_type.items() if held}
    known = tuple(routes(ours.config))
    made = openapi.document(known, current().base.removesuffix(FHIR), examples)
    return jsonify(made if door.current() is None else openapi.with_logins(made, known))
