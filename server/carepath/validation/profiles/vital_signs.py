"""The profile that an Observation has to keep because of its code: R4's vital signs.

https://hl7.org/fhir/R4/observation-vitalsigns.html
"""

from collections.abc import Iterator, Mapping
from typing import Any

from carepath.resources import codings
from carepath.validation.profiles.tree import CORE

_LOINC = "http://loinc.org"
_PROFILES: Mapping[str, str] = {
    "85353-1": "vitalspanel",
    "9279-1": "resprate",
    "8867-4": "heartrate",
    "2708-6": "oxygensat",
    "8310-5": "bodytemp",
    "8302-2": "bodyheight",
    "9843-4": "headcircum",
    "29463-7": "bodyweight",
    "39156-5": "bmi",
    "85354-9": "bp",
}


def vital_sign_profiles(resource: Any) -> Iterator[str]:
    """Yield the canonicals of the profiles that the codes of an Observation stand for.

    Nothing is asked of one that was entered in error.
    """
    is_meant = isinstance(resource, dict) and resource.get("status") != "entered-in-error"
    if is_meant and resource.get("resourceType") == "Observation":
        found = {c.get("code") for c in codings(resource.get("code")) if c.get("system") == _LOINC}
        yield from (CORE + name for code, name in _PROFILES.items() if code in found)
