"""Which requests are written to the audit trail, and what happens where one cannot be.

https://hl7.org/fhir/R4/security.html#audit
"""

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from flask import Response, current_app, g, request

from carepath.resources import Resource
from carepath.web.audit.chain import BrokenChain
from carepath.web.audit.event import Asked, event_of
from carepath.web.audit.places import Place, places_of
from carepath.web.authorisation.rights import NOBODY, Grant
from carepath.web.config import Config, InvalidConfiguration, variable
from carepath.web.http import logs
from carepath.web.http.exchange import Exchange
from carepath.web.http.refusals import NotAudited
from carepath.web.http.urls import client_address
from carepath.web.rest.route import Route

EXTENSION = "carepath-audit"
_SHORTEST_KEY = 32


@dataclass(frozen=True)
class Audit:
    """The audit trail of a deployment."""

    places: tuple[Place, ...]
    key: bytes
    is_required: bool
    clock: Callable[[], datetime]
    operations: dict[str, str]
    """The routes that are written down, by name, with the code of their operation, '' for none."""


def audit_of(
    config: Config, routes: Iterable[Route], clock: Callable[[], datetime]
) -> Audit | None:
    """Return the audit trail of a deployment, None without one; raises InvalidConfiguration."""
    places = tuple(places_of(config))
    if not places:
        return None
    return Audit(
        places=places,
        key=_key(config.audit_key),
        is_required=config.audit_required,
        clock=clock,
        operations={
            route.name: route.operation.code if route.operation else ""
            for route in routes
            if _is_about_patients(route)
        },
    )


def record(response: Response) -> None:
    """Write a request and how it was answered to all places of the trail.

    Raises NotAudited where that fails and must not.
    """
    audit: Audit | None = current_app.extensions[EXTENSION]
    name = request.url_rule.endpoint if request.url_rule else ""
    if audit is None or name not in audit.operations or _is_form(audit.operations[name]):
        return
    event = event_of(_asked(response, audit, name), audit.key)
    errors = [error for place in audit.places if (error := _failure(place, event)) is not None]
    for error in errors:
        fields = {"request_id": g.exchange.request_id, "because": str(error)}
        logs.ERRORS.error("the audit trail was not written", extra={"fields": fields})
    if errors and audit.is_required:
        raise NotAudited from errors[0]


def _failure(place: Place, event: Resource) -> Exception | None:
    """Return why a place did not take an event; the other places are asked all the same."""
    try:
        place.add(event)
    except (OSError, BrokenChain) as error:
        return error
    return None


def _is_about_patients(route: Route) -> bool:
    """Tell whether patient data come in by a route: by an operation, or by whatever is posted.

    What is open to everybody takes none, and neither does a search for definitions.
    """
    if route.needs is not None and route.needs.is_open:
        return False
    return route.operation is not None or ("POST" in route.methods and not route.resource_type)


def _is_form(operation: str) -> bool:
    """Tell whether only a page was asked for, to fill in."""
    return not operation and request.method != "POST"


def _asked(response: Response, audit: Audit, name: str) -> Asked:
    exchange: Exchange = g.exchange
    grant: Grant = g.get("grant", NOBODY)
    return Asked(
        method=request.method,
        route=request.url_rule.rule if request.url_rule else "",
        operation=audit.operations[name],
        status=response.status_code,
        recorded=audit.clock(),
        request_id=exchange.request_id,
        client=grant.client,
        address=client_address(exchange.config, request.environ),
        patients=tuple(exchange.patients),
        plans=tuple(exchange.plans),
    )


def _key(path: str) -> bytes:
    if not path:
        return b""
    key = b""
    with suppress(OSError):
        key = Path(path).read_bytes().strip()
    if len(key) < _SHORTEST_KEY:
        expected = f"a file with {_SHORTEST_KEY} bytes or more that nobody can guess"
        raise InvalidConfiguration(variable("audit_key"), path, expected)
    return key
