"""Codes outside a required value set that can still be understood.

https://hl7.org/fhir/R4/terminologies.html#required
"""

from carepath.r4.codes import codes_of
from carepath.resources import codings
from carepath.validation.structure.locations import Place


def is_understood(place: Place) -> bool:
    """Tell whether a refused code or concept still names a code of the value set.

    Senders put spaces around codes, and give a status with the system of an older release.
    """
    codes = codes_of(place.element.binding) if place.element else None
    if not codes:
        return False
    if isinstance(place.value, dict):
        return any(str(coding.get("code")).strip() in codes for coding in codings(place.value))
    return str(place.value).strip() in codes


# R4 marks these, too, as elements that can turn a meaning: that of a name or an address, and not
# that of the resource which has it.  No rule asks which name is the official one.
_OF_PEOPLE = frozenset({"Address.use", "ContactPoint.use", "HumanName.use", "Identifier.use"})


def changes_meaning(place: Place) -> bool:
    """Tell whether the element can turn the meaning of its resource: a status, for one."""
    element = place.element
    return element is not None and element.is_modifier and element.path not in _OF_PEOPLE
