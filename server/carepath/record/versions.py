"""Which version of a resource counts when it was sent more than once, and what was deleted.

https://hl7.org/fhir/R4/bundle.html#bundle-unique and https://hl7.org/fhir/R4/http.html#history
"""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from functools import cached_property
from operator import itemgetter
from typing import NamedTuple

from carepath import deadline
from carepath.errors import InvalidResource
from carepath.issues import Issue
from carepath.record.entries import Entry, Sent
from carepath.record.remarks import Remark
from carepath.record.urls import Search, is_http, normal, search_in, type_and_id
from carepath.resources import Resource

_SERVER = re.compile(r"https?://[^/\n]+/")


class Current(NamedTuple):
    """The resources that count with their full URLs, in the order of their first entry."""

    urls: list[str]
    resources: list[Resource]
    remarks: list[Remark]
    unread: list[Resource]
    """Those of the resources that must not be used: nobody knows what they say now."""


def current(sent: Sent, left_out: Iterable[Resource] = ()) -> Current:
    """Return one version of each resource, without those that were deleted.

    `left_out` are resources that cannot be read as a whole.  Where such a version may be the
    newest, the newest of the others is as unread as it.

    Raises InvalidResource for two different Patients under one full URL or `Type/id`.
    """
    ids = set(map(id, left_out))
    if not sent.details and _are_distinct(sent.urls):
        return Current(sent.urls, sent.resources, [], _among(sent.resources, ids))
    entries = [
        sent.details.get(n) or Entry(url, resource)
        for n, (url, resource) in enumerate(zip(sent.urls, sent.resources, strict=True))
    ]
    groups, remarks = _with_deletions(_groups(e for e in entries if not e.deletes), entries)
    found = Current([], [], remarks, [])
    for group in deadline.paced(groups):
        left = _with_readable(group, _newest(group), ids)
        url = next((e.url for e in group if e.url and not e.deletes), "")
        found.urls.extend(e.url or url for e in left)
        found.resources.extend(e.resource or {} for e in left)
        if len(left) > 1 and id(left[0].resource) not in ids:
            remarks.append(_twice(left))
    return found._replace(unread=_among(found.resources, ids))


def _with_readable(group: list[Entry], left: list[Entry], ids: set[int]) -> list[Entry]:
    """Return what is left of a group; with what is unread also the newest of the others.

    `ids` are those of the unread resources, to which these are added.
    """
    if not any(id(entry.resource) in ids for entry in left):
        return left
    others = _newest([entry for entry in group if id(entry.resource) not in ids])
    either = set(map(id, (*left, *others)))
    left = [entry for entry in group if id(entry) in either and not entry.deletes]
    ids.update(id(entry.resource) for entry in left)
    return left


def _among(resources: list[Resource], ids: set[int]) -> list[Resource]:
    return [resource for resource in resources if id(resource) in ids] if ids else []


def _are_distinct(urls: list[str]) -> bool:
    """Tell quickly whether all have full URLs that differ, in any spelling."""
    if len(set(urls)) < len(urls) or "" in urls or "/" in set(map(itemgetter(-1), urls)):
        return False
    text = "\n".join(urls)
    if " " in text or ("_" in text and "/_history/" in text):
        return False
    server = _SERVER.match(text)
    if server is not None and text.count(f"\n{server[0]}") == len(urls) - 1:
        return True  # all on one server, written alike
    return len(set(text.lower().split("\n"))) == len(urls)


def _groups(entries: Iterable[Entry]) -> list[list[Entry]]:
    """Return the entries of each resource together.

    A full URL names a resource; one without any is the same as the only one of its type and id.
    """
    by_key: dict[object, list[Entry]] = {}
    namesakes: dict[tuple[str, str], list[object]] = {}
    without_url: dict[tuple[str, str], None] = {}
    for entry in entries:
        name = _name(entry.resource)
        key: object = normal(entry.url) or name or id(entry.resource)
        if key not in by_key and name:
            namesakes.setdefault(name, []).append(key)
        by_key.setdefault(key, []).append(entry)
        if name and key == name:
            without_url[name] = None
    order = {key: n for n, key in enumerate(by_key)}
    for name in without_url:
        others = [other for other in namesakes[name] if other != name]
        if len(others) == 1:
            # Together they stand where the first of them stood.
            first, second = sorted((name, others[0]), key=order.__getitem__)
            by_key[first] += by_key.pop(second)
    return list(by_key.values())


def _with_deletions(
    groups: list[list[Entry]], entries: Sequence[Entry]
) -> tuple[list[list[Entry]], list[Remark]]:
    """Return the groups with the deletions that concern them, as versions without a resource."""
    deletions = [entry for entry in entries if entry.deletes]
    remarks: list[Remark] = []
    if not deletions:
        return groups, remarks
    places: dict[object, list[list[Entry]]] = {}
    for group in groups:
        for name in {name for entry in group for name in _names(entry)}:
            places.setdefault(name, []).append(group)
    holders = _Holders(groups)
    for deletion in deadline.paced(deletions):
        search = search_in(deletion.deletes)
        if search is None:
            for group in _concerned(deletion, places):
                group.append(deletion)
        elif not _delete_found(search, deletion, holders):
            remarks.append(_not_carried_out(deletion.deletes))
    return groups, remarks


def _concerned(deletion: Entry, places: dict[object, list[list[Entry]]]) -> list[list[Entry]]:
    """Return the groups of what is deleted; a deletion on one server leaves the others alone."""
    target = normal(deletion.deletes)
    addresses = [name for name in (normal(deletion.url), target) if name and name in places]
    if not addresses and not (is_http(deletion.url) or is_http(target)):
        return places.get(type_and_id(target.lstrip("/")), [])
    found = [group for name in addresses for group in places[name]]
    names = {type_and_id(target.lstrip("/")), _name(deletion.resource)} - {("", "")}
    for name in names:
        found += [g for g in places.get(name, ()) if not any(is_http(e.url) for e in g)]
    return [group for n, group in enumerate(found) if not any(group is g for g in found[:n])]


