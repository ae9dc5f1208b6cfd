"""Bundles: links, full URLs, the results of a search.

https://hl7.org/fhir/R4/bundle.html
"""

import re
from collections.abc import Iterator
from typing import Any

from carepath.issues import Issue
from carepath.r4.model import RESOURCE_TYPES
from carepath.validation.rules.documents import document_issues, message_issues
from carepath.validation.rules.places import misled
from carepath.validation.rules.rule import Rules, fault, is_absolute, objects_of, text_of
from carepath.validation.walker import Item

_ONCE = frozenset({"self", "first", "previous", "prev", "next", "last"})
_RESTFUL = re.compile(r"https?://.*/([A-Z][A-Za-z]+)/[A-Za-z0-9\-.]{1,64}")
_STARTED = {"document": document_issues, "message": message_issues}
"""By the types of Bundles whose first entry says what belongs in them."""


def _bundle(item: Item) -> Iterator[Issue]:
    yield from _links(item)
    entries = objects_of(item.value, "entry")
    for index, entry in enumerate(entries):
        place = f"{item.path}.entry[{index}]"
        yield from _full_url(entry, place)
        if item.value.get("type") == "searchset":
            yield from _result(entry, place)
    yield from misled(entries, item.path)
    if item.value.get("type") in _STARTED:
        yield from _STARTED[item.value["type"]](entries, item.path)


def _links(item: Item) -> Iterator[Issue]:
    """Yield an error for each link of a page that stands twice."""
    seen: set[str] = set()
    for index, link in enumerate(objects_of(item.value, "link")):
        relation = text_of(link, "relation")
        if relation in _ONCE and relation in seen:
            place = f"{item.path}.link[{index}].relation"
            yield fault(place, f"says `{relation}` a second time", "structure")
        seen.add(relation)


def _full_url(entry: dict[str, Any], place: str) -> Iterator[Issue]:
    url, resource = text_of(entry, "fullUrl"), entry.get("resource")
    if url and not is_absolute(url):
        yield fault(f"{place}.fullUrl", "is not an absolute URL")
    match = _RESTFUL.fullmatch(url)
    is_new = text_of(entry.get("request"), "method") == "POST"
    is_restful = match is not None and match[1] in RESOURCE_TYPES
    if is_restful and not is_new and isinstance(resource, dict) and "id" not in resource:
        yield fault(f"{place}.fullUrl", "is the URL of a resource with an id; it has none")


def _result(entry: dict[str, Any], place: str) -> Iterator[Issue]:
    """Yield what is wrong with an entry of the result of a search."""
    resource, mode = entry.get("resource"), text_of(entry.get("search"), "mode")
    if not isinstance(resource, dict):
        return
    type_ = text_of(resource, "resourceType")
    if mode == "outcome" and type_ != "OperationOutcome":
        yield fault(f"{place}.resource", "is no OperationOutcome, as the mode `outcome` says")
    if mode != "outcome" and type_ != "OperationOutcome" and "id" not in resource:
        yield fault(f"{place}.resource", "has no id; what a search finds has one", "required")


RULES: Rules = {"Bundle": _bundle}
