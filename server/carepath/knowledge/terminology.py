"""Local terminology: what the loaded code systems and value sets can answer, and nothing more.

https://hl7.org/fhir/R4/terminology-service.html

An answer of None means that this terminology cannot know: the value set or code system is not
here, or only a part of it is.  Nobody may read None as no.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from carepath.canonical import Canonical
from carepath.errors import CyclicDefinition, InvalidContent
from carepath.knowledge.code_systems import CodeSystem
from carepath.knowledge.shape import shape_problems
from carepath.r4.codes import codings_of
from carepath.record.codes import base_system
from carepath.resources import Resource, canonical_of, codings

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


class Terminology:
    """Expansions, membership, hierarchy and look-up over loaded resources; safe between threads."""

    def __init__(
        self,
        code_systems: Iterable[Resource],
        find_value_set: Callable[[str], Resource | None],
    ) -> None:
        """Take the CodeSystem resources and a way to find a ValueSet by canonical."""
        self._systems: dict[str, CodeSystem] = {}
        for resource in code_systems:
            # A supplement adds designations only; it is no system of its own.
            if resource.get("content") != "supplement":
                self._systems.setdefault(str(resource.get("url")), CodeSystem(resource))
        self._find = find_value_set
        self._expansions: dict[str, Expansion] = {}
        self._plain: dict[str, frozenset[str]] = {}

    def expansion(self, value_set: str) -> Expansion | None:
        """Return the codes of a value set, None when it is not known."""
        found = self._expansions.get(value_set)
        if found is None:
            found = self._expand(value_set, ())
            if found is not None:
                # Names that are not known are not kept: callers could send any number of them.
                self._expansions[value_set] = found
        return found

    def member_of(self, coding: Mapping[str, Any], value_set: str) -> bool | None:
        """Tell whether a coding is in a value set; without a system the code alone decides."""
        expansion = self._expansions.get(value_set) or self.expansion(value_set)
        if expansion is None:
            return None
        system, code = coding.get("system"), coding.get("code")
        if system:
            codes = expansion.codes
            is_member = (system, code) in codes or _is_in_base(system, code, codes)
        else:
            if value_set not in self._plain:
                self._plain[value_set] = expansion.plain
            is_member = code in self._plain[value_set]
        return True if is_member else (False if expansion.is_complete else None)

    def expand(self, value_set: str) -> Resource | None:
        """Return the ValueSet with an expansion, None when it is not known or not complete.

        What a value set itself says of a code (display, designations) comes before what the code
        system says.
        """
        expansion = self.expansion(value_set)
        if expansion is None or not expansion.is_complete:
            return None
        said = dict(self._said(value_set))
        contains = [self._contains(code, said.get(code, {})) for code in sorted(expansion.codes)]
        nameless = {"resourceType": "ValueSet", "url": value_set, "status": "active"}
        found = self._find(value_set) or nameless
        kept = {key: value for key, value in found.items() if key not in ("compose", "text")}
        return {**kept, "expansion": {"total": len(contains), "contains": contains}}

    def code_system(self, resource: Resource) -> CodeSystem:
        """Return the concepts of a CodeSystem resource, ready when it is the one in use here."""
        held = self._systems.get(str(resource.get("url")))
        return held if held is not None and held.resource is resource else CodeSystem(resource)

    def subsumes(self, system: str, code_a: str, code_b: str) -> str | None:
        """Return `equivalent`, `subsumes`, `subsumed-by` or `not-subsumed`; None when unknown."""
        found = self._system(system)
        return None if found is None else found.subsumes(code_a, code_b)

    def concept(self, system: str, code: str) -> dict[str, Any] | None:
        """Return what is known of a code: system, code, display, definition, property."""
        found = self._system(system)
        concept = None if found is None else found.concept(code)
        if concept is None:
            return None
        return {"system": system, **{k: v for k, v in concept.items() if k != "concept"}}

    def lookup(self, system: str, code: str) -> dict[str, Any] | None:
        """Return the Parameters of CodeSystem/$lookup, None when the code is not known."""
        concept = self.concept(system, code)
        if concept is None:
            return None
        resource = self._systems[Canonical.parse(system).url].resource
        told = {
            "name": resource.get("name") or resource.get("title"),
            "version": resource.get("version"),
            "display": concept.get("display"),
        }
        parameters = [{"name": k, "valueString": str(v)} for k, v in told.items() if v]
        return {"resourceType": "Parameters", "parameter": parameters}

    def validate_code(self, value_set: str, coded: Any) -> dict[str, Any] | None:
        """Return the Parameters of ValueSet/$validate-code for a code, Coding or CodeableConcept.

        None when the value set is not known, or not known well enough to decide.
        """
        found = [{"code": coded}] if isinstance(coded, str) else [coded]
        if isinstance(coded, dict) and "coding" in coded:
            found = list(codings(coded))
        answers = [self.member_of(coding, value_set) for coding in found]
        if True not in answers and None in answers:
            return None
        parameters: list[dict[str, Any]] = [{"name": "result", "valueBoolean": True in answers}]
        for coding, answer in zip(found, answers, strict=True):
            concept = self.concept(str(coding.get("system")), str(coding.get("code")))
            if answer and concept and "display" in concept:
                parameters.append({"name": "display", "valueString": concept["display"]})
        return {"resourceType": "Parameters", "parameter": parameters}

    def _system(self, system: str) -> CodeSystem | None:
        """Return a code system by URL; its version does not matter here."""
        return self._systems.get(Canonical.parse(system).url)

    def _contains(self, code: Code, said: Mapping[str, Any]) -> dict[str, Any]:
        """Return one entry of an expansion, with what is known of the code."""
        known = self.concept(*code) or {}
        entry: dict[str, Any] = {"system": code[0]} if code[0] else {}
        entry["code"] = code[1]
        for name in ("display", "designation"):
            if name in said or name in known:
                entry[name] = said.get(name, known.get(name))
        return entry

    def _said(self, canonical: str) -> Iterator[tuple[Code, Mapping[str, Any]]]:
        """Yield what value sets say of codes, those that are drawn on before those that draw."""
        value_set = self._find(canonical) or {}
        compose = value_set.get("compose")
        if not isinstance(compose, dict):
            expansion = value_set.get("expansion")
            yield from _entries((expansion or {}).get("contains") or ())
            return
        for item in compose.get("include") or ():
            for imported in item.get("valueSet") or ():
                yield from self._said(imported)
            for concept in item.get("concept") or ():
                yield (str(item["system"]), str(concept["code"])), concept

    def _expand(self, canonical: str, chain: tuple[str, ...]) -> Expansion | None:
        """Expand a value set; `chain` holds those whose expansion waits for this one."""
        if canonical in chain:
            raise CyclicDefinition((*chain[chain.index(canonical) :], canonical))
        value_set = self._find(canonical)
        if value_set is None:
            return _standard(canonical)
        for element, reason in shape_problems(value_set):
            raise InvalidContent(canonical_of(value_set), element, reason)
        chain = (*chain, canonical)
        compose = value_set.get("compose")
        if not isinstance(compose, dict):
            return _as_expanded(value_set)
        included = [
            self._include(item, chain, canonical_of(value_set))
            for item in compose.get("include") or ()
        ]
        excluded = [
            self._include(item, chain, canonical_of(value_set))
            for item in compose.get("exclude") or ()
        ]
        codes = frozenset().union(*(part.codes for part in included))
        codes -= frozenset().union(*(part.codes for part in excluded))
        if not all(part.is_complete for part in excluded):
            # A code that an unknown exclusion may take away is not known to be a member.
            return NOTHING_KNOWN
        return Expansion(codes, all(part.is_complete for part in included))

    def _include(self, item: Mapping[str, Any], chain: tuple[str, ...], owner: str) -> Expansion:
        """Return the codes of one include or exclude: all its parts must agree."""
        parts = [
            self._expand(imported, chain) or NOTHING_KNOWN
            for imported in item.get("valueSet") or ()
        ]
        if "system" in item:
            parts.append(self._from_system(item))
        if not parts:
            return NOTHING_KNOWN
        codes = parts[0].codes.intersection(*(part.codes for part in parts[1:]))
        return Expansion(codes, all(part.is_complete for part in parts))

    def _from_system(self, item: Mapping[str, Any]) -> Expansion:
        """Return the codes that an include takes from its system: listed, filtered, or all."""
        url = str(item["system"])
        if item.get("concept"):
            listed = frozenset((url, str(concept["code"])) for concept in item["concept"])
            return Expansion(listed, is_complete=True)
        system = self._system(url)
        if system is None or item.get("version", system.version) != system.version:
            return NOTHING_KNOWN
        selected = system.select(list(item.get("filter") or ()))
        if selected is None:
            return NOTHING_KNOWN
        return Expansion(frozenset((url, code) for code in selected), system.is_complete)


def _is_in_base(system: str, code: str | None, codes: frozenset[Code]) -> bool:
    """Tell whether codes hold one of a national edition in the classification it is made from.

    https://terminology.hl7.org/ICD.html
    """
    base = base_system(system)
    return base is not None and (base, code) in codes


def _standard(canonical: str) -> Expansion | None:
    """Return the codes of a value set that R4 itself binds elements to."""
    known = codings_of(Canonical.parse(canonical).url)
    if known is None:
        return None
    codes = frozenset((system, code) for system, found in known.items() for code in found)
    return Expansion(codes, is_complete=True)


def _as_expanded(value_set: Resource) -> Expansion:
    """Return the codes of a value set that only carries an expansion."""
    expansion = value_set.get("expansion")
    if not isinstance(expansion, dict):
        return NOTHING_KNOWN
    codes = frozenset(code for code, _ in _entries(expansion.get("contains") or ()))
    total = expansion.get("total")
    return Expansion(codes, is_complete=total is None or total <= len(codes))


def _entries(contains: Iterable[Mapping[str, Any]]) -> Iterator[tuple[Code, Mapping[str, Any]]]:
    """Yield the entries of an expansion by code, nested ones included, abstract ones not."""
    for entry in contains:
        if "code" in entry and not entry.get("abstract"):
            yield (str(entry.get("system", "")), str(entry["code"])), entry
        yield from _entries(entry.get("contains") or ())
