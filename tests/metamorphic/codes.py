"""The same codes, written in another way.

https://hl7.org/fhir/R4/terminologies-systems.html and https://hl7.org/fhir/R4/snomedct.html
"""

import json
import re
import zlib
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from random import Random

from carepath.resources import Resource

from .bundles import coded, concepts, resources
from .patients import KNOWLEDGE

SNOMED = "http://snomed.info/sct"
# Verified in the NamingSystems of hl7.terminology.r4.
OIDS = {
    SNOMED: "2.16.840.1.113883.6.96",
    "http://loinc.org": "2.16.840.1.113883.6.1",
    "http://www.nlm.nih.gov/research/umls/rxnorm": "2.16.840.1.113883.6.88",
    "http://unitsofmeasure.org": "2.16.840.1.113883.6.8",
    "http://www.whocc.no/atc": "2.16.840.1.113883.6.73",
    "http://hl7.org/fhir/sid/icd-10": "2.16.840.1.113883.6.3",
    "http://hl7.org/fhir/sid/icd-10-cm": "2.16.840.1.113883.6.90",
    "http://terminology.hl7.org/CodeSystem/icd-o-3": "2.16.840.1.113883.6.43.1",
    "http://ncicb.nci.nih.gov/xml/owl/EVS/Thesaurus.owl": "2.16.840.1.113883.3.26.1.1",
    "http://www.genenames.org/geneId": "2.16.840.1.113883.6.281",
}
_ICD_10 = ("http://hl7.org/fhir/sid/icd-10", "http://hl7.org/fhir/sid/icd-10-cm")
_ICD_O = "http://terminology.hl7.org/CodeSystem/icd-o-3"
_SYNONYMS = json.loads(Path(__file__).with_name("synonyms.json").read_text("utf-8"))["synonyms"]
_OF_THE_SENDER = "https://hospital.example/codes"
_MILLIMETRES = {"value": 10, "unit": "mm", "code": "mm"}


def systems_as_oid(bundle: Resource, _: Random) -> Resource:
    """Write each public code system as a bare OID."""
    return _with_systems(bundle, lambda system: OIDS.get(system, system))


def systems_as_urn_oid(bundle: Resource, _: Random) -> Resource:
    """Write each public code system as `urn:oid:`."""
    urns = {system: f"urn:oid:{oid}" for system, oid in OIDS.items()}
    return _with_systems(bundle, lambda system: urns.get(system, system))


def snomed_edition(bundle: Resource, _: Random) -> Resource:
    """Write SNOMED CT as the URL of its US edition."""
    return _with_systems(bundle, lambda s: f"{s}/731000124108" if s == SNOMED else s)


def snomed_version(bundle: Resource, _: Random) -> Resource:
    """Write SNOMED CT as the URL of one version of the international edition."""
    version = f"{SNOMED}/900000000000207008/version/20240301"
    return _with_systems(bundle, lambda system: version if system == SNOMED else system)


def trailing_slash(bundle: Resource, _: Random) -> Resource:
    """End the URL of each public code system with a slash."""
    return _with_systems(bundle, lambda system: f"{system}/" if system in OIDS else system)


def https(bundle: Resource, _: Random) -> Resource:
    """Write the URL of each public code system with https."""
    urls = {system: system.replace("http:", "https:") for system in OIDS}
    return _with_systems(bundle, lambda system: urls.get(system, system))


def capital_host(bundle: Resource, _: Random) -> Resource:
    """Write scheme and host of each public code system in capitals."""
    urls = {s: re.sub("^http://[^/]+", lambda host: host[0].upper(), s) for s in OIDS}
    return _with_systems(bundle, lambda system: urls.get(system, system))


def coding_versions(bundle: Resource, _: Random) -> Resource:
    """Give each coding a version of its system."""
    for resource in resources(bundle):
        for concept in concepts(resource):
            for coding in concept["coding"]:
                coding.setdefault("version", "2024-03")
    return bundle


