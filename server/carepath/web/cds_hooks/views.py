"""The endpoints of CDS Hooks: discovery, calls and feedback.

https://cds-hooks.hl7.org/2.0/
"""

from collections.abc import Mapping
from typing import Any

from flask import Response

from carepath.authoring.statements import statements_of
from carepath.formats import json as json_codec
from carepath.knowledge import Knowledge
from carepath.resources import canonical_of
from carepath.web import service
from carepath.web.cds_hooks.call import applied
from carepath.web.cds_hooks.cards import Cards, answer
from carepath.web.cds_hooks.details import Details
from carepath.web.cds_hooks.discovery import CdsServices
from carepath.web.cds_hooks.request import HookRequest, checked, document_in
from carepath.web.http.exchange import current
from carepath.web.http.urls import FHIR

_REASONS = "https://carepath.example/fhir/CodeSystem/override-reasons"


def discovery() -> Response:
    """Answer with the CDS Services there are."""
    return _json(services().document())


def call(id: str) -> Response:
    """Answer a call of a service with cards."""
    exchange = current()
    # Whoever sends slowly must not keep others from their turn.
    exchange.receive()
    with service.current().gate.turn():
        return _json(answer_to(id, document_in(exchange)))


def answer_to(id: str, document: Any) -> dict[str, Any]:
    """Return the cards for the body of a call; whoever asks has waited for a turn."""
    ours, one = service.current(), services().named(id)
    request = HookRequest.of(document, one.hook)
    made = applied(one, request, ours)
    details = Details(one.plan, made.sheet, _statements(ours.knowledge), _root())
    return answer(Cards(one, request, made, details, _reasons(ours.knowledge)))


def feedback(id: str) -> Response:
    """Keep what clinicians made of the cards of a service."""
    exchange = current()
    exchange.receive()
    with service.current().gate.turn():
        keep(id, document_in(exchange))
    return _json({})


def keep(id: str, document: Any) -> None:
    """Keep the feedback in a body; raises InvalidBody."""
    ours, exchange = service.current(), current()
    one = services().named(id)
    exchange.concern((), (canonical_of(one.plan),))
    checked(document, "feedback")
    head = {
        "received": ours.clock().isoformat(),
        "request_id": exchange.request_id,
        "service": one.id,
        "hook": one.hook,
    }
    ours.feedback.keep([{**head, **entry} for entry in document["feedback"]])


def services() -> CdsServices:
    """Return the CDS Services of this deployment."""
    return service.current().knowledge.derived(CdsServices)


def _json(document: Any) -> Response:
    """Answer with plain JSON, its members in the order that they were written in."""
    return Response(json_codec.encode(document), content_type="application/json")


def _root() -> str:
    """Return where the pages of this service begin, empty when there are none."""
    return current().base.removesuffix(FHIR) if service.current().config.explorer else ""


def _statements(knowledge: Knowledge) -> Mapping[str, str]:
    return knowledge.derived(_texts)


def _texts(knowledge: Knowledge) -> dict[str, str]:
    """Return what each statement says, by its id."""
    found = statements_of(knowledge).items()
    return {id_: str(c.get("display") or c.get("definition") or "") for id_, c in found}


def _reasons(knowledge: Knowledge) -> list[dict[str, str]]:
    """Return the reasons for overriding a warning, as the CodeSystem of that name lists them."""
    system = knowledge.find(_REASONS, resource_type="CodeSystem") or {}
    return [
        {"code": concept["code"], "system": _REASONS, "display": concept["display"]}
        for concept in system.get("concept") or ()
        if concept.get("display")
    ]
