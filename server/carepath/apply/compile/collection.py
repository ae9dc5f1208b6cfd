"""A data requirement with an id: the subject's resources of a type that meet its filters.

https://hl7.org/fhir/R4/metadatatypes.html#DataRequirement
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from carepath.apply.compile.narrowing import DAYS, element_path, not_understood
from carepath.deadline import paced
from carepath.errors import UnresolvedCanonical, UnsupportedFeature
from carepath.fhirpath.patterns import search
from carepath.knowledge import Terminology
from carepath.r4.model import type_of
from carepath.record import Record, values_at
from carepath.record.coded import Words
from carepath.resources import Resource

_FOREVER = (datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC))

Interval = tuple[datetime, datetime]
Profiled = Callable[[list[Resource], tuple[str, ...]], list[Resource]]

IN_WORDS = "https://carepath.example/fhir/StructureDefinition/or-in-words"
"""On a code filter: a pattern; what says it in words is selected too, whatever its code."""


class Collection:
    """The compiled requirement; `select` gives the resources, in the order sent."""

    __slots__ = (
        "code_filters",
        "date_filters",
        "limit",
        "name",
        "not_understood",
        "one_code",
        "profiles",
        "requirement",
        "sort",
        "type",
        "wanted",
        "words",
    )

    def __init__(self, requirement: Resource) -> None:
        self.requirement = requirement
        self.name = str(requirement.get("id", ""))
        self.type = str(requirement.get("type"))
        self.code_filters = tuple(requirement.get("codeFilter") or ())
        self.date_filters = tuple(requirement.get("dateFilter") or ())
        self.sort = tuple(requirement.get("sort") or ())
        self.limit = requirement.get("limit")
        self.profiles = tuple(requirement.get("profile") or ())
        self.not_understood = not_understood(requirement)
        self.one_code = self._one_code()
        self.words = tuple(map(_words, self.code_filters))
        self.wanted: tuple[Terminology | None, dict[int, frozenset[str]]] = (None, {})

    def select(
        self, record: Record, terminology: Terminology, now: datetime, profiled: Profiled
    ) -> list[Resource]:
        """Return the resources; `profiled` keeps those that are of one of some profiles.

        Raises UnresolvedCanonical for a value set that is not known, and UnsupportedFeature for a
        narrowing that is not understood.
        """
        if self.not_understood:
            raise UnsupportedFeature("", self.not_understood)
        if self.one_code is not None:
            return list(record.with_code(self.type, *self.one_code))
        found = self._coded(record, terminology)
        if self.profiles:
            found = profiled(found, self.profiles)
        for date_filter in self.date_filters:
            period = _period(date_filter, now)
            path = element_path(self.type, date_filter) or _default_date(self.type)
            found = [r for r in paced(found) if _is_within(r, path, period)]
        for order in reversed(self.sort):
            is_down = order.get("direction") == "descending"
            found.sort(key=_sort_key(element_path(self.type, order)), reverse=is_down)
        return found[: self.limit] if self.limit else found

    def _coded(self, record: Record, terminology: Terminology) -> list[Resource]:
        """Return the resources that every code filter selects, in the order sent."""
        found: list[Resource] | None = None
        for number, code_filter in enumerate(self.code_filters):
            wanted = self._wanted(number, terminology)
            matches = self.words[number]
            if matches is None and not ("code" in code_filter or "valueSet" in code_filter):
                continue
            path = element_path(self.type, code_filter) or "code"
            selected = record.with_codes(self.type, path, wanted, matches)
            if found is None:
                found = list(selected)
            else:
                kept = set(map(id, selected))
                found = [resource for resource in found if id(resource) in kept]
        return list(record.resources(self.type)) if found is None else found

    def _wanted(self, number: int, terminology: Terminology) -> frozenset[str]:
        """Return the codes that a filter wants; worked out once for a terminology."""
        if self.wanted[0] is not terminology:
            self.wanted = (terminology, {})
        known = self.wanted[1].get(number)
        if known is None:
            code_filter = self.code_filters[number]
            known = _wanted_codes(code_filter, terminology, self.name)
            if _is_primitive(self.type, element_path(self.type, code_filter) or "code"):
                known = frozenset(code.rpartition("|")[2] for code in known)
            self.wanted[1][number] = known
        return known

    def _one_code(self) -> tuple[str, str] | None:
        """Return path and code when that is all that is asked for: the index has the answer."""
        if (
            len(self.code_filters) != 1
            or self.date_filters
            or self.sort
            or self.limit
            or self.profiles
        ):
            return None
        code_filter = self.code_filters[0]
        wanted = _plain_codes(code_filter)
        if "valueSet" in code_filter or len(wanted) != 1 or _in_words(code_filter) is not None:
            return None
        path, code = element_path(self.type, code_filter) or "code", wanted.pop()
        return path, code.rpartition("|")[2] if _is_primitive(self.type, path) else code


def _in_words(code_filter: Mapping[str, Any]) -> str | None:
    """Return the pattern of words that a filter accepts beside its codes."""
    for extension in code_filter.get("extension") or ():
        if extension.get("url") == IN_WORDS:
            return str(extension.get("valueString"))
    return None


def _words(code_filter: Mapping[str, Any]) -> Words | None:
    """Return a test for words in small letters, None when only codes are asked for."""
    pattern = _in_words(code_filter)
    if pattern is None:
        return None

    def matches(words: str) -> bool:
        return bool(search(pattern, words))

    return matches


def _plain_codes(code_filter: Mapping[str, Any]) -> set[str]:
    """Return the codes that a filter lists, as `system|code` or `code`."""
    return {
        f"{coding['system']}|{coding.get('code')}"
        if "system" in coding
        else str(coding.get("code"))
        for coding in code_filter.get("code") or ()
    }


def _wanted_codes(
    code_filter: Mapping[str, Any], terminology: Terminology, name: str
) -> frozenset[str]:
    """Return the codes of a filter as `system|code`, or `code` where no system is given."""
    wanted = _plain_codes(code_filter)
    value_set = code_filter.get("valueSet")
    if value_set:
        expansion = terminology.expansion(value_set)
        if expansion is None:
            raise UnresolvedCanonical(value_set, f"the data requirement {name}")
        wanted |= {f"{system}|{code}" for system, code in expansion.codes}
    return frozenset(wanted)


def _default_date(resource_type: str) -> str:
    """Return the element that tells when something of this type was."""
    found = type_of(resource_type)
    for name in ("effective", "performed", "onset", "occurrence", "authoredOn", "date", "issued"):
        if found is not None and (name in found.choices or name in found.elements):
            return name
    return "date"


def _period(date_filter: Mapping[str, Any], now: datetime) -> Interval:
    """Return the interval of a date filter; a Duration reaches back from now."""
    if "valuePeriod" in date_filter:
        return _interval(date_filter["valuePeriod"]) or _FOREVER
    if "valueDuration" in date_filter:
        duration = date_filter["valueDuration"]
        unit = str(duration.get("code") or duration.get("unit") or "d")
        days = float(duration.get("value", 0)) * DAYS[unit]
        return now - timedelta(days=days), now
    return _interval(date_filter.get("valueDateTime")) or _FOREVER


def _is_within(resource: Resource, path: str, period: Interval) -> bool:
    """Tell whether some date at a path overlaps an interval."""
    intervals = (_interval(value) for value in _values(resource, path))
    return any(i is not None and i[0] <= period[1] and i[1] >= period[0] for i in intervals)


def _values(resource: Resource, path: str) -> Iterator[Any]:
    """Yield the values at a path, which may name a choice without its type (`effective`)."""
    found = type_of(resource["resourceType"])
    names = [path]
    if found is not None and path in found.choices:
        names = [element.name for element in found.choices[path]]
    for name in names:
        yield from values_at(resource, name)


def _is_primitive(resource_type: str, path: str) -> bool:
    """Tell whether a path holds bare codes (`status`): their system is not in the resource."""
    found = type_of(resource_type)
    element = None if found is None else found.elements.get(path)
    kind = None if element is None else type_of(element.type)
    return kind is not None and kind.kind == "primitive"


def _interval(value: Any) -> Interval | None:
    """Return the time that a date, dateTime or Period covers; None when it is neither."""
    if isinstance(value, dict):
        start, end = _interval(value.get("start")), _interval(value.get("end"))
        if start is None and end is None:
            return None
        return (start or _FOREVER)[0], (end or _FOREVER)[1]
    if not isinstance(value, str):
        return None
    try:
        if "T" in value:
            moment = datetime.fromisoformat(value)
            moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
            return moment, moment
        parts = [int(part) for part in value.split("-")]
        year, month, day = [*parts, 1, 1][:3]
        first = datetime(year, month, day, tzinfo=UTC)
        return first, _end_of(parts, first)
    except (ValueError, TypeError):
        return None


def _end_of(parts: list[int], start: datetime) -> datetime:
    """Return the last moment of a year, a month or a day."""
    if len(parts) == 1:
        following = start.replace(year=start.year + 1)
    elif len(parts) == 2:  # noqa: PLR2004 - year and month
        following = (start + timedelta(days=31)).replace(day=1)
    else:
        following = start + timedelta(days=1)
    return following - timedelta(microseconds=1)


def _sort_key(path: str) -> Callable[[Resource], str]:
    """Return a key that sorts by the first scalar at a path; what has none comes first."""

    def key(resource: Resource) -> str:
        return next((str(v) for v in _values(resource, path) if not isinstance(v, dict)), "")

    return key
