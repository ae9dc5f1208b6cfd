"""Definitions that come with a request, before those that are held; for that request only.

https://hl7.org/fhir/R4/references.html#canonical
"""

from collections.abc import Iterable
from functools import cached_property
from typing import Any

from carepath.canonical import Canonical
from carepath.knowledge.repository import Knowledge
from carepath.knowledge.terminology import Terminology
from carepath.resources import Resource

_TERMINOLOGY = frozenset({"CodeSystem", "ValueSet"})


class KnowledgeWithSent(Knowledge):
    """What is held, seen through definitions that were sent: those win, whatever their version.

    Nothing that is made of it is kept beyond it, for a held definition may lead to a sent one.
    """

    def __init__(self, base: Knowledge, sent: Iterable[Resource]) -> None:
        """Index what was sent; what is held is asked where that says nothing."""
        self._sent = tuple(sent)
        super().__init__(self._sent)
        self._base = base

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle by what is held and what was sent."""
        return KnowledgeWithSent, (self._base, self._sent)

    @cached_property
    def fingerprint(self) -> str:
        """Return a text that tells what is held and what was sent."""
        return f"{self._base.fingerprint}+{super().fingerprint}"

    @property
    def base(self) -> Knowledge:
        """Return what is held without the request."""
        return self._base

    def all(self, resource_type: str) -> tuple[Resource, ...]:
        """Return all definitions of a type, those that were sent last."""
        return (*self._base.all(resource_type), *super().all(resource_type))

    def types(self) -> tuple[str, ...]:
        """Return the types of which there are definitions."""
        return tuple(dict.fromkeys((*self._base.types(), *super().types())))

    def holds(self, definition: Resource) -> bool:
        """Tell that nothing is held: what a request brings may change what each leads to."""
        return False

    @cached_property
    def terminology(self) -> Terminology:
        """Return the code systems and value sets; those that are held, when none was sent."""
        if _TERMINOLOGY.isdisjoint(super().types()):
            return self._base.terminology
        return Terminology(
            code_systems=self.all("CodeSystem"),
            find_value_set=lambda url: self.find(url, resource_type="ValueSet"),
        )

    def _matching(self, canonical: Canonical) -> list[Resource]:
        return [*super()._matching(canonical), *self._base._matching(canonical)]

    def _by_relative(self, canonical: Canonical) -> list[Resource]:
        return [*super()._by_relative(canonical), *self._base._by_relative(canonical)]

    def _of_id(self, resource_type: str, id_: str) -> list[Resource]:
        return [*super()._of_id(resource_type, id_), *self._base._of_id(resource_type, id_)]


class KnowledgeOfRequests(KnowledgeWithSent):
    """The same for definitions that request after request brings: what is made of them is kept.

    `inline` is the definition that the requests are about, where they bring it by itself; no
    canonical leads to it.
    """

    def __init__(
        self, base: Knowledge, sent: Iterable[Resource], inline: Resource | None = None
    ) -> None:
        """Index what was sent, and hold it as long as this is held."""
        super().__init__(base, sent)
        self._inline = inline

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle by what is held, what was sent, and what the requests are about."""
        return KnowledgeOfRequests, (self._base, self._sent, self._inline)

    @property
    def base(self) -> Knowledge:
        """Return this: it is what is held for these requests."""
        return self

    def all(self, resource_type: str) -> tuple[Resource, ...]:
        """Return all definitions of a type, the one that the requests are about last."""
        inline = self._inline
        is_asked = inline is not None and inline.get("resourceType") == resource_type
        return (*super().all(resource_type), *((inline,) if inline and is_asked else ()))

    def holds(self, definition: Resource) -> bool:
        """Tell whether this very object is held, here or without the requests."""
        return (
            definition is self._inline
            or Knowledge.holds(self, definition)
            or self._base.holds(definition)
        )

    def itself(self, definition: Resource) -> Resource:
        """Return the definition that is held for one that a request brought again."""
        return definition if self._inline is None or self.holds(definition) else self._inline
