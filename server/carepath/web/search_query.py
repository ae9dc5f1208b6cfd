"""Taking a search query apart: filters, order, page, includes, and what is ignored.

https://hl7.org/fhir/R4/search.html#modifiers
"""

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from carepath.r4.search import SearchParameter
from carepath.web import search_values
from carepath.web.definitions import Held
from carepath.web.refusals import UnsupportedSearch
from carepath.web.search_index import includes, parameters, values_of
from carepath.web.subset import SUMMARIES

Query = Sequence[tuple[str, str]]
"""Names and values in the order in which they were sent, a repeated name several times."""

RESULT_PARAMETERS = ("_sort", "_count", "_total", "_include", "_summary", "_elements")
_TOTALS = ("none", "estimate", "accurate")
_MAX_DIGITS = 9


@dataclass(slots=True)
class SearchPlan:
    """A query taken apart."""

    filters: list[Callable[[Held], bool]] = field(default_factory=list)
    used: list[tuple[str, str]] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)
    sort: list[tuple[str, bool]] = field(default_factory=list)
    includes: list[tuple[str, str]] = field(default_factory=list)
    count: int | None = None
    total: str = "accurate"
    offset: int = 0
    count_only: bool = False


def read(resource_type: str, query: Query, *, strict: bool) -> SearchPlan:
    """Take the query apart, one parameter after the other."""
    plan = SearchPlan()
    known = parameters(resource_type)
    for name, text in query:
        code, _, modifier = name.partition(":")
        if name in _RESULT_READERS:
            kept = not text or _RESULT_READERS[name](plan, resource_type, text)
        elif code in known:
            plan.filters += [_filter(known[code], modifier, text)] if text else []
            kept = True
        else:
            kept = False
        if not kept:
            _ignore(plan, name, strict=strict)
        elif text and name != "_page":
            plan.used.append((name, text))
    return plan


def _ignore(plan: SearchPlan, name: str, *, strict: bool) -> None:
    if strict:
        raise UnsupportedSearch(name, "it is not known here, and handling=strict was asked for")
    plan.ignored.append(name)


def _filter(parameter: SearchParameter, modifier: str, text: str) -> Callable[[Held], bool]:
    """Return the test for `parameter:modifier=text`; alternatives are separated by commas."""
    if modifier == "missing":
        if text not in ("true", "false"):
            raise UnsupportedSearch(f"{parameter.code}:missing", "expected true or false")
        return lambda held: (not values_of(held, parameter)) == (text == "true")
    wanted = "" if modifier == "not" else modifier
    if modifier == "not" and parameter.type != "token":
        raise UnsupportedSearch(f"{parameter.code}:not", f"no such modifier for a {parameter.type}")
    matchers = [
        search_values.matcher(parameter.code, parameter.type, wanted, part)
        for part in _alternatives(text)
    ]

    def test(held: Held) -> bool:
        return any(match(value) for value in values_of(held, parameter) for match in matchers)

    return (lambda held: not test(held)) if modifier == "not" else test


def _alternatives(text: str) -> list[str]:
    """Split at commas; `\\,` `\\|` `\\$` `\\\\` stand for themselves."""
    parts, escaped = [""], False
    for char in text:
        if escaped or char not in "\\,":
            parts[-1] += char
            escaped = False
        elif char == ",":
            parts.append("")
        else:
            escaped = True
    return [part for part in parts if part] or [""]


def _read_page(plan: SearchPlan, _type: str, text: str) -> bool:
    try:
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode("ascii")
        word, offset = raw.split(" ")
        plan.offset = int(offset)
    except (binascii.Error, ValueError) as error:
        raise UnsupportedSearch("_page", "this page was not given out by this service") from error
    if word != "offset" or plan.offset < 0:
        raise UnsupportedSearch("_page", "this page was not given out by this service")
    return True


def _read_count(plan: SearchPlan, _type: str, text: str) -> bool:
    if not text.isdecimal() or len(text) > _MAX_DIGITS:
        raise UnsupportedSearch("_count", "expected a whole number, 0 or more")
    plan.count = int(text)
    plan.count_only = plan.count_only or plan.count == 0
    return True


def _read_total(plan: SearchPlan, _type: str, text: str) -> bool:
    if text not in _TOTALS:
        raise UnsupportedSearch("_total", f"expected one of {', '.join(_TOTALS)}")
    plan.total = text
    return True


def _read_sort(plan: SearchPlan, resource_type: str, text: str) -> bool:
    for part in text.split(","):
        code = part.strip().removeprefix("-")
        if code not in parameters(resource_type):
            raise UnsupportedSearch("_sort", f"`{code[:60]}` is not a parameter to sort by")
        plan.sort.append((code, part.strip().startswith("-")))
    return True


def _read_include(plan: SearchPlan, resource_type: str, text: str) -> bool:
    """Read `Type:parameter[:TargetType]`; `*` is everything that can be included."""
    if text == "*":
        plan.includes += [(value.partition(":")[2], "") for value in includes(resource_type)]
        return True
    source, _, rest = text.partition(":")
    code, _, target_type = rest.partition(":")
    if f"{source}:{code}" not in includes(resource_type):
        return False
    plan.includes.append((code, target_type))
    return True


def _read_summary(plan: SearchPlan, _type: str, text: str) -> bool:
    if text not in SUMMARIES:
        raise UnsupportedSearch("_summary", f"expected one of {', '.join(SUMMARIES)}")
    plan.count_only = plan.count_only or text == "count"
    return True


def _keep(_plan: SearchPlan, _type: str, _text: str) -> bool:
    return True


_RESULT_READERS: Mapping[str, Callable[[SearchPlan, str, str], bool]] = {
    "_page": _read_page,
    "_count": _read_count,
    "_total": _read_total,
    "_sort": _read_sort,
    "_include": _read_include,
    "_summary": _read_summary,
    "_elements": _keep,
}


def page_token(offset: int) -> str:
    """Return the opaque text for a place in the matches."""
    return base64.urlsafe_b64encode(f"offset {offset}".encode()).decode().rstrip("=")
