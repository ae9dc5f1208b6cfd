"""What a code means, however its system and the code itself are written.

https://hl7.org/fhir/R4/terminologies-systems.html and https://hl7.org/fhir/R4/snomedct.html

`code_systems.json` holds the facts: `systems` those that content may name, `others` and `hl7` the
OIDs that HL7 Terminology 7.0.1 registers (`hl7` by the name behind
`http://terminology.hl7.org/CodeSystem/`), `moved` the systems that FHIR STU3 had under
`http://hl7.org/fhir/`.  An ICD-O without its edition is read as the third, in use since 2000.
"""

import json
import re
from collections.abc import Callable
from functools import lru_cache
from importlib.resources import files
from typing import Any, NamedTuple

from carepath.resources import Resource

ICD_10 = "http://hl7.org/fhir/sid/icd-10"
ICD_10_CM = "http://hl7.org/fhir/sid/icd-10-cm"
ICD_10_GM = "http://fhir.de/CodeSystem/bfarm/icd-10-gm"
ICD_10_GM_SIDE = "http://fhir.de/StructureDefinition/seitenlokalisation"
_SIDES = "https://fhir.kbv.de/CodeSystem/KBV_CS_SFHIR_ICD_SEITENLOKALISATION"
ICD_O_3 = "http://terminology.hl7.org/CodeSystem/icd-o-3"

_SNOMED_CT = "http://snomed.info/sct"
_HL7 = "http://terminology.hl7.org/CodeSystem/"
_FHIR = "http://hl7.org/fhir/"

_NATIONAL = frozenset(
    {
        ICD_10_GM,
        "http://hl7.org/fhir/sid/icd-10-am",
        "http://hl7.org/fhir/sid/icd-10-ca",
        "http://hl7.org/fhir/sid/icd-10-nl",
        "https://smt.esante.gouv.fr/terminologie-cim-10",
        "https://terminologitjansten.inera.se/fhir/CodeSystem/icd-10-se",
        "urn:oid:1.2.246.537.6.1.1999",
        "urn:oid:2.16.578.1.12.4.1.1.7110",
    }
)
"""Editions that keep the codes of the WHO to the fourth character.

ICD-10-CM does not: its C49.A is a stromal tumour, for which the WHO has no code of its own.
"""

_EDITION = re.compile(r"snomed\.info/x?sct/\d+(?:/version/\d+)?")
_SCHEME = re.compile(r"https?://(?:www\.)?|(?:urn:)?oid:")

_HL7_URL = re.compile(r"https?://terminology\.hl7\.org/CodeSystem/(.+)", re.IGNORECASE)
_STU3_URL = re.compile(r"https?://hl7\.org/fhir/(v[23])/([^/]+)", re.IGNORECASE)
_V2_TABLE = re.compile(r"v2-(\d{4})")

_ICD_10_CODE = re.compile(r"([A-Z]\d[0-9A-Z])\.?([0-9A-Z]{0,4})[.\-]*[\s\u2020\u271d*!+#]*")
_ICD_10_GM_CODE = re.compile(r"([A-Z]\d\d)\.?(\d{0,2})[.\-]*([A-Z]{0,3})")
_ICD_10_GM_MARKS = re.compile(r"[\s\u2020\u271d*!+#,;]")
_MORPHOLOGY = re.compile(r"(?:M-?)?(\d{4})[/\s]*(\d)[/\s]*\d?")
_GENE = re.compile(r"(?:HGNC:)?\s*(\d+)", re.IGNORECASE)


def canonical_system(system: str) -> str:
    """Return the one URL of a code system, for any of its URLs, OIDs, editions and versions.

    A system that is not known is returned as it is.
    """
    return _meaning_of(system)[0]


def is_known(system: str) -> bool:
    """Tell whether a system, however it is written, is one whose URL is known here."""
    return _meaning_of(system)[1]


def canonical_code(system: str, code: str) -> str:
    """Return how a code of a system (by its canonical URL) is written; blanks are dropped.

    Codes of the ICD family get their dot and lose the marks that are no part of the code: dagger,
    asterisk, and in ICD-10-GM certainty and side, for which see `certainty`.
    """
    rewritten = _CODES.get(system)
    return code.strip() if rewritten is None else rewritten(code)


def base_system(system: str) -> str | None:
    """Return the classification of the WHO that a national edition keeps to the 4th character."""
    return ICD_10 if system in _NATIONAL else None


def with_canonical_codes(resource: Resource) -> Resource:
    """Return a copy in which all codes are written one way; the same object if they are already.

    What has a `system` and a `code` is read as a code: Coding, and Quantity with its unit.
    """
    return _rewritten(resource)


def _rewritten(element: dict[str, Any]) -> dict[str, Any]:
    """Return the element, or a copy along the paths where a code is to be written otherwise."""
    changed: dict[str, Any] = {}
    for name, value in element.items():
        kind = type(value)
        if kind is dict and name != "text":
            new: Any = _rewritten(value)
        elif kind is list:
            new = _all_rewritten(value)
        else:
            continue
        if new is not value:
            changed[name] = new
    if "code" in element and "system" in element:
        system, code = element["system"], element["code"]
        if type(system) is str and type(code) is str:
            changed |= _with_own_extensions(writing_of(system, code).other, element)
    return {**element, **changed} if changed else element


def _all_rewritten(values: list[Any]) -> list[Any]:
    """Return the list, or a copy if something in it is written otherwise."""
    changed: list[Any] = []
    for place, value in enumerate(values):
        if type(value) is dict:
            new = _rewritten(value)
            if new is not value:
                changed = changed or list(values)
                changed[place] = new
    return changed or values


