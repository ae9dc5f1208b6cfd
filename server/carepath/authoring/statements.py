"""The statements that content rests on: the concepts of its CodeSystems of statements.

A CodeSystem holds statements when it declares the property `SOURCE_LINE`, the line of the source
that makes the statement; nothing else about it (its name, the form of its ids) is fixed.
https://hl7.org/fhir/R4/codesystem-definitions.html#CodeSystem.property.uri
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from carepath.knowledge import Knowledge
from carepath.resources import Resource

SOURCE_LINE = "https://carepath.example/fhir/statement#line"
_ARTIFACTS = ("documentation", "relatedArtifact")
_WORD = re.compile(r"[A-Za-z0-9][\w.-]*[A-Za-z0-9]")


def declares(definition: Resource, uri: str) -> bool:
    """Tell whether a CodeSystem declares a property of this meaning."""
    return any(part.get("uri") == uri for part in definition.get("property") or ())


def concepts_with(knowledge: Knowledge, uri: str) -> dict[str, Resource]:
    """Return by code the concepts of the CodeSystems that declare a property, in their order."""
    return {
        concept["code"]: concept
        for system in knowledge.all("CodeSystem")
        if declares(system, uri)
        for concept in system.get("concept") or ()
        if "code" in concept
    }


def is_statement_system(definition: Resource) -> bool:
    """Tell whether a definition is a CodeSystem of statements."""
    return declares(definition, SOURCE_LINE)


def statements_of(knowledge: Knowledge) -> dict[str, Resource]:
    """Return every statement (the concept) by its id (the code), in the order of the systems."""
    return concepts_with(knowledge, SOURCE_LINE)


def sources_of(statements: Mapping[str, Resource]) -> frozenset[str]:
    """Return the names of the sources in which these statements were read."""
    return frozenset(
        str(part.get("valueString"))
        for concept in statements.values()
        for part in concept.get("property") or ()
        if part.get("code") == "source"
    )


def cited_in(node: Mapping[str, Any], known: Mapping[str, Any]) -> Iterator[str]:
    """Yield the known statements that an element itself names, not those of its children.

    The `label` of a RelatedArtifact is a statement's id; `requirements` name ids among words.
    """
    for key in ("label", "requirements"):
        text = node.get(key)
        if isinstance(text, str):
            yield from (word for word in _WORD.findall(text) if word in known)


def labels_of(element: Mapping[str, Any]) -> frozenset[str]:
    """Return the labels of the artifacts that an element, or anything in it, rests on."""
    own = {
        str(part["label"])
        for key in _ARTIFACTS
        for part in element.get(key) or ()
        if "label" in part
    }
    parts = (*(element.get("action") or ()), *(element.get("goal") or ()))
    return frozenset(own).union(*(labels_of(part) for part in parts))
