"""A page that plays an EHR: it calls a CDS Service, shows the cards, and takes what comes of them.

https://cds-hooks.hl7.org/2.0/

Nothing is kept between two requests: the call is the same each time, and so are its cards.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from flask import Response

from carepath.errors import InvalidParameter
from carepath.formats import json as json_codec
from carepath.resources import Resource
from carepath.web import service
from carepath.web.cds_hooks import views
from carepath.web.cds_hooks.discovery import CdsService
from carepath.web.cds_hooks.hooks import HOOKS, PLAIN
from carepath.web.cds_hooks.prefetch import PATIENT
from carepath.web.explorer.examples import examples, text_of_example
from carepath.web.explorer.forms import chosen, fields_of, resource_in
from carepath.web.explorer.markdown import html_of, local
from carepath.web.explorer.pages import page, root
from carepath.web.http.exchange import current
from carepath.web.http.refusals import UnknownEndpoint
from carepath.web.http.urls import FHIR

Json = dict[str, Any]
_USER = "Practitioner/example"
_NO_DATA = "a Bundle: dropped, pasted, chosen as a file or from the examples"
_NO_PATIENT = "a Bundle with one Patient, who has an id"
_DRAFT = "draft"
_ORDER = "order"


def ehr() -> Response:
    """Show the form, or the call with its cards, and what was made of one of them."""
    ours, exchange = service.current(), current()
    if not ours.config.cds_hooks:
        raise UnknownEndpoint("CDS Hooks are switched off here.")
    fields = fields_of(exchange)
    choice: Json = {"services": views.services().all, "chosen": fields.get("service", "")}
    if exchange.request.method != "POST" and not fields.get("example"):
        return page("ehr.html", **choice, examples=_examples(), text="", orders="", call=None)
    shown: Json = {"text": _text(fields), "orders": fields.get("orders", "")}
    one = views.services().named(fields.get("service", ""))
    with ours.gate.turn():
        bundle = resource_in(shown["text"], exchange)
        document = _document(one, bundle, _orders_in(shown["orders"]))
        answer = views.answer_to(one.id, document)
        given = _feedback(fields, answer["cards"])
        if given is not None:
            views.keep(one.id, given)
        shown |= {"examples": _examples(), "call": _call(one, document, answer, given, fields)}
        return page("ehr.html", **choice, **shown)


def _call(
    one: CdsService, document: Json, answer: Json, given: Json | None, fields: Mapping[str, str]
) -> Json:
    """Return what the page shows of one call."""
    home = current().base.removesuffix(FHIR)
    cards = [
        card | {"html": html_of(card.get("detail", ""), home, root())} for card in answer["cards"]
    ]
    return {
        "service": one,
        "request": _written(document),
        "answer": _written(answer),
        "cards": cards,
        "local": lambda url: local(url, home, root()),
        "feedback": _written(given) if given is not None else "",
        "done": [_written(action) for action in _accepted(fields, answer["cards"])],
        "issues": answer.get("extension", {}).get("carepath.issues", {}).get("issue", []),
    }


def _written(value: Any) -> str:
    return json_codec.encode(value, pretty=True).decode()


def _examples() -> list[Any]:
    """Return the examples that an EHR can send: those with a Patient who has an id."""
    return [
        one
        for one in examples().values()
        if len(_patients(json_codec.decode(one.text.encode()))) == 1
    ]


def _text(fields: Mapping[str, str]) -> str:
    name = fields.get("example", "")
    text = text_of_example(name) if name else chosen(fields, "file", "data")
    if not text:
        raise InvalidParameter("data", None, _NO_DATA)
    return text


def _orders_in(text: str) -> list[Resource]:
    """Return the orders that were written into their field."""
    if not text.strip():
        return []
    found = resource_in(text, current())
    return _resources(found) if found["resourceType"] == "Bundle" else [found]


def _document(one: CdsService, bundle: Resource, orders: Sequence[Resource]) -> Json:
    """Return the call that an EHR with these data would make.

    What is a draft order in the Bundle goes into the context of a hook on orders.
    """
    found = _patients(bundle)
    if len(found) != 1:
        raise InvalidParameter("data", f"{len(found)} Patients with an id", _NO_PATIENT)
    hook = HOOKS.get(one.hook, PLAIN)
    held = _resources(bundle)
    new = [*orders, *(r for r in held if hook.are_drafts and _is_draft(r))]
    context: Json = {"userId": _USER, "patientId": found[0]["id"]}
    if hook.resources:
        entries = [{"resource": resource} for resource in new]
        context[hook.resources] = {"resourceType": "Bundle", "type": "collection", "entry": entries}
    entries = [entry for entry in _entries(bundle) if entry["resource"] not in new]
    return {
        "hook": one.hook,
        # The same for the same call, so that what is made of a card finds it again.
        "hookInstance": str(uuid5(NAMESPACE_URL, f"{one.id}|{_written([bundle, *orders])}")),
        "context": context,
        "prefetch": {
            key: found[0] if key == PATIENT else _search(template, entries)
            for key, template in one.prefetch.items()
        },
    }


def _search(template: str, entries: Sequence[Json]) -> Resource | None:
    """Return what a search for a type finds in the entries, None for nothing."""
    name = template.partition("?")[0]
    found = [entry for entry in entries if entry["resource"].get("resourceType") == name]
    kept = [{k: e[k] for k in ("fullUrl", "resource") if k in e} for e in found]
    return {"resourceType": "Bundle", "type": "searchset", "entry": kept} if kept else None


def _entries(bundle: Resource) -> list[Json]:
    """Return the entries that hold a resource."""
    given = bundle.get("entry")
    entries = [e for e in given if isinstance(e, dict)] if isinstance(given, list) else []
    return [entry for entry in entries if isinstance(entry.get("resource"), dict)]


def _resources(bundle: Resource) -> list[Resource]:
    return [entry["resource"] for entry in _entries(bundle)]


def _patients(bundle: Resource) -> list[Resource]:
    """Return the Patients that an EHR could name."""
    held = (r for r in _resources(bundle) if r.get("resourceType") == "Patient")
    return [r for r in held if isinstance(r.get("id"), str) and r["id"]]


def _is_draft(resource: Resource) -> bool:
    return resource.get("status") == _DRAFT and resource.get("intent") == _ORDER


def _accepted(fields: Mapping[str, str], cards: Sequence[Json]) -> list[Json]:
    """Return the actions of the suggestion that was accepted."""
    taken = fields.get("accept", "")
    return [
        action
        for card in cards
        for offer in card.get("suggestions", ())
        if offer["uuid"] == taken
        for action in offer.get("actions", ())
    ]


def _feedback(fields: Mapping[str, str], cards: Sequence[Json]) -> Json | None:
    """Return the feedback that an EHR sends of what was done, None when nothing was."""
    moment = service.current().clock().astimezone(UTC)
    time = moment.replace(tzinfo=None).isoformat(timespec="seconds") + "Z"
    for number, card in enumerate(cards):
        offers = [offer["uuid"] for offer in card.get("suggestions", ())]
        told: Json = {"card": card["uuid"]}
        if fields.get("accept", "") in offers:
            told |= {"outcome": "accepted", "acceptedSuggestions": [{"id": fields["accept"]}]}
        elif fields.get("dismiss") == card["uuid"]:
            told |= {"outcome": "overridden"} | _why(fields, number, card)
        else:
            continue
        return {"feedback": [told | {"outcomeTimestamp": time}]}
    return None


def _why(fields: Mapping[str, str], number: int, card: Json) -> Json:
    """Return the reason that was chosen for dismissing a card, and the comment."""
    code, comment = fields.get(f"reason-{number}", ""), fields.get(f"comment-{number}", "").strip()
    known = [reason for reason in card.get("overrideReasons", ()) if reason["code"] == code]
    made: Json = {"reason": known[0]} if known else {}
    made |= {"userComment": comment} if comment else {}
    return {"overrideReason": made} if made else {}