def _with_own_extensions(other: dict[str, Any], coding: dict[str, Any]) -> dict[str, Any]:
    """Return a coding's new writing with the extensions that it has; its own side counts."""
    own = coding.get("extension")
    if "extension" not in other or not isinstance(own, list):
        return other
    has_side = any(isinstance(e, dict) and e.get("url") == ICD_10_GM_SIDE for e in own)
    return {**other, "extension": own if has_side else [*own, *other["extension"]]}


class Writing(NamedTuple):
    """The canonical system, and what of a coding is to be written otherwise.

    That is system and code, and the extension with the side that stood in a code of ICD-10-GM.
    """

    system: str
    other: dict[str, Any]


@lru_cache(maxsize=16384)
def writing_of(system: str, code: str) -> Writing:
    """Return how a system and a code are written here; callers must not change it."""
    canonical = canonical_system(system)
    new: dict[str, Any] = {"system": canonical, "code": canonical_code(canonical, code)}
    if new == {"system": system, "code": code}:
        return Writing(canonical, {})
    side = _icd_10_gm_side(code) if canonical == ICD_10_GM else ""
    if side:
        coding = {"system": _SIDES, "code": side}
        new["extension"] = [{"url": ICD_10_GM_SIDE, "valueCoding": coding}]
    return Writing(canonical, new)


def _icd_10_gm_side(code: str) -> str:
    """Return the letter of the side in a code of ICD-10-GM (`C49.2 GR`), empty when none is."""
    letters = (split_icd_10_gm(code) or ("", ""))[1]
    return next((letter for letter in letters if letter in "RLB"), "")


def split_icd_10_gm(code: str) -> tuple[str, str] | None:
    """Return a code of ICD-10-GM without its marks, and the letters that follow it.

    The letters tell certainty and side: `C49.2 GR` gives `C49.2` and `GR`.  None for another text.
    """
    match = _ICD_10_GM_CODE.fullmatch(_ICD_10_GM_MARKS.sub("", code).upper())
    return (_dotted(match), match[3]) if match else None


def _icd_10_gm(code: str) -> str:
    """Return the code without certainty and side; with other letters it is no code of these."""
    plain, letters = split_icd_10_gm(code) or ("", "?")
    return plain if set(letters) <= set("AGVZRLB") else code.strip()


def _icd_10(code: str) -> str:
    """Return the code in capitals, with its dot; what is none loses only the blanks around it."""
    match = _ICD_10_CODE.fullmatch(code.strip().upper())
    return _dotted(match) if match else code.strip()


def _dotted(match: re.Match[str]) -> str:
    return f"{match[1]}.{match[2]}" if match[2] else match[1]


def _icd_o_3(code: str) -> str:
    """Return a morphology without the grade, or a site as in ICD-10."""
    match = _MORPHOLOGY.fullmatch("".join(code.split()).upper())
    return f"{match[1]}/{match[2]}" if match else _icd_10(code)


def _hgnc(code: str) -> str:
    match = _GENE.fullmatch(code.strip())
    return f"HGNC:{match[1]}" if match else code.strip()


def _upper(code: str) -> str:
    return code.strip().upper()


_CODES: dict[str, Callable[[str], str]] = {
    ICD_10: _icd_10,
    ICD_10_CM: _icd_10,
    **dict.fromkeys(_NATIONAL, _icd_10),
    ICD_10_GM: _icd_10_gm,
    ICD_O_3: _icd_o_3,
    "http://loinc.org": _upper,
    "http://www.genenames.org/geneId": _hgnc,
    "http://www.whocc.no/atc": _upper,
    "http://ncicb.nci.nih.gov/xml/owl/EVS/Thesaurus.owl": _upper,
}
"""By system how its codes are written, where more than blanks around them may differ."""


@lru_cache(maxsize=4096)
def _meaning_of(system: str) -> tuple[str, bool]:
    """Return the canonical URL of a system and whether it is known."""
    text = system.strip().partition("|")[0].rstrip("/#")
    key = _key(text)
    if key in _SYSTEMS:
        return _SYSTEMS[key], True
    if _EDITION.fullmatch(key):
        return _SNOMED_CT, True
    if match := _HL7_URL.fullmatch(text):
        return _HL7 + match[1], True
    if match := _STU3_URL.fullmatch(text):
        return f"{_HL7}{match[1].lower()}-{match[2]}", True
    return system, False


def _key(text: str) -> str:
    """Return what all ways to write one URL or OID have in common."""
    return _SCHEME.sub("", text.casefold(), count=1).rstrip("/#")


def _systems() -> dict[str, str]:
    """Return the canonical URLs of systems by the keys of all that they are called."""
    table = json.loads(files("carepath.record").joinpath("code_systems.json").read_bytes())
    names = {_key(oid): url for oid, url in table["others"].items()}
    names |= {_key(url): url for url in table["others"].values()}
    for oid, name in table["hl7"].items():
        names[_key(oid)] = names[_key(_HL7 + name)] = _HL7 + name
        if match := _V2_TABLE.fullmatch(name):
            names.setdefault(f"2.16.840.1.113883.12.{int(match[1])}", _HL7 + name)
    names |= {_key(_FHIR + old): _HL7 + new for old, new in table["moved"].items()}
    for row in table["systems"]:
        called = [row["url"], *row.get("oids", ()), *row.get("urls", ()), *row.get("names", ())]
        names |= {_key(name): row["url"] for name in called}
    return names


_SYSTEMS = _systems()