class _Holders:
    """The entries of each resource by the business identifiers that a version of it has."""

    def __init__(self, groups: list[list[Entry]]) -> None:
        self._groups = groups

    @cached_property
    def _by_identifier(self) -> dict[tuple[str, str, str | None], list[list[Entry]]]:
        found: dict[tuple[str, str, str | None], list[list[Entry]]] = {}
        for group in self._groups:
            for key in {key for entry in group for key in _identifier_keys(entry.resource)}:
                found.setdefault(key, []).append(group)
        return found

    def of(self, resource_type: str, value: str, system: str | None) -> list[list[Entry]]:
        """Return the resources of a type with an identifier; without a system any will do."""
        return self._by_identifier.get((resource_type, value, system), [])


def _identifier_keys(resource: Resource | None) -> Iterator[tuple[str, str, str | None]]:
    given = None if resource is None else resource.get("identifier")
    for one in given if isinstance(given, list) else [given]:
        if resource is None or not isinstance(one, dict) or not isinstance(one.get("value"), str):
            continue
        system = one.get("system") or ""
        yield resource["resourceType"], one["value"], None
        if isinstance(system, str):
            yield resource["resourceType"], one["value"], system


def _delete_found(search: Search, deletion: Entry, holders: _Holders) -> bool:
    """Delete what a search by identifier finds; tell whether it is known what that is."""
    if len(search.criteria) != 1 or search.criteria[0][0] != "identifier":
        return False
    system, bar, value = search.criteria[0][1].rpartition("|")
    found = holders.of(search.type, value, system if bar else None)
    if len(found) > 1:
        return False
    for group in found:
        group.append(deletion)
    return True


def _newest(group: list[Entry]) -> list[Entry]:
    """Return the versions that may be the current one: one, if it can be told.

    Of a resource and its deletion the deletion counts, unless the resource is certainly newer.
    """
    if len(group) == 1:
        return group
    deletions = [entry for entry in group if entry.deletes]
    left = [e for e in group if not e.deletes and all(_is_newer(e, d) for d in deletions)]
    if not left:
        return []
    best = left[0]
    for entry in left[1:]:
        best = entry if _is_newer(entry, best) else best
    seen = {_content(best): best}
    for entry in left:
        if entry is not best and not _is_newer(best, entry):
            seen.setdefault(_content(entry), entry)
    return [entry for entry in left if any(entry is kept for kept in seen.values())]


def _is_newer(one: Entry, other: Entry) -> bool:
    """Tell whether one version certainly is newer than another."""
    deadline.check()
    mine, theirs = _updated(one), _updated(other)
    if mine is not None and theirs is not None and mine != theirs:
        return mine > theirs
    number, other_number = _version(one), _version(other)
    if number is not None and other_number is not None and number != other_number:
        return number > other_number
    return one.history == other.history != 0 and one.place < other.place


def _updated(entry: Entry) -> datetime | None:
    """Return when a version was stored, None when it is not said or cannot be read."""
    text = _meta(entry).get("lastUpdated") or entry.changed
    try:
        moment = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _version(entry: Entry) -> int | None:
    """Return the number of a version, None when it has none."""
    text = _meta(entry).get("versionId") or entry.etag.removeprefix("W/").strip('"')
    is_number = isinstance(text, str) and text.isascii() and text.isdigit()
    return int(text) if is_number and len(text) <= 18 else None  # noqa: PLR2004


def _meta(entry: Entry) -> Resource:
    meta = None if entry.resource is None else entry.resource.get("meta")
    return meta if isinstance(meta, dict) and not entry.deletes else {}


def _content(entry: Entry) -> str:
    """Return what a version says, whatever its order and its metadata."""
    resource = entry.resource or {}
    said = {name: value for name, value in resource.items() if name != "meta"}
    return json.dumps(said, sort_keys=True, default=str)


def _names(entry: Entry) -> list[object]:
    """Return the normal full URL, and type and id."""
    return [name for name in (normal(entry.url), _name(entry.resource)) if name and any(name)]


def _name(resource: Resource | None) -> tuple[str, str] | None:
    if resource is None or not isinstance(resource.get("id"), str):
        return None
    return resource["resourceType"], resource["id"]


def _twice(entries: list[Entry]) -> Remark:
    """Say that a resource was sent in versions that nothing orders; refuse two Patients."""
    name = _name(entries[0].resource)
    reference = "/".join(name) if name else entries[0].url
    if any((e.resource or {}).get("resourceType") == "Patient" for e in entries):
        text = f"Two different Patients were sent: `{reference}` stands twice under one `fullUrl` "
        text += "or id, and no version tells which of them is meant."
        raise InvalidResource([Issue("error", "duplicate", text, ("Bundle.entry.fullUrl",))])
    names = ", ".join(sorted({f"`{'/'.join(_name(e.resource) or (e.url,))}`" for e in entries}))
    text = f"{len(entries)} resources with different content stand under one full URL or id "
    text += f"({names}), and no version tells which is newer: all of them were used."
    return Remark("versions", "warning", "duplicate", reference, text)


def _not_carried_out(deletes: str) -> Remark:
    text = f"The Bundle deletes `{deletes}`, and it cannot be told which resource that is: "
    return Remark("deletions", "warning", "incomplete", "", f"{text}none was left out.")
