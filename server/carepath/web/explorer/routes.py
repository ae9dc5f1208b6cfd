"""The pages of the explorer: which URL shows what, who gets a page, and errors as pages.

https://www.rfc-editor.org/rfc/rfc9110.html#name-accept
"""

from collections.abc import Iterator

from flask import Response, request
from werkzeug.datastructures import MIMEAccept

from carepath.web.authorisation.rights import OPEN, Need, Right, need
from carepath.web.explorer import api, ehr, front, pathways, playground, trial
from carepath.web.explorer.assets import asset
from carepath.web.explorer.pages import page
from carepath.web.http import outcomes
from carepath.web.http.refusals import UnknownEndpoint
from carepath.web.http.urls import is_fhir
from carepath.web.rest.route import Route, View

PREFIX = "explorer."
_OF_PROGRAMS = (
    "application/fhir+json",
    "application/json",
    "application/fhir+xml",
    "application/xml",
)
_ENDPOINTS = frozenset({"/healthz", "/readyz", "/metrics", "/openapi.json"})


def explorer_routes() -> Iterator[Route]:
    """Yield the routes of the explorer; CapabilityStatement and OpenAPI do not tell of them."""
    get, both = ("GET",), ("GET", "POST")
    one = "/pathways/<fhir_id:id>"
    applies = need("PlanDefinition", "r")
    evaluates = Need(rights=(Right.EXPRESSIONS,))
    table: tuple[tuple[tuple[str, ...], str, str, View, str, Need], ...] = (
        (get, "/", "front", _front, "Front page", OPEN),
        (get, "/assets/<name>", "asset", asset, "Style and script", OPEN),
        (get, one, "pathway", pathways.pathway, "A pathway", OPEN),
        (get, f"{one}/drawing.svg", "drawing", pathways.picture, "Its picture", OPEN),
        (both, "/try", "try", trial.trial, "A patient on a pathway", applies),
        (both, "/fhirpath", "fhirpath", playground.playground, "FHIRPath", evaluates),
        (both, "/ehr", "ehr", ehr.ehr, "An EHR that asks", applies),
        (get, "/api", "api", api.api, "The HTTP API", OPEN),
    )
    for methods, rule, name, view, about, needs in table:
        yield Route(methods, rule, PREFIX + name, view, about, needs=needs)


def _front() -> Response:
    """Show the front page to who wants one; for all others there is nothing here."""
    if not prefers_html():
        raise UnknownEndpoint("There is nothing at this URL.")
    return front.front()


def prefers_html() -> bool:
    """Tell whether a page is wanted more than anything: where `*/*` counts as much, it is not."""
    accepted: MIMEAccept = request.accept_mimetypes
    return accepted["text/html"] > max(accepted[name] for name in _OF_PROGRAMS)


def is_page() -> bool:
    """Tell whether an error is to be shown as a page: on one of ours, or where nothing else is."""
    if request.url_rule is not None:
        shows = request.url_rule.endpoint.startswith(PREFIX)
        return shows and (prefers_html() or request.path != "/")
    return prefers_html() and not is_fhir(request.path) and request.path not in _ENDPOINTS


def failure(error: Exception, elements: tuple[str, ...]) -> Response:
    """Show an error: the sentences of its OperationOutcome, under the same status."""
    outcome = outcomes.outcome_of(error, elements)
    response = page(
        "failure.html",
        status=outcome.status,
        phrase=outcomes.phrase(outcome.status),
        code=outcome.status,
        issues=outcome.resource["issue"],
    )
    response.headers.update(outcome.headers)
    return response
