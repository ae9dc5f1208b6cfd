"""When things were: what dates a resource, what lies in the future, which statement is the latest.

https://hl7.org/fhir/R4/event.html and https://hl7.org/fhir/R4/valueset-observation-status.html
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, TypeVar

from carepath.record.span import Interval, Span, at, interval_of, period_of, span_of
from carepath.resources import Resource

__all__ = [
    "Interval",
    "Span",
    "at",
    "interval_of",
    "is_in_future",
    "is_later",
    "latest",
    "occurred",
    "span_of",
    "time_of",
]

_T = TypeVar("_T")

_PATHS: dict[str, tuple[str, ...]] = {
    "AllergyIntolerance": ("onset[x]", "recordedDate"),
    "CarePlan": ("created", "period"),
    "ClinicalImpression": ("effective[x]", "date"),
    "Communication": ("sent", "received"),
    "Composition": ("date",),
    "Condition": ("onset[x]", "recordedDate"),
    "DeviceUseStatement": ("timing[x]", "recordedOn"),
    "DiagnosticReport": ("effective[x]", "issued"),
    "DocumentReference": ("context.period", "date"),
    "Encounter": ("period",),
    "EpisodeOfCare": ("period",),
    "FamilyMemberHistory": ("date",),
    "Goal": ("start[x]", "statusDate"),
    "ImagingStudy": ("started",),
    "Immunization": ("occurrence[x]", "recorded"),
    "Media": ("created[x]", "issued"),
    "MedicationAdministration": ("effective[x]",),
    "MedicationDispense": ("whenHandedOver", "whenPrepared"),
    "MedicationRequest": ("authoredOn",),
    "MedicationStatement": ("effective[x]", "dateAsserted"),
    "Observation": ("effective[x]", "issued"),
    "Procedure": ("performed[x]",),
    "QuestionnaireResponse": ("authored",),
    "RiskAssessment": ("occurrence[x]",),
    "ServiceRequest": ("authoredOn", "occurrence[x]"),
    "Specimen": ("collection.collected[x]", "receivedTime"),
    "Task": ("executionPeriod", "authoredOn"),
}
"""By type the elements that date a resource; the first that is there decides, read or not."""

_RESULT = frozenset({"preliminary", "partial", "final", "amended", "corrected", "appended"})
_EVENT = frozenset({"in-progress", "on-hold", "stopped", "completed"})
_ORDER = frozenset({"active", "on-hold", "stopped", "revoked", "completed"})
_HAPPENED: dict[str, frozenset[str]] = {
    "ClinicalImpression": frozenset({"in-progress", "completed"}),
    "Communication": _EVENT,
    "Composition": _RESULT,
    "DeviceUseStatement": frozenset({"active", "completed"}),
    "DiagnosticReport": _RESULT,
    "DocumentReference": frozenset({"current"}),
    "Encounter": frozenset({"arrived", "triaged", "in-progress", "onleave", "finished"}),
    "EpisodeOfCare": frozenset({"active", "onhold", "finished"}),
    "FamilyMemberHistory": frozenset({"partial", "completed"}),
    "ImagingStudy": frozenset({"available"}),
    "Immunization": frozenset({"completed"}),
    "Media": _EVENT,
    "MedicationAdministration": _EVENT,
    "MedicationDispense": frozenset({"completed"}),
    "MedicationRequest": _ORDER,
    "MedicationStatement": frozenset({"active", "stopped", "completed"}),
    "Observation": _RESULT,
    "Procedure": _EVENT,
    "QuestionnaireResponse": frozenset({"completed", "amended"}),
    "RiskAssessment": _RESULT,
    "ServiceRequest": _ORDER,
    "Specimen": frozenset({"available", "unavailable", "unsatisfactory"}),
}
"""By type the statuses that say it has happened; a Specimen need not have one.

A Condition is not among them: a wrong onset does not undo a diagnosis, only the date is doubted.
"""

_FUTURE_PATHS = {"ServiceRequest": ("authoredOn",)}
"""Where only some of the elements tell what is past: what an order orders may well lie ahead."""

_RANKS = {
    "registered": 0,
    "preliminary": 0,
    "partial": 0,
    "final": 1,
    "completed": 1,
    "amended": 2,
    "corrected": 2,
    "appended": 2,
}
"""Of two results of one moment the one of the higher rank replaced the other."""

_CHOICE = ("DateTime", "Period", "Timing", "Instant", "Date", "String", "Age", "Range")
"""The types of a choice of time; an Age or Range, or a text that is no date, tells of none."""

_UNDATED = ("Age", "Range", "String")
"""An onset by age or in words is no unreadable date: when it was recorded still says something."""


def _places_of(path: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the elements around a path, and the properties that its end may stand in."""
    *holders, name = path.split(".")
    choice = name.removesuffix("[x]")
    keys = (name,) if choice == name else tuple(choice + type_name for type_name in _CHOICE)
    return tuple(holders), keys


_PLACES = {path: _places_of(path) for paths in _PATHS.values() for path in paths}


def occurred(resource: Resource) -> Span | None:
    """Return when what a resource tells of was, None when nothing readable says it.

    The first element that is there decides: behind an unreadable date none is looked for.
    """
    return span_of(_time_in(resource, _paths_of(resource)))


