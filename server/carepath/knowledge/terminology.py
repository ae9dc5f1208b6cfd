"""Local terminology: what the loaded code systems and value sets can answer, and nothing more.

https://hl7.org/fhir/R4/terminology-service.html

An answer of None means that this terminology cannot know: the value set or code system is not
here, or only a part of it is.  Nobody may read None as no.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from carepath.canonical import Canonical
from carepath.deadline import paced
from carepath.errors import CyclicDefinition, InvalidContent
from carepath.knowledge.code_systems import CodeSystem, standard_system
from carepath.knowledge.composition import (
    NOTHING_KNOWN,
    Code,
    Expansion,
    drawn_on,
    entries,
    in_order,
    said_in,
)
from carepath.knowledge.shape import shape_problems
from carepath.r4.codes import codings_of
from carepath.r4.published import RELEASE, published
from carepath.record.codes import base_system
from carepath.resources import Resource, canonical_of, codings


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
        self._loaded = find_value_set
        self._expansions: dict[str, Expansion] = {}
        self._plain: dict[str, frozenset[str]] = {}
        self._well_shaped: dict[int, Resource] = {}
        self._circles: dict[str, tuple[str, ...]] = {}

    def expansion(self, value_set: str) -> Expansion | None:
        """Return the codes of a value set, None when it is not known."""
        found = self._expansions.get(value_set)
        if found is None:
            # Names that are not known are not kept: callers could send any number of them.
            found = self._expand(value_set)
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
        contains = [
            self._contains(code, said.get(code, {})) for code in paced(sorted(expansion.codes))
        ]
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

    def has(self, system: str, code: str, version: str = "") -> bool | None:
        """Tell whether a code system has a code; None when only a part of it is known, or none.

        A version that is neither the one known here nor R4's may have other codes.
        """
        found = self._system(system)
        if found is None or version not in ("", RELEASE, found.version):
            return None
        return True if found.concept(code) else (False if found.is_complete else None)

    def translate(self, concept_map: str, coding: Mapping[str, Any]) -> None:
        """Return nothing: no ConceptMap is read here, so nobody can say what a code becomes."""

    def lookup(self, system: str, code: str) -> dict[str, Any] | None:
        """Return the Parameters of CodeSystem/$lookup, None when the code is not known."""
        concept = self.concept(system, code)
        if concept is None:
            return None
        found = self._system(system)
        resource = found.resource if found is not None else {}
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
        answers = [self.member_of(coding, value_set) for coding in paced(found)]
        if True not in answers and None in answers:
            return None
        parameters: list[dict[str, Any]] = [{"name": "result", "valueBoolean": True in answers}]
        for coding, answer in zip(found, answers, strict=True):
            concept = self.concept(str(coding.get("system")), str(coding.get("code")))
            if answer and concept and "display" in concept:
                parameters.append({"name": "display", "valueString": concept["display"]})
        return {"resourceType": "Parameters", "parameter": parameters}

    def _system(self, system: str) -> CodeSystem | None:
        """Return a code system by URL, R4's own included; its version does not matter here."""
        url = Canonical.parse(system).url
        return self._systems.get(url) or standard_system(url)

    def _find(self, canonical: str) -> Resource | None:
        """Return a value set that is loaded, or one of R4's own."""
        return self._loaded(canonical) or published("ValueSet", canonical)

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
        for name in in_order(canonical, lambda name: drawn_on(self._find(name), ("include",))):
            yield from said_in(self._find(name) or {})

    def _expand(self, canonical: str) -> Expansion | None:
        """Expand a value set after all that it draws on, each of them once; None if not known."""
        known: dict[str, Expansion | None] = {}

        def open_ones(name: str) -> Iterator[str]:
            if name in self._circles:
                raise CyclicDefinition(self._circles[name])
            return (each for each in drawn_on(self._shaped(name)) if each not in self._expansions)

        try:
            order = in_order(canonical, open_ones)
        except CyclicDefinition as error:
            # Each of a thousand in a circle would go round all of it again.
            self._circles |= dict.fromkeys(error.chain, error.chain)
            raise
        for name in order:
            known[name] = self._expanded(name, known)
        self._expansions |= {name: found for name, found in known.items() if found is not None}
        return known[canonical]

    def _shaped(self, canonical: str) -> Resource | None:
        """Return a value set in which every element has the shape that FHIR gives it."""
        value_set = self._loaded(canonical)
        if value_set is None:
            return self._find(canonical)
        if id(value_set) not in self._well_shaped:
            for element, reason in shape_problems(value_set):
                raise InvalidContent(canonical_of(value_set), element, reason)
            self._well_shaped[id(value_set)] = value_set
        return value_set

    def _expanded(self, canonical: str, known: Mapping[str, Expansion | None]) -> Expansion | None:
        """Return the codes of a value set when those that it draws on are known."""
        value_set = self._loaded(canonical)
        if value_set is None:
            known_codes = _standard(canonical)
            value_set = published("ValueSet", canonical)
            if known_codes is not None or value_set is None:
                return known_codes
        compose = value_set.get("compose")
        if not isinstance(compose, dict):
            return _as_expanded(value_set)
        included, excluded = (
            [self._include(item, known) for item in paced(compose.get(name) or ())]
            for name in ("include", "exclude")
        )
        if not all(part.is_complete for part in excluded):
            # A code that an unknown exclusion may take away is not known to be a member.
            return NOTHING_KNOWN
        codes = _together([part.codes for part in included])
        codes -= _together([part.codes for part in excluded])
        return Expansion(codes, all(part.is_complete for part in included))

    def _include(self, item: Mapping[str, Any], known: Mapping[str, Expansion | None]) -> Expansion:
        """Return the codes of one include or exclude: all its parts must agree."""
        parts = [
            known.get(imported) or self._expansions.get(imported) or NOTHING_KNOWN
            for imported in item.get("valueSet") or ()
        ]
        if "system" in item:
            parts.append(self._from_system(item))
        if not parts:
            return NOTHING_KNOWN
        codes = parts[0].codes
        if parts[1:]:
            codes = codes.intersection(*(part.codes for part in parts[1:]))
        return Expansion(codes, all(part.is_complete for part in parts))

    def _from_system(self, item: Mapping[str, Any]) -> Expansion:
        """Return the codes that an include takes from its system: listed, filtered, or all."""
        url = str(item["system"])
        if item.get("concept"):
            listed = frozenset((url, str(one["code"])) for one in paced(item["concept"]))
            return Expansion(listed, is_complete=True)
        system = self._system(url)
        if system is None or item.get("version", system.version) != system.version:
            return NOTHING_KNOWN
        selected = system.select(list(item.get("filter") or ()))
        if selected is None:
            return NOTHING_KNOWN
        return Expansion(frozenset((url, code) for code in selected), system.is_complete)


def _together(parts: Sequence[frozenset[Code]]) -> frozenset[Code]:
    """Return the union; one set alone is shared, which keeps a chain of value sets small."""
    return parts[0] if len(parts) == 1 else frozenset().union(*parts)


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
    codes = frozenset(code for code, _ in entries(expansion.get("contains") or ()))
    total = expansion.get("total")
    return Expansion(codes, is_complete=total is None or total <= len(codes))
