"""Rules on codes in content: check digits, known systems, verified codes, labels, duplicates.

https://hl7.org/fhir/R4/terminologies.html

The shipped value sets are the list of verified codes and of the labels they may carry; a code
that none of them lists, in a definition or in an expression, has not been looked up by anybody.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from carepath.authoring.lint.wording import meant
from carepath.issues import Issue
from carepath.knowledge.check_digits import is_loinc_code, is_snomed_code
from carepath.resources import Resource, identity

Code = tuple[str, str]
Labels = Mapping[Code, frozenset[str]]

SNOMED = "http://snomed.info/sct"
LOINC = "http://loinc.org"

_LITERAL = re.compile(r"'(?:([1-9][0-9]{5,17})|([0-9]{3,7}-[0-9]))'")


def _form(pattern: str) -> Callable[[str], bool]:
    """Return a check of a code's form."""
    compiled = re.compile(pattern)
    return lambda code: compiled.fullmatch(code) is not None


_ICD_10 = _form(r"[A-Z][0-9][0-9A-Z](\.[0-9A-Z]{1,4})?")
CHECKS: Mapping[str, Callable[[str], bool]] = {
    SNOMED: is_snomed_code,
    LOINC: is_loinc_code,
    "http://terminology.hl7.org/CodeSystem/icd-o-3": _form(
        r"[0-9]{4}(/[0-9])?|C[0-9]{2}(\.[0-9])?"
    ),
    "http://hl7.org/fhir/sid/icd-10": _ICD_10,
    "http://hl7.org/fhir/sid/icd-10-cm": _ICD_10,
    "http://www.nlm.nih.gov/research/umls/rxnorm": _form(r"[1-9][0-9]{0,7}"),
    "http://www.whocc.no/atc": _form(r"[A-Z][0-9]{2}[A-Z]{2}[0-9]{2}"),
    "http://ncicb.nci.nih.gov/xml/owl/EVS/Thesaurus.owl": _form(r"C[0-9]{3,7}"),
    "http://www.genenames.org/geneId": _form(r"HGNC:[0-9]+"),
    "http://cancerstaging.org": _form(r"[A-Za-z0-9]{1,6}"),
}
"""The public systems that content may use for clinical codes, with the check of a code's form."""

_FHIR_SYSTEMS = re.compile(
    r"http://(terminology\.hl7\.org/CodeSystem|hl7\.org/fhir)/(?!sid/).*"
    r"|http://unitsofmeasure\.org|urn:ietf:bcp:47|urn:ietf:rfc:3986|urn:iso:std:iso:3166.*"
    r"|http://unstats\.un\.org/unsd/methods/m49/m49\.htm"
)


class Verified(NamedTuple):
    """What is known of codes: the labels seen for each, and which codes a CodeSystem has."""

    labels: Labels
    systems: Mapping[str, frozenset[str] | None]
    """By url; None where a system does not list all of its codes."""


def terminology_issues(definitions: Iterable[Resource]) -> list[Issue]:
    """Return what is wrong with the codes of some definitions, taken together."""
    known = list(definitions)
    verified = verified_in(known)
    return [issue for definition in known for issue in definition_issues(definition, verified)]


def verified_in(definitions: Iterable[Resource]) -> Verified:
    """Return what some definitions tell of codes."""
    known = list(definitions)
    systems = (d for d in known if d["resourceType"] == "CodeSystem" and "url" in d)
    return Verified(verified_labels(known), {d["url"]: _all_codes(d) for d in systems})


def definition_issues(definition: Resource, verified: Verified) -> Iterator[Issue]:
    """Yield what is wrong with the codes of one definition."""
    place = identity(definition)
    for path, system, code, display in codes_in(definition, place):
        yield from _code_issues(path, system, code, display, verified)
    if definition["resourceType"] == "ValueSet":
        yield from _duplicates(definition, place)
    if definition["resourceType"] == "CodeSystem":
        yield from _repeated(_concept_codes(definition), f"{place}.concept")
    yield from _expression_issues(definition, place, verified)


def verified_labels(definitions: Iterable[Resource]) -> Labels:
    """Return the codes that value sets and code systems list, each with the labels it may carry."""
    found: dict[Code, set[str]] = {}
    for definition in definitions:
        if definition["resourceType"] == "ValueSet":
            for system, concept in _included(definition):
                found.setdefault((system, concept["code"]), set()).update(_labels(concept))
        elif definition["resourceType"] == "CodeSystem":
            for concept in filter(_has_code, _concepts(definition)):
                key = (str(definition.get("url")), concept["code"])
                found.setdefault(key, set()).update(_labels(concept))
    return {key: frozenset(labels) for key, labels in found.items()}


def codes_in(node: Any, path: str) -> Iterator[tuple[str, str, str, str | None]]:
    """Yield path, system, code and display of every coding, value set entry and map element."""
    if isinstance(node, list):
        for index, item in enumerate(node):
            yield from codes_in(item, f"{path}[{index}]")
    elif isinstance(node, dict):
        if _is_coding(node):
            yield path, node["system"], node["code"], node.get("display")
        for index, concept in enumerate(node.get("concept") or () if "system" in node else ()):
            if not _has_code(concept):
                continue
            place = f"{path}.concept[{index}]"
            yield place, node["system"], concept["code"], concept.get("display")
        for key, value in node.items():
            yield from codes_in(value, f"{path}.{key}")