def local_codings(bundle: Resource, _: Random) -> Resource:
    """Put codings of the sender's own before and after the known ones of each concept.

    What is the same has the same code there, and what is not has another one: a code that a
    headache and a tumour had in common would say that they are one.
    """
    for resource in resources(bundle):
        for concept in concepts(resource):
            said = [(c.get("system"), c.get("code") or c.get("display")) for c in concept["coding"]]
            number = zlib.crc32(repr(said).encode())
            code = f"A-{number}"
            first = {"system": _OF_THE_SENDER, "code": code, "display": f"Item {code}"}
            last = {"system": "urn:oid:1.2.276.0.76.99.1", "code": str(number)}
            concept["coding"] = [first, *concept["coding"], last]
    return bundle


def without_displays(bundle: Resource, _: Random) -> Resource:
    """Drop the display of each coding whose code says it all: the content knows it, or ICD-10."""
    for resource in resources(bundle):
        for coding in coded(resource):
            is_known = (coding["system"], coding["code"]) in _displays()
            if is_known or coding["system"] in _ICD_10:
                coding.pop("display", None)
    return bundle


def with_displays(bundle: Resource, _: Random) -> Resource:
    """Give each coding that the content knows its display."""
    for resource in resources(bundle):
        for concept in concepts(resource):
            for coding in concept["coding"]:
                display = _displays().get((coding.get("system"), coding.get("code")))
                if display:
                    coding.setdefault("display", display)
    return bundle


@cache
def _displays() -> Mapping[tuple[str | None, str | None], str]:
    """Return the displays of all codes of the value sets, by system and code."""
    return {
        (include["system"], concept["code"]): concept["display"]
        for value_set in KNOWLEDGE.all("ValueSet")
        for include in value_set["compose"]["include"]
        for concept in include.get("concept", ())
    }


def user_selected(bundle: Resource, _: Random) -> Resource:
    """Say of each coding that a person chose it."""
    for resource in resources(bundle):
        for concept in concepts(resource):
            for coding in concept["coding"]:
                coding.setdefault("userSelected", True)
    return bundle


def icd_without_dots(bundle: Resource, _: Random) -> Resource:
    """Write ICD-10 codes and topography without a dot."""
    return _with_codes(bundle, (*_ICD_10, _ICD_O), lambda code: code.replace(".", ""))


def icd_in_small_letters(bundle: Resource, _: Random) -> Resource:
    """Write ICD-10 codes and topography in small letters, with blanks around them."""
    return _with_codes(bundle, (*_ICD_10, _ICD_O), lambda code: f" {code.lower()} ")


def morphology_with_m(bundle: Resource, _: Random) -> Resource:
    """Write morphologies with the letter M before them, as `M8936/3`."""
    return _with_codes(bundle, (_ICD_O,), lambda code: re.sub(r"^(\d{4}/\d)$", r"M\1", code))


def synonyms(bundle: Resource, random: Random) -> Resource:
    """Say grade, M, stage and results with another code that means the same."""
    # One choice for each code of a Bundle: copies of a resource stay equal.
    chosen = {code: random.choice(group) for group in _SYNONYMS for code in group}
    for resource in resources(bundle):
        for coding in coded(resource):
            other = chosen.get(f"{coding['system']}|{coding['code']}")
            if other:
                coding["system"], _, coding["code"] = other.partition("|")
                coding.pop("display", None)
    return bundle


def millimetres(bundle: Resource, _: Random) -> Resource:
    """Give each length of the record in millimetres instead of centimetres."""
    for resource in resources(bundle):
        for quantity in coded(resource):
            if quantity["code"] == "cm" and "value" in quantity:
                length = quantity["value"] * _MILLIMETRES["value"]
                quantity |= {**_MILLIMETRES, "value": length}
    return bundle


def _with_systems(bundle: Resource, change: Callable[[str], str]) -> Resource:
    for resource in resources(bundle):
        for item in coded(resource):
            item["system"] = change(item["system"])
    return bundle


def _with_codes(
    bundle: Resource, systems: tuple[str, ...], change: Callable[[str], str]
) -> Resource:
    for resource in resources(bundle):
        for item in coded(resource):
            if item["system"] in systems:
                item["code"] = change(item["code"])
    return bundle
