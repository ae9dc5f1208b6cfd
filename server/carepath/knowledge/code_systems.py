"""One code system: its concepts, their hierarchy, and the filters that a value set may apply.

https://hl7.org/fhir/R4/codesystem.html and https://hl7.org/fhir/R4/valueset-filter-operator.html
"""

from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any

from carepath.deadline import paced
from carepath.fhirpath import patterns
from carepath.fhirpath.values.failure import Failure
from carepath.r4.published import published
from carepath.resources import Resource

Concept = Mapping[str, Any]


class CodeSystem:
    """The concepts of a CodeSystem resource by code, with parents taken from either notation."""

    def __init__(self, resource: Resource) -> None:
        self.url = str(resource.get("url", ""))
        self.version = resource.get("version")
        self.resource = resource
        self.is_complete = resource.get("content") == "complete"
        self._ignores_case = resource.get("caseSensitive") is False
        self.concepts: dict[str, Concept] = {}
        self.parents: dict[str, set[str]] = {}
        for concept, parent in _walk(resource.get("concept") or (), ""):
            code = self.normal(concept["code"])
            self.concepts[code] = concept
            self.parents.setdefault(code, set()).update({self.normal(parent)} if parent else ())
        for code, concept in self.concepts.items():
            self._add_declared_hierarchy(code, concept)
        self._ancestors: dict[str, frozenset[str]] = {}

    def normal(self, code: str) -> str:
        """Return a code as it is compared."""
        return code.casefold() if self._ignores_case else code

    def concept(self, code: str) -> Concept | None:
        """Return a concept, None when the system (as loaded) does not have it."""
        return self.concepts.get(self.normal(code))

    def ancestors(self, code: str) -> frozenset[str]:
        """Return all concepts above a code; a circle in the hierarchy ends where it began."""
        found = self._ancestors.get(code)
        if found is None:
            above: set[str] = set()
            waiting = list(self.parents.get(code, ()))
            while waiting:
                parent = waiting.pop()
                if parent not in above:
                    above.add(parent)
                    waiting.extend(self.parents.get(parent, ()))
            found = self._ancestors[code] = frozenset(above)
        return found

    def subsumes(self, code_a: str, code_b: str) -> str | None:
        """Return the outcome of CodeSystem/$subsumes, None when a code is not known."""
        a, b = self.normal(code_a), self.normal(code_b)
        if a not in self.concepts or b not in self.concepts:
            return None
        if a == b:
            return "equivalent"
        if a in self.ancestors(b):
            return "subsumes"
        return "subsumed-by" if b in self.ancestors(a) else "not-subsumed"

    def select(self, filters: list[Mapping[str, Any]]) -> Iterator[str] | None:
        """Yield the codes that meet all filters, None when a filter cannot be understood."""
        tests = []
        for item in filters:
            make = _FILTERS.get(str(item.get("op")))
            test = make and make(self, str(item.get("property")), str(item.get("value")))
            if test is None:
                return None
            tests.append(test)
        return (
            str(concept["code"])
            for code, concept in paced(self.concepts.items())
            if all(test(code) for test in tests)
        )

    def values(self, code: str, name: str) -> list[str]:
        """Return the values of a property of a concept as texts; `concept` means the code."""
        concept = self.concepts[code]
        if name in ("concept", "code"):
            return [str(concept["code"])]
        if name == "display":
            return [str(concept["display"])] if "display" in concept else []
        if name == "parent":
            return sorted(self.parents.get(code, ()))
        return [text for found, text in _properties(concept) if found == name]

    def _add_declared_hierarchy(self, code: str, concept: Concept) -> None:
        """Read `parent` and `child` properties, which stand beside or instead of nesting."""
        for name, text in _properties(concept):
            if name == "parent":
                self.parents[code].add(self.normal(text))
            elif name == "child":
                self.parents.setdefault(self.normal(text), set()).add(code)


def standard_system(canonical: str) -> CodeSystem | None:
    """Return one of the code systems that R4 publishes, None when it is none of them."""
    return None if published("CodeSystem", canonical) is None else _standard(canonical)


@lru_cache(maxsize=128)
def _standard(canonical: str) -> CodeSystem:
    return CodeSystem(published("CodeSystem", canonical) or {})


def _walk(concepts: Any, parent: str) -> Iterator[tuple[Concept, str]]:
    """Yield each concept with the code of the concept it is nested in."""
    for concept in paced(concepts):
        yield concept, parent
        yield from _walk(concept.get("concept") or (), concept["code"])


def _properties(concept: Concept) -> Iterator[tuple[str, str]]:
    """Yield name and text of each property of a concept."""
    for item in concept.get("property") or ():
        value = next((v for key, v in item.items() if key.startswith("value")), None)
        if isinstance(value, bool):
            value = "true" if value else "false"
        if isinstance(value, dict):
            value = value.get("code")
        yield str(item.get("code")), str(value)


Test = Callable[[str], bool]


def _is_a(system: CodeSystem, _: str, value: str) -> Test:
    wanted = system.normal(value)
    return lambda code: code == wanted or wanted in system.ancestors(code)


def _is_not_a(system: CodeSystem, _: str, value: str) -> Test:
    inside = _is_a(system, _, value)
    return lambda code: not inside(code)


def _descendent_of(system: CodeSystem, _: str, value: str) -> Test:
    wanted = system.normal(value)
    return lambda code: wanted in system.ancestors(code)


def _generalizes(system: CodeSystem, _: str, value: str) -> Test:
    start = system.normal(value)
    return lambda code: code == start or code in system.ancestors(start)


def _equals(system: CodeSystem, name: str, value: str) -> Test:
    return lambda code: value in system.values(code, name)


def _in(system: CodeSystem, name: str, value: str) -> Test:
    wanted = {part.strip() for part in value.split(",")}
    return lambda code: not wanted.isdisjoint(system.values(code, name))


def _not_in(system: CodeSystem, name: str, value: str) -> Test:
    inside = _in(system, name, value)
    return lambda code: not inside(code)


def _regex(system: CodeSystem, name: str, value: str) -> Test | None:
    try:
        patterns.full_match(value, "")
    except Failure:
        return None
    return lambda code: any(patterns.full_match(value, t) for t in system.values(code, name))


def _exists(system: CodeSystem, name: str, value: str) -> Test:
    wanted = value == "true"
    return lambda code: bool(system.values(code, name)) is wanted


_FILTERS: Mapping[str, Callable[[CodeSystem, str, str], Test | None]] = {
    "=": _equals,
    "is-a": _is_a,
    "is-not-a": _is_not_a,
    "descendent-of": _descendent_of,
    "generalizes": _generalizes,
    "in": _in,
    "not-in": _not_in,
    "regex": _regex,
    "exists": _exists,
}
