"""What stands anywhere in a resource, found in one walk: a rule is run only where it can matter.

https://hl7.org/fhir/R4/extensibility.html and https://hl7.org/fhir/R4/terminologies.html
"""

from typing import Any, NamedTuple

from carepath.record.codes import ICD_10_GM, writing_of
from carepath.resources import Resource


class Traits(NamedTuple):
    """What of a resource calls for a closer look; false where nothing can come of it."""

    has_modifiers: bool
    """Some element has a `modifierExtension`."""
    may_be_marked: bool
    """Something has an extension or a code of ICD-10-GM, where marks of certainty stand."""
    is_canonical: bool
    """Every code is written as it is kept."""


def traits_of(resource: Resource) -> Traits:
    """Return the traits of a resource, whatever it contains included."""
    elements = _elements(resource)
    has_modifiers = may_be_marked = False
    is_canonical = True
    for element in elements:
        if "modifierExtension" in element:
            has_modifiers = True
        if "extension" in element:
            may_be_marked = True
        if "system" in element and "code" in element:
            system, code = element["system"], element["code"]
            if type(system) is str and type(code) is str:
                written = writing_of(system, code)
                may_be_marked |= written.system == ICD_10_GM
                is_canonical &= not written.other
    return Traits(has_modifiers, may_be_marked, is_canonical)


def _elements(resource: Resource) -> list[dict[str, Any]]:
    """Return the resource and all elements in it that are no primitives."""
    found = [resource]
    for element in found:  # grows meanwhile
        for value in element.values():
            if type(value) is str:  # most are
                continue
            if type(value) is dict:
                found.append(value)
            elif type(value) is list:
                for item in value:
                    if type(item) is dict:
                        found.append(item)
    return found
