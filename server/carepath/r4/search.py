"""The search parameters of FHIR R4.

https://hl7.org/fhir/R4/searchparameter-registry.html
"""

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

from carepath.r4.data import read_table
from carepath.r4.model import type_of

SearchType = Literal[
    "composite", "date", "number", "quantity", "reference", "special", "string", "token", "uri"
]

_URL = "http://hl7.org/fhir/SearchParameter/"


class Component(NamedTuple):
    """One part of a composite search parameter."""

    definition: str
    expression: str


class SearchParameter(NamedTuple):
    """A search parameter of one resource type."""

    code: str
    url: str
    type: SearchType
    expression: str
    """FHIRPath on the resource; empty for those that no expression describes (`_text`)."""
    targets: tuple[str, ...] = ()
    """Resource types that a reference parameter may point to; empty for any."""
    components: tuple[Component, ...] = ()


@cache
def search_parameters(resource_type: str) -> Mapping[str, SearchParameter]:
    """Return the parameters of a resource type by code, those of its bases included."""
    found = type_of(resource_type)
    if found is None:
        return MappingProxyType({})
    inherited = search_parameters(found.base) if found.base else {}
    own = {
        code: _parameter(code, *row)
        for code, row in read_table("search.json").get(resource_type, {}).items()
    }
    return MappingProxyType({**inherited, **own})


def _parameter(
    code: str,
    id_: str,
    type_: SearchType,
    expression: str,
    targets: list[str],
    *components: Any,
) -> SearchParameter:
    parts = components[0] if components else []
    return SearchParameter(
        code=code,
        url=_URL + id_,
        type=type_,
        expression=expression,
        targets=tuple(targets),
        components=tuple(Component(_URL + id_, text) for id_, text in parts),
    )


def subject_parameter(resource_type: str) -> str | None:
    """Return the search parameter that says whom a resource is about; None for a Patient."""
    if resource_type == "Patient":
        return None
    known = search_parameters(resource_type)
    return next((name for name in ("patient", "subject") if name in known), None)
