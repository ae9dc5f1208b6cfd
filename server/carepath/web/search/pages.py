"""Search over the definitions: select, sort, page, include.

https://hl7.org/fhir/R4/search.html

Nothing is stored but the definitions, so a search looks at each of them; what a definition holds
for a parameter is computed once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from carepath.deadline import paced
from carepath.web.definitions import Held
from carepath.web.search.includes import included
from carepath.web.search.index import parameters, values_of
from carepath.web.search.query import Query, page_token, read
from carepath.web.search.values import Background, sort_text


@dataclass(frozen=True, slots=True)
class Limits:
    """How many entries a page holds."""

    page_size: int
    max_page_size: int


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a search."""

    matches: Sequence[Held]
    included: Sequence[Held]
    total: int | None
    """None when the client asked for no total."""
    used: Query
    """What the search was done by, for the self link; without the place in the pages."""
    ignored: Sequence[str]
    links: Mapping[str, str]
    """Opaque places of the pages: first, previous, next, last, where there are any."""
    count_only: bool = False


def search(
    background: Background, resource_type: str, query: Query, limits: Limits, *, strict: bool
) -> Page:
    """Search one type; raise UnsupportedSearch for what would be answered wrongly.

    Unknown parameters are left out of `used`, or refused when `strict`.
    """
    plan = read(resource_type, query, background, strict=strict)
    held_here = background.definitions.by_type[resource_type]
    found = [held for held in paced(held_here) if all(is_match(held) for is_match in plan.filters)]
    for code, descending in reversed(plan.sort.items()):
        found = _sorted(found, code, descending=descending)
    size = min(limits.page_size if plan.count is None else plan.count, limits.max_page_size)
    shown = found[plan.offset : plan.offset + size]
    return Page(
        matches=[] if plan.count_only else shown,
        included=[] if plan.count_only else included(background.definitions, shown, plan.includes),
        total=None if plan.total == "none" and not plan.count_only else len(found),
        used=plan.used,
        ignored=plan.ignored,
        links={} if plan.count_only else links(len(found), plan.offset, size),
        count_only=plan.count_only,
    )


def _sorted(found: list[Held], code: str, *, descending: bool) -> list[Held]:
    """Sort by one parameter, those without a value last."""
    parameter = parameters(found[0].type)[code] if found else None
    if parameter is None:
        return found
    keys = {
        id(held): min((sort_text(parameter, v) for v in values_of(held, parameter)), default=None)
        for held in found
    }
    valued = [held for held in found if keys[id(held)] is not None]
    valued.sort(key=lambda held: keys[id(held)] or "", reverse=descending)
    return valued + [held for held in found if keys[id(held)] is None]


def links(total: int, offset: int, size: int) -> dict[str, str]:
    """Return the opaque places of the other pages; none when everything fits on one."""
    if size <= 0 or (total <= size and offset == 0):
        return {}
    places = {"first": 0, "last": max(total - 1, 0) // size * size}
    if offset > 0:
        places["previous"] = max(offset - size, 0)
    if offset + size < total:
        places["next"] = offset + size
    return {relation: page_token(place) for relation, place in places.items()}
