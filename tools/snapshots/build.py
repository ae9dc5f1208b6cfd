"""Make a snapshot: the base definition's elements with a differential applied to them.

https://hl7.org/fhir/R4/profiling.html#snapshot

It does what the profiles of this project need: constrain an element, slice one, constrain inside a
slice or inside a data type. The parent is a type of R4, so that no other package is wanted.
"""

import copy
from collections.abc import Mapping
from typing import Any

Element = dict[str, Any]

_KEPT = (
    *("id", "path", "representation", "sliceName", "slicing", "short", "definition"),
    *("min", "max", "base", "contentReference", "type", "condition", "constraint"),
    *("mustSupport", "isModifier", "isModifierReason", "isSummary", "binding"),
)
_ADDED = ("constraint", "mapping", "condition")


class SnapshotError(Exception):
    """A differential cannot be applied to its base."""


def snapshot(
    definition: Mapping[str, Any], bases: Mapping[str, Mapping[str, Any]]
) -> list[Element]:
    """Return the snapshot's elements; `bases` are the definitions of R4's types by name."""
    type_name = definition["type"]
    elements = _trimmed(bases[type_name], definition["url"])
    for changed in definition["differential"]["element"]:
        place = _place(elements, changed, bases)
        elements[place] = _merged(elements[place], changed, definition["url"])
    return elements


def _trimmed(base: Mapping[str, Any], url: str) -> list[Element]:
    """Return the base's elements without the texts that nobody reads in a snapshot."""
    elements = []
    for whole in base["snapshot"]["element"]:
        element = {key: copy.deepcopy(whole[key]) for key in _KEPT if key in whole}
        for constraint in element.get("constraint", ()):
            constraint.pop("xpath", None)
            constraint.setdefault("source", base["url"])
        element.get("binding", {}).pop("extension", None)
        elements.append(element)
    if not elements:
        raise SnapshotError(f"the base of {url} has no snapshot")
    return elements


def _place(elements: list[Element], changed: Element, bases: Mapping[str, Any]) -> int:
    """Return the index of the element that a differential's element changes, making it first."""
    wanted = changed["id"]
    found = _index(elements, wanted)
    if found is not None:
        return found
    if "sliceName" in changed:
        return _add_slice(elements, wanted, changed["sliceName"], changed["path"])
    parent = _index(elements, wanted.rpartition(".")[0])
    if parent is None:
        raise SnapshotError(f"{wanted} stands before its parent")
    _unfold(elements, parent, bases)
    found = _index(elements, wanted)
    if found is None:
        raise SnapshotError(f"{wanted} is not an element of its type")
    return found


def _index(elements: list[Element], element_id: str) -> int | None:
    return next((i for i, element in enumerate(elements) if element["id"] == element_id), None)


def _add_slice(elements: list[Element], wanted: str, name: str, path: str) -> int:
    """Insert a slice, a copy of the sliced element with its children, behind its last slice."""
    sliced = wanted.removesuffix(f":{name}")
    start = _index(elements, sliced)
    if start is None:
        raise SnapshotError(f"{sliced} is not there to be sliced")
    whole = [e for e in elements if e["id"] == sliced or e["id"].startswith(f"{sliced}.")]
    made = copy.deepcopy(whole)
    for element in made:
        element["id"] = wanted + element["id"].removeprefix(sliced)
    made[0].pop("slicing", None)
    made[0] |= {"path": path, "sliceName": name, "min": 0}
    end = start + sum(1 for e in elements if e["id"].startswith((sliced + ".", sliced + ":"))) + 1
    elements[end:end] = made
    return end


def _unfold(elements: list[Element], parent: int, bases: Mapping[str, Any]) -> None:
    """Insert the children of an element's data type behind it."""
    owner = elements[parent]
    types = owner.get("type", [])
    if len(types) != 1:
        raise SnapshotError(f"{owner['id']} has {len(types)} types, so its children are not known")
    type_name = types[0]["code"]
    for offset, child in enumerate(_trimmed(bases[type_name], owner["id"])[1:]):
        tail = child["path"].removeprefix(type_name)
        child |= {"id": owner["id"] + tail, "path": owner["path"] + tail}
        elements.insert(parent + 1 + offset, child)


def _merged(element: Element, changed: Element, url: str) -> Element:
    """Return an element with the differential's members put in, lists of rules made longer."""
    merged = element | {k: copy.deepcopy(v) for k, v in changed.items() if k not in _ADDED}
    for key in _ADDED:
        if key in changed or key in element:
            merged[key] = element.get(key, []) + copy.deepcopy(changed.get(key, []))
    for constraint in merged.get("constraint", ()):
        constraint.setdefault("source", url)
    if "short" in changed and "definition" not in changed:
        merged["definition"] = changed["short"]
    return merged
