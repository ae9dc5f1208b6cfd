"""The interactions of FHIR REST on definitions: read, vread, history, search, capabilities.

https://hl7.org/fhir/R4/http.html
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple
from urllib.parse import urlencode
from uuid import NAMESPACE_URL, uuid5

from flask import Response

from carepath.issues import Issue, operation_outcome
from carepath.resources import Resource
from carepath.web import service
from carepath.web.authorisation import endpoints
from carepath.web.definitions import Held
from carepath.web.http import exchange, respond
from carepath.web.http.subset import subset
from carepath.web.rest.capability import capability_statement, tag_of
from carepath.web.rest.history import history_page
from carepath.web.search.pages import Page, links, search
from carepath.web.search.query import Query

_GENERAL = ("_format", "_pretty")


def capabilities() -> Response:
    """Answer with the CapabilityStatement."""
    ours, base = service.current(), exchange.current().base
    statement = capability_statement(ours, base, endpoints.security())
    return respond.cached(statement, tag_of(statement), ours.started)


def read(resource_type: str, id: str) -> Response:
    """Answer with the newest version of a definition."""
    return _definition(service.current().definitions.read(resource_type, id))


def vread(resource_type: str, id: str, version_id: str) -> Response:
    """Answer with one version of a definition."""
    return _definition(service.current().definitions.vread(resource_type, id, version_id))


def _definition(held: Held) -> Response:
    """Answer with a definition and its tag, or with nothing when the client has it already."""
    return respond.cached(held.resource, held.version_id, held.last_modified)


def history(resource_type: str, id: str) -> Response:
    """Answer with the versions of a definition, newest first."""
    ours, current = service.current(), exchange.current()
    versions = ours.definitions.versions(resource_type, id)
    limits = ours.page_limits
    sent = current.parameters()
    page = history_page(versions, sent, limits.page_size, limits.max_page_size)
    address = f"{current.base}/{resource_type}/{id}/_history"
    entries = [_history_entry(held, current.base) for held in page.shown]
    places = links(page.total, page.offset, page.size)
    bundle = _bundle("history", address, _Sent.of(sent, page.used), places, entries)
    bundle["total"] = page.total
    return respond.resource(_in_order(bundle))


def search_by_url(resource_type: str) -> Response:
    """Answer a search whose parameters are in the URL."""
    return _search(resource_type, exchange.current().parameters())


def search_by_form(resource_type: str) -> Response:
    """Answer a search whose parameters are in a form, those of the URL included."""
    current = exchange.current()
    return _search(resource_type, [*current.parameters(), *current.form()])


class _Sent(NamedTuple):
    """What links repeat: what the answer was made by, how it is written, which page it is."""

    used: Query
    general: Query
    place: Query

    @classmethod
    def of(cls, sent: Query, used: Query) -> "_Sent":
        return cls(
            used,
            general=[(name, text) for name, text in sent if name in _GENERAL and text],
            place=[(name, text) for name, text in sent if name == "_page" and text][-1:],
        )


def _search(resource_type: str, sent: Query) -> Response:
    ours, current = service.current(), exchange.current()
    query = [(name, text) for name, text in sent if name not in _GENERAL]
    limits = ours.page_limits
    with ours.gate.turn():
        page = search(ours.background, resource_type, query, limits, strict=current.strict)
        return respond.resource(_searchset(page, resource_type, sent, current.base))


def _searchset(page: Page, resource_type: str, sent: Query, base: str) -> Resource:
    """Return the Bundle for a page: links, total, matches, includes, what was ignored."""
    given = dict(sent)
    entries = [_search_entry(held, "match", base, given) for held in page.matches]
    entries += [_search_entry(held, "include", base, given) for held in page.included]
    if page.ignored and not page.count_only:
        entries.append(_ignored_entry(page.ignored))
    address = f"{base}/{resource_type}"
    bundle = _bundle("searchset", address, _Sent.of(sent, page.used), page.links, entries)
    if page.total is not None:
        bundle["total"] = page.total
    return _in_order(bundle)


_BUNDLE_ORDER = ("resourceType", "type", "total", "link", "entry")


def _in_order(bundle: Resource) -> Resource:
    return {name: bundle[name] for name in _BUNDLE_ORDER if name in bundle}


def _bundle(
    bundle_type: str,
    address: str,
    sent: _Sent,
    places: Mapping[str, str],
    entries: list[Resource],
) -> Resource:
    """Return a Bundle with its own link and those of the other pages."""
    always = [*sent.used, *sent.general]
    pages = {"self": sent.place, **{name: [("_page", at)] for name, at in places.items()}}
    bundle: Resource = {
        "resourceType": "Bundle",
        "type": bundle_type,
        "link": [
            {"relation": name, "url": _link(address, [*always, *place])}
            for name, place in pages.items()
        ],
    }
    return {**bundle, "entry": entries} if entries else bundle


def _search_entry(held: Held, mode: str, base: str, sent: Mapping[str, str]) -> Resource:
    # A summary or a choice of elements concerns the matches and includes, never the Bundle.
    shown = subset(held.resource, sent.get("_summary", ""), sent.get("_elements", ""))
    url = f"{base}/{held.type}/{held.id}"
    return {"fullUrl": url, "resource": shown, "search": {"mode": mode}}


def _ignored_entry(names: Iterable[str]) -> Resource:
    told = [f"The parameter `{name[:80]}` was ignored." for name in dict.fromkeys(names)]
    issues = [Issue("warning", "not-supported", text) for text in told]
    return {
        "fullUrl": f"urn:uuid:{uuid5(NAMESPACE_URL, ' '.join(told))}",
        "resource": operation_outcome(issues),
        "search": {"mode": "outcome"},
    }


def _history_entry(held: Held, base: str) -> Resource:
    url = f"{held.type}/{held.id}"
    response = {
        "status": "200 OK",
        "etag": f'W/"{held.version_id}"',
        "lastModified": held.resource["meta"]["lastUpdated"],
    }
    request = {"method": "PUT", "url": url}
    return {
        "fullUrl": f"{base}/{url}",
        "resource": held.resource,
        "request": request,
        "response": response,
    }


def _link(address: str, query: Query) -> str:
    return f"{address}?{urlencode(query)}" if query else address
