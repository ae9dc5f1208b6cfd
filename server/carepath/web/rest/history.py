"""The versions of one definition: which of them a history shows, and on which page.

https://hl7.org/fhir/R4/http.html#history
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from carepath.web.definitions import Held
from carepath.web.http.refusals import UnsupportedSearch
from carepath.web.search.dates import Span, span_of_text
from carepath.web.search.query import Query, SearchPlan, read_count, read_page

PARAMETERS = ("_count", "_since", "_at")
_LATEST = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class HistoryPage:
    """One page of a history."""

    shown: Sequence[Held]
    total: int
    used: Query
    offset: int
    size: int


def history_page(
    versions: Sequence[Held], query: Query, page_size: int, largest: int
) -> HistoryPage:
    """Return the versions, newest first, that the query asks for; raise UnsupportedSearch.

    `_since` leaves those that are not older than a moment, `_at` those that counted at a time.
    """
    plan, used, chosen = SearchPlan(), [], list(versions)
    for name, text in query:
        if name in _SELECTIONS and text:
            kept = {id(held) for held in _SELECTIONS[name](versions, _span(name, text))}
            chosen = [held for held in chosen if id(held) in kept]
        elif name in _PLACES and text:
            _PLACES[name](plan, "", text)
        if name in PARAMETERS and text:
            used.append((name, text))
    size = min(page_size if plan.count is None else plan.count, largest)
    shown = chosen[plan.offset : plan.offset + size]
    return HistoryPage(shown, len(chosen), used, plan.offset, size)


def _span(name: str, text: str) -> Span:
    try:
        return span_of_text(text.replace(" ", "+"))
    except ValueError as error:
        raise UnsupportedSearch(name, str(error)) from error


def _since(versions: Sequence[Held], time: Span) -> list[Held]:
    return [held for held in versions if held.last_modified >= time.start]


def _at(versions: Sequence[Held], time: Span) -> list[Held]:
    """Return the versions that counted at some moment of the time: until the next one came."""
    ends = [_LATEST, *(held.last_modified for held in versions)]
    return [
        held
        for held, end in zip(versions, ends, strict=False)
        if held.last_modified < time.end and end > time.start
    ]


_SELECTIONS: Mapping[str, Callable[[Sequence[Held], Span], list[Held]]] = {
    "_since": _since,
    "_at": _at,
}
_PLACES = {"_count": read_count, "_page": read_page}
