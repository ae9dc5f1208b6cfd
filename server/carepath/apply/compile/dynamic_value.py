"""A dynamicValue ready to be evaluated and put.

https://hl7.org/fhir/R4/plandefinition-definitions.html#PlanDefinition.action.dynamicValue
"""

import re
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from carepath.apply.compile.formula import Formula
from carepath.apply.compile.path import Path, Place
from carepath.canonical import Canonical
from carepath.r4.codes import codes_of
from carepath.r4.model import RESOURCE_TYPES, type_of
from carepath.resources import Resource

Quick = Callable[[Resource, Sequence[Any]], bool]

_TEXTS = {"string", "markdown"}


class DynamicValue(NamedTuple):
    """A path, the expression whose value belongs there, and a short way for the plain case.

    `quick` puts the items of the engine when they are one text for one text element, by far the
    most frequent case, and tells whether they were.
    """

    path: Path
    formula: Formula
    quick: Quick | None = None
    decides: str = ""
    """The element that says what the request means, where the path leads to one."""
    is_set: bool = True
    """Whether there is a place to put it; what cannot be put must not be true."""
    touches: tuple[str, ...] = ()
    """The elements at the top of its target that it may leave half-made, or leading nowhere."""
    wrong: str = ""
    """Why nobody knows which place of those that decide is meant."""


DO_NOT_PERFORM = "http://hl7.org/fhir/StructureDefinition/request-doNotPerform"
WHOLE = "$this"
DECISIVE = re.compile(
    r"(?:\$this\.|%resource\.|[A-Z]\w+\.)?(doNotPerform|intent|modifierExtension|status)\b"
).match
"""Finds the elements of any request that change what all others mean; R4 marks more of them."""


def dynamic_value(path: Path, formula: Formula) -> DynamicValue:
    """Return a DynamicValue with the short way where its path has one."""
    return DynamicValue(path, formula, _quick(path), _decided(path), touches=_touched(path))


def misplaced(text: str, formula: Formula, error: Exception) -> DynamicValue | None:
    """Return the value for a decisive element whose path is wrong, None for any other element."""
    found = DECISIVE(text)
    if found is None:
        return None
    name = text if found[1] == "modifierExtension" else found[1]
    return DynamicValue(Path(text, False, ()), formula, None, name, is_set=False, wrong=str(error))


def _decided(path: Path) -> str:
    """Return the element that a path leads to if it is decisive, the same however it is written.

    The whole request is decisive, too: a value for it may say that nothing is to be done.
    """
    if path.of_action:
        return ""
    if not path.places:
        return WHOLE
    if path.places[0].name != "intent" and not any(map(_is_modifier, path.places)):
        return ""
    if path.places[0].url == DO_NOT_PERFORM:
        return "doNotPerform"
    return ".".join(
        (place.name or place.elements[0].choice)
        + (f"[{place.url or place.item}]" if place.url or place.item else "")
        for place in path.places
    )


def _is_modifier(place: Place) -> bool:
    """Tell whether an element changes what the resource means, and not only the part it is in."""
    element = place.elements[0]
    return element.is_modifier and element.path.partition(".")[0] in RESOURCE_TYPES


def _touched(path: Path) -> tuple[str, ...]:
    """Return the elements that have to be looked at once all values are there."""
    if not path.places:
        return (WHOLE,)
    return tuple(e.name for e in path.places[0].elements if not _is_primitive(e.type))


def _is_primitive(type_name: str) -> bool:
    found = type_of(type_name)
    return found is not None and found.kind == "primitive"


def _quick(path: Path) -> Quick | None:
    """Return the short way for a path that names one text or code at the top of its target."""
    if len(path.places) != 1:
        return None
    place = path.places[0]
    element = place.elements[0]
    if place.is_list or place.url or place.item is not None or element.choice:
        return None
    codes = codes_of(Canonical.parse(element.binding).url) if element.binding else None
    if element.type not in _TEXTS and codes is None:
        return None
    name, sibling = element.name, f"_{element.name}"

    def put(target: Resource, items: Sequence[Any]) -> bool:
        if len(items) != 1:
            return False
        value = items[0][0]
        if type(value) is not str or (value not in codes if codes else not value.isprintable()):
            return False
        if not value:
            return False
        target[name] = value
        target.pop(sibling, None)
        return True

    return put