def time_of(resource: Resource) -> Resource | None:
    """Return the same as a Period, in the words of the sender; None where `occurred` is None."""
    return period_of(_time_in(resource, _paths_of(resource)))


def is_in_future(resource: Resource, now: datetime) -> bool:
    """Tell whether a resource says it has happened, at a time that wholly lies after `now`.

    Today, in whatever time zone, is not the future, and neither is what is planned.
    """
    return is_later(resource, at(now))


def is_later(resource: Resource, moment: Span) -> bool:
    """Tell the same for a moment that was read before."""
    resource_type = _text(resource, "resourceType")
    status = _text(resource, "status")
    if status not in _HAPPENED.get(resource_type, ()) and (status or resource_type != "Specimen"):
        return False
    paths = _FUTURE_PATHS.get(resource_type) or _PATHS[resource_type]
    span = span_of(_time_in(resource, paths))
    return span is not None and span.is_after(moment) is True


def latest(resources: Iterable[Resource]) -> list[Resource]:
    """Return those that may be the latest statement, in the order given.

    A resource goes when another is certainly later.  Among those of one moment the one issued
    later holds, else the corrected one, else the newer version of the same resource.  What stays
    undecided stays together, and what has no readable date always stays.
    """
    everything = [(resource, occurred(resource)) for resource in resources]
    groups: dict[Span, list[Resource]] = {}
    for resource, span in _not_outdated(everything, lambda pair: pair[1]):
        if span is not None:
            groups.setdefault(span, []).append(resource)
    holding = {id(resource) for same in groups.values() for resource in _not_replaced(same)}
    return [r for r, span in everything if span is None or id(r) in holding]


def _not_outdated(items: Sequence[_T], time_of: Callable[[_T], Span | None]) -> list[_T]:
    """Return the items that no other is certainly later than; those without a time stay."""
    spans = [(item, time_of(item)) for item in items]
    firsts = {span.first for _, span in spans if span is not None}
    # The two latest beginnings decide for all: one on the senders' clocks, one in UTC.
    leading = [
        max(of_kind)
        for zoned in (False, True)
        if (of_kind := [first for first in firsts if first.zoned is zoned])
    ]
    if not leading:
        return list(items)
    ahead = [Span(first, first) for first in leading]
    return [
        item
        for item, span in spans
        if span is None or not any(span.is_before(other) for other in ahead)
    ]


def _not_replaced(same: Sequence[Resource]) -> Sequence[Resource]:
    """Return what holds of several statements about one moment."""
    if len(same) == 1:
        return same
    return _newest_versions(_of_highest_rank(_not_outdated(same, _issued)))


def _issued(resource: Resource) -> Span | None:
    return span_of(resource.get("issued"))


def _of_highest_rank(same: Sequence[Resource]) -> list[Resource]:
    """Return the corrected results where there are some; a status that tells nothing stays."""
    ranks = [_RANKS.get(_text(resource, "status")) for resource in same]
    highest = max((rank for rank in ranks if rank is not None), default=0)
    return [r for r, rank in zip(same, ranks, strict=True) if rank is None or rank == highest]


def _newest_versions(same: Sequence[Resource]) -> list[Resource]:
    """Return the resources without those of which a newer version is among them."""
    by_id: dict[tuple[str, str], list[Resource]] = {}
    for resource in same:
        if _text(resource, "id"):
            key = (_text(resource, "resourceType"), _text(resource, "id"))
            by_id.setdefault(key, []).append(resource)
    old = {
        id(resource)
        for versions in by_id.values()
        if len(versions) > 1
        for resource in _old_versions(versions)
    }
    return [resource for resource in same if id(resource) not in old]


def _old_versions(versions: Sequence[Resource]) -> list[Resource]:
    """Return the versions of one resource that its `meta` tells to be older than another."""
    numbers = [_text(_meta(version), "versionId") for version in versions]
    if all(number.isascii() and number.isdigit() for number in numbers):
        newest = max(int(number) for number in numbers)
        return [v for v, n in zip(versions, numbers, strict=True) if int(n) < newest]
    staying = {id(v) for v in _not_outdated(versions, _last_updated)}
    return [v for v in versions if id(v) not in staying]


def _last_updated(resource: Resource) -> Span | None:
    return span_of(_meta(resource).get("lastUpdated"))


def _meta(resource: Resource) -> Resource:
    meta = resource.get("meta")
    return meta if isinstance(meta, dict) else {}


def _paths_of(resource: Resource) -> tuple[str, ...]:
    return _PATHS.get(_text(resource, "resourceType"), ())


def _time_in(resource: Resource, paths: tuple[str, ...]) -> Any:
    """Return the value of the first of some elements that is there and is a date of some form."""
    for path in paths:
        holders, keys = _PLACES[path]
        holder: Any = resource
        for step in holders:
            holder = holder.get(step) if isinstance(holder, dict) else None
        if isinstance(holder, dict):
            for key in keys:
                if key in holder and not (key.endswith(_UNDATED) and span_of(holder[key]) is None):
                    return holder[key]
    return None


def _text(resource: Resource, name: str) -> str:
    value = resource.get(name)
    return value if isinstance(value, str) else ""