def _is_coding(node: Mapping[str, Any]) -> bool:
    """Tell a Coding from a Quantity, which has a system and a code too."""
    has_both = isinstance(node.get("system"), str) and isinstance(node.get("code"), str)
    return has_both and "value" not in node and node["system"] != "http://unitsofmeasure.org"


def _code_issues(
    path: str, system: str, code: str, display: str | None, verified: Verified
) -> Iterator[Issue]:
    """Yield what is wrong with one code."""
    if system not in CHECKS:
        yield from _of_another_system(path, system, code, verified)
        return
    if not CHECKS[system](code):
        text = f"`{code}` is no code of `{system}`: its form or check digit is wrong."
        yield Issue("error", "code-invalid", text, (path,))
        return
    if (system, code) not in verified.labels:
        text = (
            f"`{code}` of `{system}` is in no value set: nobody has verified it. Look it up and "
            "list it, with its label, in a ValueSet."
        )
        yield Issue("warning", "code-invalid", text, (path,))
        return
    allowed = verified.labels[system, code]
    if display is not None and _plain(display) not in {_plain(label) for label in allowed}:
        expected = ", ".join(f"`{label}`" for label in sorted(allowed))
        text = f"`{code}` of `{system}` carries the label `{display}`; expected {expected}."
        yield Issue("error", "code-invalid", text, (path,))


def _of_another_system(path: str, system: str, code: str, verified: Verified) -> Iterator[Issue]:
    """Yield what is wrong with a code of a system that is not a public clinical one."""
    if system in verified.systems:
        codes = verified.systems[system]
        if codes is not None and code not in codes:
            text = f"`{code}` is no code of `{system}`.{meant(code, codes)}"
            yield Issue("error", "code-invalid", text, (path,))
    elif not _FHIR_SYSTEMS.fullmatch(system):
        near = meant(system, (*CHECKS, *verified.systems))
        text = f"The code system `{system}` is not one that content may use."
        remedy = near or " Nobody here can check its codes; bring its CodeSystem along."
        yield Issue("error" if near else "warning", "code-invalid", text + remedy, (path,))


def _expression_issues(definition: Resource, place: str, verified: Verified) -> Iterator[Issue]:
    """Yield the SNOMED CT and LOINC literals of expressions that are wrong or not verified."""
    for path, text in _expressions(definition, place):
        for snomed, loinc in _LITERAL.findall(text):
            yield from _code_issues(
                path, SNOMED if snomed else LOINC, snomed or loinc, None, verified
            )


def _expressions(node: Any, path: str) -> Iterator[tuple[str, str]]:
    """Yield path and text of every expression."""
    if isinstance(node, list):
        for index, item in enumerate(node):
            yield from _expressions(item, f"{path}[{index}]")
    elif isinstance(node, dict):
        if isinstance(node.get("expression"), str) and "language" in node:
            yield f"{path}.expression", node["expression"]
        for key, value in node.items():
            yield from _expressions(value, f"{path}.{key}")


def _duplicates(value_set: Resource, place: str) -> Iterator[Issue]:
    """Yield the codes that a value set lists twice."""
    codes = [(system, concept["code"]) for system, concept in _included(value_set)]
    yield from _repeated(codes, f"{place}.compose.include")


def _repeated(codes: Iterable[Any], path: str) -> Iterator[Issue]:
    for code, count in Counter(codes).items():
        if count > 1:
            shown = code if isinstance(code, str) else "|".join(code)
            yield Issue("error", "duplicate", f"`{shown}` is listed {count} times.", (path,))


def _included(value_set: Resource) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield system and entry of what a value set lists one by one."""
    for include in (value_set.get("compose") or {}).get("include") or ():
        for concept in include.get("concept") or ():
            yield str(include.get("system")), concept


def _concepts(system: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the concepts of a code system, nested ones included."""
    for concept in system.get("concept") or ():
        yield concept
        yield from _concepts(concept)


def _concept_codes(system: Resource) -> list[str]:
    return [concept["code"] for concept in filter(_has_code, _concepts(system))]


def _has_code(concept: Mapping[str, Any]) -> bool:
    """Tell whether a concept has the code that it must have; the structure check tells the rest."""
    return isinstance(concept.get("code"), str)


def _all_codes(system: Resource) -> frozenset[str] | None:
    is_complete = system.get("content") == "complete"
    return frozenset(_concept_codes(system)) if is_complete else None


def _labels(concept: Mapping[str, Any]) -> Iterator[str]:
    """Yield the labels that a value set allows for a code."""
    if "display" in concept:
        yield concept["display"]
    for designation in concept.get("designation") or ():
        yield str(designation.get("value", ""))


def _plain(label: str) -> str:
    """Return a label without semantic tag, in lower case and in one spelling."""
    bare = re.sub(r"\s*\([a-z/ ]+\)$", "", label.strip())
    return re.sub(r"\s+", " ", bare.lower().replace("tumour", "tumor").replace("aemia", "emia"))
