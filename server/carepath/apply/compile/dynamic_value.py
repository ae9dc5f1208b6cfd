"""A dynamicValue ready to be evaluated and put.

https://hl7.org/fhir/R4/plandefinition-definitions.html#PlanDefinition.action.dynamicValue
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from carepath.apply.compile.formula import Formula
from carepath.apply.compile.path import Path
from carepath.canonical import Canonical
from carepath.r4.codes import codes_of
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


DO_NOT_PERFORM = "http://hl7.org/fhir/StructureDefinition/request-doNotPerform"
DECISIVE = frozenset({"doNotPerform", "intent", "modifierExtension", "status"})
"""Elements of a request that change what all others mean: unknown, there is no request."""


def dynamic_value(path: Path, formula: Formula) -> DynamicValue:
    """Return a DynamicValue with the short way where its path has one."""
    return DynamicValue(path, formula, _quick(path), _decided(path))


def _decided(path: Path) -> str:
    """Return the element that a path leads to if it is decisive, the same however it is written."""
    if path.of_action or not path.places or path.places[0].name not in DECISIVE:
        return ""
    if path.places[0].url == DO_NOT_PERFORM:
        return "doNotPerform"
    return ".".join(
        place.name + (f"[{place.url or place.item}]" if place.url or place.item else "")
        for place in path.places
    )


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
