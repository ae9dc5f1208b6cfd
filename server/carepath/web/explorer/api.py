"""The HTTP API as a page, made from the OpenAPI document of this service.

https://spec.openapis.org/oas/v3.0.3
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from flask import Response

from carepath.web import service
from carepath.web.explorer.pages import page
from carepath.web.http.exchange import current
from carepath.web.http.urls import FHIR
from carepath.web.rest import openapi
from carepath.web.routes import routes

_OF_SERVICE = "The service"
_OPERATIONS = "Operations"


class Endpoint(NamedTuple):
    """One method of one URL."""

    method: str
    path: str
    summary: str
    parameters: tuple[dict[str, Any], ...]
    body: tuple[str, ...]
    """The media types that may be sent."""


def api() -> Response:
    """Show every endpoint, grouped by what it is about."""
    ours = service.current()
    examples = {name: held[0].id for name, held in ours.definitions.by_type.items() if held}
    document = openapi.document(routes(ours.config), current().base.removesuffix(FHIR), examples)
    groups: dict[str, list[Endpoint]] = {_OPERATIONS: [], _OF_SERVICE: []}
    for endpoint in _endpoints(document):
        groups.setdefault(_group_of(endpoint.path), []).append(endpoint)
    return page("api.html", document=document, groups=groups, base=current().base)


def _endpoints(document: dict[str, Any]) -> Iterator[Endpoint]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield Endpoint(
                method.upper(),
                path,
                operation["summary"],
                tuple(operation["parameters"]),
                tuple(operation.get("requestBody", {}).get("content", ())),
            )


def _group_of(path: str) -> str:
    if "$" in path:
        return _OPERATIONS
    parts = path.removeprefix(FHIR).strip("/").split("/")
    return parts[0] if path.startswith(f"{FHIR}/") and parts[0] != "metadata" else _OF_SERVICE
