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


def dynamic_value(path: Path, formula: Formula) -> DynamicValue:
    """Return a DynamicValue with the short way where its path has one."""
    return DynamicValue(path, formula, _quick(path))


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
