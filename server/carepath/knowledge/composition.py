"""What a value set is made of: the value sets it draws on, and the codes it lists itself.

https://hl7.org/fhir/R4/valueset.html#compositions
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from carepath import deadline
from carepath.errors import CyclicDefinition
from carepath.resources import Resource

Code = tuple[str, str]
"""System and code."""


@dataclass(frozen=True, slots=True)
class Expansion:
    """The codes of a value set; `is_complete` is False when more codes may belong to it."""

    codes: frozenset[Code]
    is_complete: bool

    @property
    def plain(self) -> frozenset[str]:
        """Return the codes without their systems."""
        return frozenset(code for _, code in self.codes)


NOTHING_KNOWN = Expansion(frozenset(), is_complete=False)


def in_order(canonical: str, drawn_on: Callable[[str], Iterator[str]]) -> list[str]:
    """Return a value set after those that it draws on, each once; raises CyclicDefinition.

    Without recursion: a chain of value sets may be longer than Python's own stack.
    """
    done: dict[str, None] = {}
    waiting: dict[str, Iterator[str]] = {canonical: drawn_on(canonical)}
    while waiting:
        deadline.check()
        name, rest = next(reversed(waiting.items()))
        following = next((each for each in rest if each not in done), None)
        if following is None:
            done[name] = None
            del waiting[name]
        elif following in waiting:
            chain = [*waiting]
            raise CyclicDefinition((*chain[chain.index(following) :], following))
        else:
            waiting[following] = drawn_on(following)
    return [*done]


def drawn_on(
    value_set: Resource | None, names: tuple[str, ...] = ("include", "exclude")
) -> Iterator[str]:
    """Yield the canonicals of the value sets that a value set is composed of."""
    compose: Any = (value_set or {}).get("compose")
    for name in names if isinstance(compose, dict) else ():
        for item in compose.get(name) or ():
            yield from item.get("valueSet") or ()


def said_in(value_set: Resource) -> Iterator[tuple[Code, Mapping[str, Any]]]:
    """Yield what a value set itself says of codes."""
    compose = value_set.get("compose")
    if not isinstance(compose, dict):
        yield from entries((value_set.get("expansion") or {}).get("contains") or ())
        return
    for item in compose.get("include") or ():
        for concept in deadline.paced(item.get("concept") or ()):
            yield (str(item["system"]), str(concept["code"])), concept


def entries(contains: Iterable[Mapping[str, Any]]) -> Iterator[tuple[Code, Mapping[str, Any]]]:
    """Yield the entries of an expansion by code, nested ones included, abstract ones not."""
    for entry in deadline.paced(contains):
        if "code" in entry and not entry.get("abstract"):
            yield (str(entry.get("system", "")), str(entry["code"])), entry
        yield from entries(entry.get("contains") or ())
