"""Taking a search query apart: filters, order, page, includes, and what is ignored.

https://hl7.org/fhir/R4/search.html#modifiers
"""

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from carepath.web.http.refusals import TooLarge, UnsupportedSearch
from carepath.web.http.subset import SUMMARIES
from carepath.web.search.filters import Filter, alternatives, filter_of
from carepath.web.search.includes import Include, read_include
from carepath.web.search.index import parameters
from carepath.web.search.values import UNSORTABLE, Background

Query = Sequence[tuple[str, str]]
"""Names and values in the order in which they were sent, a repeated name several times."""

RESULT_PARAMETERS = (
    "_sort",
    "_count",
    "_total",
    "_include",
    "_include:iterate",
    "_summary",
    "_elements",
)
TOTALS = ("none", "estimate", "accurate")
_MAX_DIGITS = 9
_MAX_VALUES = 1_000


@dataclass(slots=True)
class SearchPlan:
    """A query taken apart."""

    filters: list[Filter] = field(default_factory=list)
    used: list[tuple[str, str]] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)
    sort: dict[str, bool] = field(default_factory=dict)
    """Whether to sort by a parameter in descending order; the first one counts most."""
    includes: list[Include] = field(default_factory=list)
    count: int | None = None
    total: str = "accurate"
    offset: int = 0
    count_only: bool = False
    text_only: bool = False
    values: int = 0
    """How many values are searched for."""


def read(resource_type: str, query: Query, background: Background, *, strict: bool) -> SearchPlan:
    """Take the query apart, one parameter after the other; raise UnsupportedSearch, TooLarge."""
    plan = SearchPlan()
    for name, text in query:
        code, _, modifier = name.partition(":")
        if name in _RESULT_READERS:
            kept = not text or _RESULT_READERS[name](plan, resource_type, text)
        elif code in parameters(resource_type):
            texts = _counted(plan, text)
            if text:
                plan.filters.append(filter_of(resource_type, code, modifier, texts, background))
            kept = True
        else:
            _refuse_chain(resource_type, name)
            kept = False
        if not kept:
            _ignore(plan, name, strict=strict)
        elif text and name != "_page":
            plan.used.append((name, text))
    if plan.text_only and plan.includes:
        raise UnsupportedSearch("_include", "it does not go together with `_summary=text`")
    return plan


def _counted(plan: SearchPlan, text: str) -> list[str]:
    texts = alternatives(text)
    plan.values += len(texts)
    if plan.values > _MAX_VALUES:
        raise TooLarge("The number of values in the search", _MAX_VALUES)
    return texts


_SELECTING = {
    "_contained": "contained resources are not searched",
    "_content": "the text of resources is not searched",
    "_filter": "filters are not read here",
    "_has": "there are no chained parameters here, and none in reverse",
    "_list": "there are no lists here",
    "_query": "there are no named queries here",
    "_revinclude": "what refers to a match is not added here; `_include` adds what it refers to",
    "_text": "the text of resources is not searched",
    "_type": "a search is for the type in its URL",
}
"""What R4 gives every type and is not there: to ignore it would answer something else."""


def _refuse_chain(resource_type: str, name: str) -> None:
    """Refuse `reference.parameter`: to ignore it would find what was not asked for."""
    code = name.partition(":")[0]
    if code in _SELECTING:
        raise UnsupportedSearch(name[:80], _SELECTING[code])
    if "." in name:
        raise UnsupportedSearch(name[:80], "there are no chained parameters here")
    if code != name and code not in parameters(resource_type):
        raise UnsupportedSearch(name[:80], f"`{code}` is not known here, nor is a modifier of it")


def _ignore(plan: SearchPlan, name: str, *, strict: bool) -> None:
    if strict:
        raise UnsupportedSearch(name, "it is not known here, and handling=strict was asked for")
    plan.ignored.append(name)


def read_page(plan: SearchPlan, _type: str, text: str) -> bool:
    """Read the place that a link of ours names."""
    try:
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode("ascii")
        word, offset = raw.split(" ")
        plan.offset = int(offset)
    except (binascii.Error, ValueError) as error:
        raise UnsupportedSearch("_page", "this page was not given out by this service") from error
    if word != "offset" or plan.offset < 0:
        raise UnsupportedSearch("_page", "this page was not given out by this service")
    return True


def read_count(plan: SearchPlan, _type: str, text: str) -> bool:
    """Read how many entries a page has; none means that only the total is wanted."""
    if not (text.isascii() and text.isdecimal()) or len(text) > _MAX_DIGITS:
        raise UnsupportedSearch("_count", "expected a whole number, 0 or more")
    plan.count = int(text)
    plan.count_only = plan.count_only or plan.count == 0
    return True


def _read_total(plan: SearchPlan, _type: str, text: str) -> bool:
    if text not in TOTALS:
        raise UnsupportedSearch("_total", f"expected one of {', '.join(TOTALS)}")
    plan.total = text
    return True


def _read_sort(plan: SearchPlan, resource_type: str, text: str) -> bool:
    known = parameters(resource_type)
    for part in text.split(","):
        code = part.strip().removeprefix("-")
        if code not in known or known[code].type in UNSORTABLE:
            raise UnsupportedSearch("_sort", f"`{code[:60]}` is not a parameter to sort by")
        plan.sort.setdefault(code, part.strip().startswith("-"))
    return True


def _read_include(plan: SearchPlan, resource_type: str, text: str) -> bool:
    return _include(plan, read_include(resource_type, text, iterates=False))


def _read_iterated(plan: SearchPlan, resource_type: str, text: str) -> bool:
    return _include(plan, read_include(resource_type, text, iterates=True))


def _include(plan: SearchPlan, found: list[Include]) -> bool:
    plan.includes += [include for include in found if include not in plan.includes]
    return bool(found)


def _read_summary(plan: SearchPlan, _type: str, text: str) -> bool:
    if text not in SUMMARIES:
        raise UnsupportedSearch("_summary", f"expected one of {', '.join(SUMMARIES)}")
    plan.count_only = plan.count_only or text == "count"
    plan.text_only = text == "text"
    return True


def _keep(_plan: SearchPlan, _type: str, _text: str) -> bool:
    return True


_RESULT_READERS: Mapping[str, Callable[[SearchPlan, str, str], bool]] = {
    "_page": read_page,
    "_count": read_count,
    "_total": _read_total,
    "_sort": _read_sort,
    "_include": _read_include,
    "_include:iterate": _read_iterated,
    "_include:recurse": _read_iterated,  # as STU3 calls it
    "_summary": _read_summary,
    "_elements": _keep,
}


def page_token(offset: int) -> str:
    """Return the opaque text for a place in the matches."""
    return base64.urlsafe_b64encode(f"offset {offset}".encode()).decode().rstrip("=")
