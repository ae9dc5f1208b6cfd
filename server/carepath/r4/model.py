"""The types and elements of FHIR R4, generated from the official definitions.

https://hl7.org/fhir/R4/resourcelist.html and https://hl7.org/fhir/R4/datatypes.html

`type_of("Patient").elements["birthDate"]` tells type, cardinality, targets and binding of the JSON
property `birthDate`.  A backbone's type is named by its path: `type_of("Patient.contact")`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

from carepath.r4.data import read_table

Kind = Literal["primitive", "complex", "backbone", "resource"]

_SUMMARY, _MODIFIER, _ATTRIBUTE = 1, 2, 4


class Element(NamedTuple):
    """One JSON property of a type; a choice has one Element for each of its types."""

    name: str
    """The JSON property: `birthDate`, `valueQuantity`."""
    path: str
    """The path in the definitions: `Observation.value[x]`."""
    type: str
    """The type's name; of a backbone its path, of a contained resource `Resource`."""
    is_list: bool
    min: int
    max: str
    choice: str = ""
    """`value` when the property is one of `value[x]`."""
    targets: tuple[str, ...] = ()
    """Resource types that a Reference or canonical may point to; empty for any."""
    binding: str = ""
    """URL of the value set when the binding is required."""
    is_summary: bool = False
    is_modifier: bool = False
    xml_attribute: bool = False


@dataclass(frozen=True, slots=True)
class Type:
    """A primitive, complex type, backbone or resource type."""

    name: str
    base: str
    kind: Kind
    abstract: bool
    elements: Mapping[str, Element]
    """By JSON property, inherited ones included, in the order of the definition."""
    choices: Mapping[str, tuple[Element, ...]]
    """`value` -> the typed elements of `value[x]`."""
    pattern: str = ""
    """The regular expression of a primitive, as published."""


@cache
def type_of(name: str) -> Type | None:
    """Return the type with this name (`Patient`, `HumanName`, `Patient.contact`), or None."""
    raw = _types().get(name)
    if raw is None:
        return None
    elements: dict[str, Element] = {}
    for row in _rows(raw):
        for element in _elements(name, row):
            elements[element.name] = element
    return Type(
        name=name,
        base=raw["base"],
        kind=raw["kind"],
        abstract=raw.get("abstract", False),
        elements=MappingProxyType(elements),
        choices=MappingProxyType(_choices(elements)),
        pattern=raw.get("pattern", ""),
    )


@cache
def is_subtype(name: str, of: str) -> bool:
    """Tell whether `name` is `of` or derives from it: code < string < Element."""
    current = name
    while current and current != of:
        current = _types().get(current, {}).get("base", "")
    return bool(current)


def type_names() -> tuple[str, ...]:
    """Return the names of all types, backbones included, in alphabetical order."""
    return tuple(_types())


def _types() -> dict[str, Any]:
    return read_table("elements.json")


def _rows(raw: dict[str, Any]) -> list[list[Any]]:
    """Return the rows of a type, those of its bases first; a row of its own replaces theirs."""
    rows = {row[0]: row for row in _rows(_types()[raw["base"]])} if raw["base"] else {}
    rows |= {row[0]: row for row in raw["elements"]}
    return list(rows.values())


def _elements(owner: str, row: list[Any]) -> list[Element]:
    """Return the elements of a row `[name, min, max, flags, types, binding?]`."""
    name, low, high, flags, types, *binding = row
    choice = name.removesuffix("[x]") if name.endswith("[x]") else ""
    return [
        Element(
            name=choice + type_[0].upper() + type_[1:] if choice else name,
            path=f"{owner}.{name}",
            type=type_,
            is_list=high not in ("0", "1"),
            min=low,
            max=high,
            choice=choice,
            targets=tuple(targets),
            binding=binding[0] if binding else "",
            is_summary=bool(flags & _SUMMARY),
            is_modifier=bool(flags & _MODIFIER),
            xml_attribute=bool(flags & _ATTRIBUTE),
        )
        for type_, *targets in types
    ]


def _choices(elements: Mapping[str, Element]) -> dict[str, tuple[Element, ...]]:
    choices: dict[str, tuple[Element, ...]] = {}
    for element in elements.values():
        if element.choice:
            choices[element.choice] = (*choices.get(element.choice, ()), element)
    return choices


def _resource_types() -> frozenset[str]:
    return frozenset(
        name
        for name, raw in _types().items()
        if raw["kind"] == "resource" and not raw.get("abstract")
    )


RESOURCE_TYPES: frozenset[str] = _resource_types()
"""The names of all resource types that can be sent (not Resource, not DomainResource)."""
