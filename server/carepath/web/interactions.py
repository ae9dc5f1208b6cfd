"""The interactions of FHIR REST on definitions: read, vread, history, search, capabilities.

https://hl7.org/fhir/R4/http.html
"""

from collections.abc import Iterable, Mapping
from urllib.parse import urlencode

from flask import Response

from carepath.issues import Issue, operation_outcome
from carepath.resources import Resource
from carepath.web import exchange, respond, service
from carepath.web.capability import capability_statement, tag_of
from carepath.web.definitions import Held
from carepath.web.search import Page, search
from carepath.web.search_query import Query
from carepath.web.subset import subset

_GENERAL = ("_format", "_pretty")


def capabilities() -> Response:
    """Answer with the CapabilityStatement."""
    ours, base = service.current(), exchange.current().base
    statement = capability_statement(ours, base)
    return respond.cached(statement, tag_of(statement), ours.started)


def read(resource_type: str, id: str) -> Response:
    """Answer with the newest version of a definition."""
    return respond.definition(service.current().definitions.read(resource_type, id))


def vread(resource_type: str, id: str, version_id: str) -> Response:
    """Answer with one version of a definition."""
    return respond.definition(service.current().definitions.vread(resource_type, id, version_id))


def history(resource_type: str, id: str) -> Response:
    """Answer with the versions of a definition, newest first."""
    versions = service.current().definitions.versions(resource_type, id)
    base = exchange.current().base
    entries = [_history_entry(held, base) for held in versions]
    return respond.resource(_bundle("history", f"{base}/{resource_type}/{id}/_history", entries))


def search_by_url(resource_type: str) -> Response:
    """Answer a search whose parameters are in the URL."""
    arguments = exchange.current().request.args
    return _search(resource_type, list(arguments.items(multi=True)))


def search_by_form(resource_type: str) -> Response:
    """Answer a search whose parameters are in a form, those of the URL included."""
    current = exchange.current()
    in_url = list(current.request.args.items(multi=True))
    return _search(resource_type, [*in_url, *current.form()])


def _search(resource_type: str, sent: Query) -> Response:
    ours, current = service.current(), exchange.current()
    query = [(name, text) for name, text in sent if name not in _GENERAL]
    page = search(ours.definitions, resource_type, query, ours.page_limits, strict=current.strict)
    return respond.resource(_searchset(page, resource_type, dict(sent), current.base))


def _searchset(page: Page, resource_type: str, sent: Mapping[str, str], base: str) -> Resource:
    """Return the Bundle for a page: links, total, matches, includes, what was ignored."""
    address = f"{base}/{resource_type}"
    place = [("_page", sent["_page"])] if sent.get("_page") else []
    entries = [_search_entry(held, "match", base, sent) for held in page.matches]
    entries += [_search_entry(held, "include", base, sent) for held in page.included]
    bundle = _bundle("searchset", _link(address, [*page.used, *place]), entries)
    bundle["link"] += [
        {"relation": relation, "url": _link(address, [*page.used, ("_page", token)])}
        for relation, token in page.links.items()
    ]
    if page.total is not None:
        bundle["total"] = page.total
    if page.ignored and not page.count_only:
        bundle.setdefault("entry", []).append(_ignored_entry(page.ignored))
    return {name: bundle[name] for name in _BUNDLE_ORDER if name in bundle}


_BUNDLE_ORDER = ("resourceType", "type", "total", "link", "entry")


def _bundle(bundle_type: str, self_url: str, entries: list[Resource]) -> Resource:
    bundle: Resource = {"resourceType": "Bundle", "type": bundle_type, "total": len(entries)}
    if bundle_type == "searchset":
        del bundle["total"]
    bundle["link"] = [{"relation": "self", "url": self_url}]
    if entries:
        bundle["entry"] = entries
    return bundle


def _search_entry(held: Held, mode: str, base: str, sent: Mapping[str, str]) -> Resource:
    # A summary or a choice of elements concerns the matches and includes, never the Bundle.
    shown = subset(held.resource, sent.get("_summary", ""), sent.get("_elements", ""))
    url = f"{base}/{held.type}/{held.id}"
    return {"fullUrl": url, "resource": shown, "search": {"mode": mode}}


def _ignored_entry(names: Iterable[str]) -> Resource:
    issues = [
        Issue("warning", "not-supported", f"The parameter `{name[:80]}` was ignored.")
        for name in dict.fromkeys(names)
    ]
    return {"resource": operation_outcome(issues), "search": {"mode": "outcome"}}


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
