"""What narrows a data requirement, and what of it is not understood.

https://hl7.org/fhir/R4/metadatatypes.html#DataRequirement

A narrowing that is not understood makes the collection unknown: without it more would be selected
than the author means, and an old datum could count as the one that is asked for.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from carepath.apply.compile.path import UnknownPath, compile_path
from carepath.r4.model import RESOURCE_TYPES
from carepath.r4.search import search_parameters
from carepath.resources import Resource, codings

DAYS = {"a": 365.25, "mo": 30.4375, "wk": 7, "d": 1, "h": 1 / 24, "min": 1 / 1440, "s": 1 / 86400}
"""The units of a Duration that reaches back from now, in days."""
_DESCRIBING = frozenset(
    {
        "http://hl7.org/fhir/StructureDefinition/artifact-description",
        "http://hl7.org/fhir/StructureDefinition/cqf-artifactComment",
        "http://hl7.org/fhir/StructureDefinition/cqf-isSelective",
        "http://hl7.org/fhir/StructureDefinition/cqf-label",
        "https://carepath.example/fhir/StructureDefinition/or-in-words",
    }
)
"""Extensions that leave the selection as it is, or are understood."""
_STEPS = re.compile(r"[A-Za-z]+(?:\.[A-Za-z]+)*")
_OF_SEARCH = re.compile(r"\(?(?P<path>[A-Za-z]+(?:\.[A-Za-z]+)+)(?: as \w+\)|\.as\(\w+\))?")


def element_path(resource_type: str, item: Mapping[str, Any]) -> str:
    """Return the path of a filter: as written, or the element that a search parameter reads."""
    path = item.get("path")
    if not path and item.get("searchParam"):
        parameter = search_parameters(resource_type).get(str(item["searchParam"]))
        found = _OF_SEARCH.fullmatch(parameter.expression) if parameter is not None else None
        path = found["path"] if found is not None else ""
    return str(path or "").removeprefix(f"{resource_type}.").replace("[x]", "")


def not_understood(requirement: Resource) -> str:
    """Return the first narrowing that cannot be respected, as the subject of a sentence, or ''."""
    return next(_problems(requirement), "")


def _problems(requirement: Resource) -> Iterator[str]:
    resource_type = str(requirement.get("type"))
    name = requirement.get("id")
    if resource_type not in RESOURCE_TYPES:
        yield f"The type `{resource_type}` of the data requirement `{name}`"
    filters = [f for key in _FILTERS for f in requirement.get(key) or ()]
    for url in _extensions([requirement, *filters]):
        yield f"The extension `{url}` of the data requirement `{name}`"
    if _is_of_others(requirement):
        yield f"A subject other than the patient of the data requirement `{name}`"
    for item in filters:
        if not _is_known(resource_type, item):
            text = item.get("path") or item.get("searchParam")
            yield f"The filter by `{text}` of the data requirement `{name}`"
    for date_filter in requirement.get("dateFilter") or ():
        unit = _unit(date_filter)
        if unit not in DAYS:
            yield f"The unit `{unit}` of the data requirement `{name}`"


_FILTERS = ("codeFilter", "dateFilter", "sort")


def _extensions(elements: Iterable[Resource]) -> Iterator[str]:
    """Yield the extensions that may say what is selected."""
    for element in elements:
        for extension in element.get("extension") or ():
            if extension.get("url") not in _DESCRIBING:
                yield str(extension.get("url"))


def _is_of_others(requirement: Resource) -> bool:
    """Tell whether the data are about somebody else than the patient."""
    codes = [c.get("code") for c in codings(requirement.get("subjectCodeableConcept"))]
    return "subjectReference" in requirement or bool(codes and "Patient" not in codes)


def _is_known(resource_type: str, item: Mapping[str, Any]) -> bool:
    """Tell whether a filter says which element it is about, and R4 has that element."""
    path = element_path(resource_type, item)
    if not path:
        return "path" not in item and "searchParam" not in item
    try:
        compile_path(path, resource_type)
    except UnknownPath:
        return False
    return _STEPS.fullmatch(path) is not None


def _unit(date_filter: Mapping[str, Any]) -> str:
    duration = date_filter.get("valueDuration") or {}
    return str(duration.get("code") or duration.get("unit") or "d")
