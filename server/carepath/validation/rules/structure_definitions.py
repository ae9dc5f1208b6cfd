"""Profiles: each path leads to an element that the type has.

https://hl7.org/fhir/R4/elementdefinition.html#path
"""

from collections.abc import Iterator

from carepath.issues import Issue
from carepath.r4.model import Element, type_of
from carepath.validation.rules.rule import Rules, fault, objects_of, text_of
from carepath.validation.walker import Item

_RELEASE = "4.0"


def _structure_definition(item: Item) -> Iterator[Issue]:
    """Hold the paths of a profile of an R4 type to the elements of that type."""
    release = text_of(item.members, "fhirVersion")
    is_of_r4 = not release or release.startswith(_RELEASE)
    if item.members.get("derivation") != "constraint" or not is_of_r4:
        return
    for view in ("differential", "snapshot"):
        elements = objects_of(item.members.get(view), "element")
        for index, element in enumerate(elements):
            if not _leads_somewhere(text_of(element, "path")):
                place = f"{item.path}.{view}.element[{index}].path"
                yield fault(place, "leads to no element that the type has in R4")


def _leads_somewhere(path: str) -> bool:
    """Tell whether a path may lead to an element; of unknown types nothing is said."""
    first, *steps = path.split(".")
    types = {first}
    for step in steps:
        if any(_is_open(name) for name in types):
            return True
        types = {element.type for name in types for element in _elements(name, step)}
        if not types:
            return False
    return True


def _is_open(name: str) -> bool:
    """Tell whether anything may be below a type: it is not known, or a primitive's own value."""
    found = type_of(name)
    return found is None or found.kind == "primitive" or found.abstract


def _elements(name: str, step: str) -> Iterator[Element]:
    found = type_of(name)
    if found is not None and step.endswith("[x]"):
        yield from found.choices.get(step.removesuffix("[x]"), ())
    elif found is not None and step in found.elements:
        yield found.elements[step]


RULES: Rules = {"StructureDefinition": _structure_definition}
