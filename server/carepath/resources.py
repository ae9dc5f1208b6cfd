"""Reading plain-dict resources: identity, references, codings; no I/O, nothing is changed."""

from collections.abc import Iterator, Mapping
from typing import Any

from carepath.errors import InvalidParameter

Resource = dict[str, Any]
"""A FHIR resource or element as decoded from JSON: dict, list, str, bool, int, Decimal."""


def identity(resource: Mapping[str, Any]) -> str:
    """Return `Type/id`, or just `Type` when there is no id."""
    resource_type = resource.get("resourceType", "Resource")
    return f"{resource_type}/{resource['id']}" if "id" in resource else str(resource_type)


def canonical_of(definition: Mapping[str, Any]) -> str:
    """Return `url|version` of a definition, `url` when it has no version, or `Type/id`."""
    url = definition.get("url")
    if not isinstance(url, str):
        return identity(definition)
    version = definition.get("version")
    return f"{url}|{version}" if version else url


def codings(concept: Any) -> Iterator[dict[str, Any]]:
    """Yield the codings of a CodeableConcept; anything else yields nothing."""
    if isinstance(concept, dict):
        given = concept.get("coding")
        for coding in given if isinstance(given, list) else ():
            if isinstance(coding, dict):
                yield coding


def concept_text(concept: Any) -> str:
    """Return what a reader should see for a CodeableConcept: text, display or code, else ''."""
    if not isinstance(concept, dict):
        return ""
    if concept.get("text"):
        return str(concept["text"])
    for coding in codings(concept):
        label = coding.get("display") or coding.get("code")
        if label:
            return str(label)
    return ""


def parameter_values(parameters: Resource | None) -> dict[str, list[Any]]:
    """Return the values in a Parameters resource by name, a list each.

    Raises InvalidParameter for a parameter that has neither a value nor a resource.
    """
    values: dict[str, list[Any]] = {}
    for part in (parameters or {}).get("parameter") or ():
        name = part.get("name")
        if not isinstance(name, str):
            raise InvalidParameter("parameters", None, "a name in every parameter of it")
        key = next((k for k in part if k.startswith("value")), "resource")
        if key not in part:
            raise InvalidParameter(f"parameters.{name}", None, "a value or resource")
        values.setdefault(name, []).append(part[key])
    return values
