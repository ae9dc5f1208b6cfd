"""What changes the meaning of a definition, or of a part of it, and is not understood.

https://hl7.org/fhir/R4/extensibility.html#modifierExtension and
https://hl7.org/fhir/R4/resource-definitions.html#Resource.implicitRules

No modifier extension is understood here.  What has one must not be processed as if it were not
there: an action is undetermined, an activity makes no request, a plan or Library is not used.
"""

from collections.abc import Iterator
from typing import Any

from carepath.errors import UnsupportedFeature
from carepath.resources import Resource, canonical_of

_OF_OTHERS = frozenset({"action", "contained"})
"""What has meanings of its own: the actions below, and the resources inside."""


def modifiers(element: Resource) -> tuple[str, ...]:
    """Return what changes the meaning of an element, as one would name it; none is understood."""
    return tuple(dict.fromkeys(_modifiers(element)))


def check_modifiers(definition: Resource) -> None:
    """Raise UnsupportedFeature for a definition with a modifier beside its actions."""
    for name in modifiers(definition):
        raise UnsupportedFeature("", name, canonical_of(definition))


def _modifiers(element: Resource) -> Iterator[str]:
    rules = element.get("implicitRules")
    if isinstance(rules, str):
        yield f"The set of rules `{rules}`"
    for extension in element.get("modifierExtension") or ():
        yield f"The modifier extension `{extension.get('url')}`"
    for name, value in element.items():
        # Most values are texts, in which there is nothing.
        if isinstance(value, dict | list) and name not in _OF_OTHERS:
            yield from _inside(value)


def _inside(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from _modifiers(value)
    elif isinstance(value, list):
        for item in value:
            yield from _inside(item)
