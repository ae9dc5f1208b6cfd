"""The resources of one type by the codes at a path, whoever they belong to.

https://hl7.org/fhir/R4/datatypes.html#CodeableConcept
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import suppress
from functools import cached_property, lru_cache
from itertools import chain, compress
from operator import itemgetter
from typing import Any, NamedTuple

from carepath.deadline import paced
from carepath.record.codes import canonical_code, canonical_system, is_known
from carepath.record.paths import standing_at, values_at
from carepath.resources import Resource, codings

Words = Callable[[str], bool]
"""A test for words in small letters."""

_CODING, _SYSTEM, _CODE = map(itemgetter, ("coding", "system", "code"))
_MOST_NAMES, _LONGEST = 50_000, 200

_known_names: dict[tuple[Any, Any], str] = {}
"""The canonical `system|code` of the codings that were seen."""


class Coded:
    """Where the resources with a code stand, by `system|code` in canonical form and by `code`."""

    def __init__(self, resources: Sequence[Resource], path: str) -> None:
        self._resources = resources
        self._path = path

    @cached_property
    def _plain(self) -> "Plain | None":
        """Return what there is where all are concepts with codings as they should be."""
        try:
            concepts = list(map(itemgetter(self._path), self._resources))
            codings = list(map(_CODING, concepts))
        except (KeyError, TypeError):
            return None
        if set(map(type, codings)) != {list}:
            return None
        return Plain(concepts, codings, list(chain.from_iterable(codings)))

    @cached_property
    def _named(self) -> tuple[list[int], list[str]]:
        """Return place and canonical name of every coding."""
        if self._plain is not None:
            with suppress(KeyError, TypeError):
                return self._plain.named()
        return self._codings()

    @cached_property
    def _last(self) -> dict[str, int]:
        """Return the last place of each name."""
        places, names = self._named
        return dict(zip(names, places, strict=True))

    @cached_property
    def _others(self) -> dict[str, list[int]]:
        """Return the places of names that stand more than once, but for the last."""
        places, names = self._named
        others: dict[str, list[int]] = {}
        if len(self._last) < len(names):
            for name, n in zip(names, places, strict=True):
                if self._last[name] != n:
                    others.setdefault(name, []).append(n)
        return others

    @cached_property
    def unreadable(self) -> list[int]:
        """Return where those stand with a concept, but no coding of a known system in it."""
        places, names = self._named
        pairs = zip(names, places, strict=True)
        readable = {n for name, n in pairs if _is_readable(name)}
        return [
            n
            for n, resource in enumerate(self._resources)
            if n not in readable and values_at(resource, self._path)
        ]

    @cached_property
    def _by_code(self) -> dict[str, list[int]]:
        """Return the places by code, as written and in canonical form; few ask for it."""
        found: dict[str, list[int]] = {}
        places, names = self._named
        for name, n in zip(names, places, strict=True):
            found.setdefault(name.rpartition("|")[2], []).append(n)
        for n, resource in enumerate(self._resources):
            values = values_at(resource, self._path)
            codes = [c.get("code") for value in values for c in _codings_of(value)]
            for code in (*codes, *values):
                if isinstance(code, str):
                    found.setdefault(code, []).append(n)
        return found

    @cached_property
    def _values(self) -> tuple[list[int], list[Any]]:
        """Return the places of whatever stands at the path, and what stands there."""
        return standing_at(self._resources, self._path)

    def places(self, codes: Iterable[str]) -> set[int]:
        """Return where the resources stand that hold one of some codes.

        A code is `system|code`, the system written in whatever way, or `code` alone.
        """
        names, plain = _wanted(frozenset(codes))
        if not names and not plain:
            return set()
        last = self._last
        if len(names) > len(last):
            names = names & last.keys()
        found = {last[name] for name in names if name in last}
        if self._others:
            found |= {n for name in names for n in self._others.get(name, ())}
        if plain:
            found |= {n for code in plain for n in self._by_code.get(code, ())}
        return found

    def said(self, words: Words, among: Collection[int] | None = None) -> set[int]:
        """Return where the resources stand that pass a test by their text or a display.

        `among` are the places that matter; without it all do.
        """
        hits = set(compress(self._texts, _verdicts(self._texts, words)))
        if not hits:
            return set()
        return {
            n
            for n, value in zip(*self._values, strict=True)
            if (among is None or n in among) and _says(value, hits)
        }

    @cached_property
    def _texts(self) -> list[str]:
        """Return all that is said at the path in words."""
        if self._plain is not None:
            with suppress(KeyError, TypeError):
                texts = self._plain.texts()
                if set(map(type, texts)) <= {str}:
                    return texts
        return _texts(self._values[1])

    def _codings(self) -> tuple[list[int], list[str]]:
        """Return place and canonical name of every coding, whatever its form."""
        places: list[int] = []
        names: list[str] = []
        for n, value in zip(*self._values, strict=True):
            for coding in _codings_of(value):
                places.append(n)
                names.append(_name(coding.get("system"), coding.get("code")))
        return places, names


class Wanted(NamedTuple):
    """What resources are selected by: codes, a test for words, and whether nothing can be read."""

    codes: frozenset[str]
    words: Words | None
    unreadable: bool

    def places(self, index: Coded, among: Collection[int] | None = None) -> set[int]:
        """Return where the resources stand that are wanted, of those `among` which they may be."""
        found = index.places(self.codes)
        if self.words is not None:
            found |= index.said(self.words, among)
        if self.unreadable:
            found.update(index.unreadable)
        return found if among is None else found.intersection(among)


class Plain(NamedTuple):
    """Concepts with codings as they should be: one each, a list of codings in each.

    This is most of the work for a large record, and each step is one pass in C.
    """

    concepts: list[Any]
    codings: list[list[Any]]
    flat: list[Any]

    def named(self) -> tuple[list[int], list[str]]:
        """Return place and canonical name of every coding; raises KeyError and TypeError."""
        flat = self.flat
        pairs = zip(map(_SYSTEM, flat), map(_CODE, flat), strict=True)
        names: list[Any] = list(map(_known_names.get, pairs))
        if None in names:
            made = enumerate(names)
            names = [name or _name(flat[n]["system"], flat[n]["code"]) for n, name in made]
        if len(flat) == len(self.codings) and all(self.codings):
            return list(range(len(flat))), names
        return [n for n, given in enumerate(self.codings) for _ in given], names

    def texts(self) -> list[str]:
        """Return displays and texts; raises KeyError and TypeError."""
        texts = [coding["display"] for coding in self.flat if "display" in coding]
        return texts + [concept["text"] for concept in self.concepts if "text" in concept]


def _name(system: Any, code: Any) -> str:
    """Return the canonical `system|code`; `|` for what is no coding."""
    if not isinstance(code, str):
        return "|"
    system = system if isinstance(system, str) else ""
    canonical = canonical_system(system)
    made = f"{canonical}|{canonical_code(canonical, code)}"
    if len(system) + len(code) <= _LONGEST:
        if len(_known_names) >= _MOST_NAMES:
            _known_names.clear()
        _known_names[system, code] = made
    return made


def _is_readable(name: str) -> bool:
    """Tell whether a canonical name is a code of a known system."""
    system, _, code = name.rpartition("|")
    return bool(code) and is_known(system)


@lru_cache(maxsize=512)
def _wanted(codes: frozenset[str]) -> tuple[frozenset[str], frozenset[str]]:
    """Return the canonical names, and the codes without a system."""
    split = [code.rpartition("|") for code in codes]
    names = frozenset(_name(system, code) for system, bar, code in split if bar)
    return names, frozenset(code for _, bar, code in split if not bar)


def _codings_of(value: Any) -> list[dict[str, Any]]:
    """Return a Coding itself, or the codings of a concept."""
    if not isinstance(value, dict):
        return []
    return [value] if "code" in value else list(codings(value))


def _texts(values: Sequence[Any]) -> list[str]:
    """Return strings themselves, and the texts and displays of concepts."""
    concepts = [value for value in values if type(value) is dict]
    texts = [c["text"] for c in concepts if "text" in c]
    given = [c["coding"] for c in concepts if "coding" in c]
    flat = [coding for inside in given if type(inside) is list for coding in inside]
    for found in (flat, concepts):
        texts += [c["display"] for c in found if type(c) is dict and "display" in c]
    if len(concepts) < len(values):
        texts += values
    return [text for text in texts if type(text) is str]


def _says(value: Any, texts: set[str]) -> bool:
    """Tell whether a string is one of some texts, or a concept has one of them."""
    if type(value) is not dict:
        return isinstance(value, str) and value in texts
    return not texts.isdisjoint(_texts([value]))


def _verdicts(texts: Sequence[str], words: Words) -> Sequence[bool | None]:
    """Return whether each text passes a test.

    The displays of codes are the same in every record, so that a verdict is remembered.
    """
    known = _known_verdicts(words)
    remembered = list(map(known.get, texts))
    if None not in remembered:
        return remembered
    new = {text for text, verdict in zip(texts, remembered, strict=True) if verdict is None}
    found = {text: words(text.lower()) for text in paced(new)}
    verdicts = [found[t] if v is None else v for t, v in zip(texts, remembered, strict=True)]
    if len(known) + len(found) > _MOST_NAMES:
        known.clear()
    known.update((text, verdict) for text, verdict in found.items() if len(text) <= _LONGEST)
    return verdicts


@lru_cache(maxsize=64)
def _known_verdicts(words: Words) -> dict[str, bool]:
    """Return the verdicts of one test by the text as written."""
    del words
    return {}
