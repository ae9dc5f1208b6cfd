"""Extensions as definitions carry them: found by their URL, simple or made of parts.

https://hl7.org/fhir/R4/extensibility.html
"""

from collections.abc import Iterator, Mapping
from typing import Any

from carepath.resources import Resource, codings

OWN = "https://carepath.example/fhir/StructureDefinition/"
STRENGTH = "http://hl7.org/fhir/StructureDefinition/cqf-strengthOfRecommendation"
DIRECTION = "http://hl7.org/fhir/uv/cpg/StructureDefinition/cpg-directionOfRecommendation"


def extensions_at(element: Resource, url: str) -> Iterator[Resource]:
    """Yield the extensions of an element that have a URL."""
    return (e for e in element.get("extension") or () if e.get("url") == url)


def parts_of(extension: Resource) -> Mapping[str | None, dict[str, Any]]:
    """Return the parts of a complex extension by their names, of equal ones the last."""
    return {part.get("url"): part for part in extension.get("extension") or ()}


def texts_of(element: Resource, url: str) -> Iterator[str]:
    """Yield the texts that extensions with a URL hold."""
    for extension in extensions_at(element, url):
        text = extension.get("valueMarkdown") or extension.get("valueString")
        if text:
            yield str(text)


def concept_codes(element: Resource, url: str) -> Iterator[str]:
    """Yield the codes of the concepts that extensions with a URL hold."""
    for extension in extensions_at(element, url):
        for coding in codings(extension.get("valueCodeableConcept")):
            yield str(coding.get("code", ""))
