"""What a search brings besides its matches: `_include`, once or again and again.

https://hl7.org/fhir/R4/search.html#include
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from carepath import deadline
from carepath.web.definitions import DEFINITION_TYPES, Definitions, Held
from carepath.web.search.index import includes, parameters, values_of


class Include(NamedTuple):
    """One reference to follow: from which type, by which parameter, to which type ('' for any)."""

    source: str
    code: str
    target: str
    iterates: bool
    """Whether it is followed from what was included, too."""


def read_include(resource_type: str, text: str, *, iterates: bool) -> list[Include]:
    """Read `Type:parameter[:Target]`, `Type:*` or `*`; nothing for what leads nowhere."""
    sources = DEFINITION_TYPES if iterates else (resource_type,)
    known = [value for source in sources for value in includes(source)]
    source, _, rest = text.partition(":")
    code, _, target = rest.partition(":")
    if text == "*" or (source in sources and rest == "*"):
        chosen = [value for value in known if text == "*" or value.startswith(f"{source}:")]
        target = ""
    else:
        chosen = [value for value in known if value == f"{source}:{code}"]
    pairs = (value.split(":") for value in chosen)
    return [Include(source, code, target, iterates) for source, code in pairs]


def included(
    definitions: Definitions, matches: Sequence[Held], wanted: Sequence[Include]
) -> list[Held]:
    """Return what the matches refer to, each once and without the matches themselves."""
    seen = {id(held) for held in matches}
    found: list[Held] = []
    sources, follow = list(matches), list(wanted)
    while sources and follow:
        new = []
        for held in _targets(definitions, sources, follow):
            if id(held) not in seen:
                seen.add(id(held))
                new.append(held)
        found += new
        sources, follow = new, [include for include in wanted if include.iterates]
    return found


def _targets(
    definitions: Definitions, sources: Iterable[Held], wanted: Iterable[Include]
) -> Iterator[Held]:
    for held in sources:
        deadline.check()
        for include in wanted:
            if include.source == held.type:
                for value in values_of(held, parameters(held.type)[include.code]):
                    target = definitions.by_reference(_reference(value))
                    if target and include.target in ("", target.type):
                        yield target


def _reference(value: Any) -> str:
    return str(value.get("reference", "") if isinstance(value, dict) else value)
