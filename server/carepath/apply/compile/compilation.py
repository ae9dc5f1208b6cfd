"""One compilation: of which knowledge, in which language, and what of it is kept.

What belongs to the knowledge is made once for all requests.  A definition that only came with a
request is compiled for that request, and nothing of it is kept.
"""

from collections.abc import Callable, Hashable
from typing import NamedTuple, TypeVar

from carepath.apply.compile.cache import Cache, Same
from carepath.apply.compile.formula import Formula
from carepath.apply.compile.names import Names
from carepath.apply.compile.translation import languages_in, translated
from carepath.apply.request import ApplySettings
from carepath.errors import CyclicDefinition, InvalidContent
from carepath.issues import Issue
from carepath.knowledge import Knowledge
from carepath.resources import Resource, canonical_of
from carepath.validation import definition_issues

T = TypeVar("T")


class _Judged(NamedTuple):
    """What is wrong with a definition."""

    issues: tuple[Issue, ...]


class Compilation:
    """What the parts of a compilation share."""

    def __init__(self, knowledge: Knowledge, settings: ApplySettings, language: str) -> None:
        """Prepare for definitions of the knowledge; see `begin` for others."""
        self.knowledge = knowledge
        self.settings = settings
        self._asked_language = language
        # Only languages that definitions are translated into are told apart, so that what is kept
        # does not grow with what callers ask for.
        known = knowledge.base.derived(_languages_of)
        is_known = not known.isdisjoint((language.lower(), language.lower().partition("-")[0]))
        self._language = language if is_known else ""
        self._shared = self._cache = knowledge.derived(Cache)
        self._languages = Same(settings.languages)

    def begin(self, definition: Resource) -> None:
        """Prepare for a definition; nothing of one that only came with a request is kept."""
        if not self.knowledge.holds(definition):
            self._cache = Cache()
            self._language = self._asked_language

    def in_language(self, definition: Resource) -> Resource:
        """Return a definition with its texts in the language of the reader."""
        return translated(definition, self._language) if self._language else definition

    def once(self, kind: type[T], definition: Resource, way: Hashable, make: Callable[[], T]) -> T:
        """Return what was made of a definition that the knowledge holds before, else make it.

        `way` tells what leads to it, where that matters.
        """
        if self._cache is self._shared and not self.knowledge.holds(definition):
            return make()
        setup = (
            self._language,
            self.settings.request_status,
            self.settings.carry_conditions,
            self.settings.create_type,
            self._languages,
        )
        return self._cache.get(kind, (Same(definition), way, setup), make)

    def library(
        self, library: Resource, chain: tuple[str, ...], make: Callable[[], Names]
    ) -> Names:
        """Return the names of a Library, which are the same for every reader and request."""
        # One that is reached directly is the same whoever names it.
        is_kept = self._cache is self._shared or len(chain) == 1
        held = is_kept and self.knowledge.holds(library)
        # What came with the request is kept as long as that.
        cache = self._shared if held else self._cache
        if cache is self._shared and not held:
            return make()
        return cache.get(Names, (Same(library), chain, self._languages), make)

    def formula(self, element: Resource) -> Formula:
        """Return the compiled expression; the same text is compiled once for all definitions."""
        meaning: Hashable = (element.get("language"), element.get("expression"))
        if "extension" in element or "expression" not in element:
            # An alternative may stand in for what is written: the element itself is meant.
            meaning = Same(element)
        languages = self.settings.languages
        return self._cache.get(
            Formula, (meaning, self._languages), lambda: Formula(element, languages)
        )

    def meaning(self, names: Names) -> object:
        """Return the same object for all names that mean the same."""
        entries = frozenset(names.entries.items())
        return self._cache.get(frozenset, entries, lambda: entries)

    def judge(self, definition: Resource) -> tuple[Issue, ...]:
        """Return what is odd about a definition; looked at once.

        Raises InvalidContent when it cannot be read safely.  A plan is compiled for each way that
        leads to it, and what it is like is the same each time.
        """
        judged = self._cache.get(
            _Judged, Same(definition), lambda: _Judged(definition_issues(definition))
        )
        errors = [issue for issue in judged.issues if issue.is_error]
        for first in errors[:1]:
            element = next(iter(first.expression), "")
            reason = first.diagnostics.rstrip(".")
            raise InvalidContent(canonical_of(definition), element, reason, errors)
        return judged.issues


def longer_by(canonical: str, chain: tuple[str, ...]) -> tuple[str, ...]:
    """Return the way to a definition that a chain of others leads to; raises CyclicDefinition."""
    if canonical in chain:
        raise CyclicDefinition((*chain[chain.index(canonical) :], canonical))
    return (*chain, canonical)


def _languages_of(knowledge: Knowledge) -> frozenset[str]:
    """Return the languages that plans and activities are translated into, in lower case."""
    types = ("PlanDefinition", "ActivityDefinition")
    return frozenset(
        language
        for resource_type in types
        for definition in knowledge.all(resource_type)
        for language in languages_in(definition)
    )
