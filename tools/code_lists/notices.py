"""The notices that the owners of code systems ask for, and what every set has in common."""

from collections.abc import Iterable

DATE = "2026-11-24"
LICENSED_PART = ": the SNOMED CT codes that need an affiliate licence."

_SNOMED = (
    "This value set includes content from SNOMED CT, which is copyright International Health "
    "Terminology Standards Development Organisation (IHTSDO). "
)
_FREE = _SNOMED + (
    "The codes listed here are in the SNOMED CT Global Patient Set, which is distributed by "
    "SNOMED International under the Creative Commons Attribution 4.0 International licence."
)
_LICENSED = _SNOMED + (
    "Codes listed here lie outside the Global Patient Set: their use needs a SNOMED CT affiliate "
    "licence, or a place in a member country. A deployment without a licence removes this file; "
    "the value set that includes it then works without these codes."
)
_WHO = (
    "{} is copyright World Health Organization. Codes serve as matching keys only; the labels are "
    "the project's own."
)
_LOINC = (
    "This material contains content from LOINC (http://loinc.org). LOINC is copyright Regenstrief "
    "Institute, Inc. and the Logical Observation Identifiers Names and Codes (LOINC) Committee and "
    "is available at no cost under the license at http://loinc.org/license. LOINC is a registered "
    "United States trademark of Regenstrief Institute, Inc."
)
_NOTICES = {
    "http://snomed.info/sct": _FREE,
    "http://loinc.org": _LOINC,
    "http://terminology.hl7.org/CodeSystem/icd-o-3": _WHO.format("ICD-O-3"),
    "http://hl7.org/fhir/sid/icd-10": _WHO.format("ICD-10"),
}


def copyright_of(systems: Iterable[str], *, licensed: bool) -> str:
    """Return the notices of some code systems; `licensed` says that SNOMED CT is not free here."""
    snomed = {"http://snomed.info/sct": _LICENSED} if licensed else {}
    notices = {**_NOTICES, **snomed}
    return "\n\n".join(notices[system] for system in systems if system in notices)
