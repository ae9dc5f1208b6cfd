"""What an operation is: its OperationDefinition, and how its parameters are taken.

https://hl7.org/fhir/R4/operationdefinition.html

The parameters are read from the published OperationDefinition, so that what is documented and
what is accepted cannot differ.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from carepath.resources import Resource

Level = Literal["system", "type", "instance"]

SIMPLE_TYPES = frozenset(
    {"boolean", "canonical", "code", "date", "dateTime", "id", "integer", "string", "uri"}
)
# These say which definition is meant, which at instance level the URL says already.
_AT_TYPE_LEVEL = frozenset(
    {
        "planDefinition",
        "activityDefinition",
        "url",
        "canonical",
        "version",
        "valueSet",
        "valueSetVersion",
    }
)


class Parameter(NamedTuple):
    """One `in` parameter of an operation."""

    name: str
    type: str
    """A data type, a resource type, `Resource` for any, '' for one that has parts."""
    about: str
    min: int
    max: str
    level: Level | None
    """The only level at which it may be given; None for all."""
    parts: tuple["Parameter", ...]

    @property
    def is_simple(self) -> bool:
        """Tell whether it can stand in a URL."""
        return self.type in SIMPLE_TYPES

    @classmethod
    def of(cls, element: Mapping[str, Any]) -> "Parameter":
        """Read one OperationDefinition.parameter."""
        return cls(
            name=element["name"],
            type=element.get("type", ""),
            about=element.get("documentation", ""),
            min=element.get("min", 0),
            max=element.get("max", "1"),
            level="type" if element["name"] in _AT_TYPE_LEVEL else None,
            parts=tuple(cls.of(part) for part in element.get("part", ())),
        )


Arguments = dict[str, list[Any]]
"""What was given, by name: texts, truth values, numbers, data types, resources, parts."""


@dataclass(frozen=True, slots=True)
class Terms:
    """How the parameters of an operation are taken, beyond what its definition says."""

    bare: str = ""
    """The parameter that a body means which is no Parameters resource."""
    refused: Mapping[str, str] = field(default_factory=dict)
    """Parameters of the specification that are not supported, and why."""
    once: Mapping[str, str] = field(default_factory=dict)
    """What to say when a parameter that is taken once is given several times."""


PLAIN = Terms()


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation at one resource type, or at the system."""

    definition: Resource
    terms: Terms
    parameters: tuple[Parameter, ...]

    @classmethod
    def of(cls, definition: Resource, terms: Terms) -> "Operation":
        """Read an OperationDefinition; a parameter that the terms refuse is none of it."""
        given = definition.get("parameter", ())
        found = (Parameter.of(p) for p in given if p["use"] == "in")
        return cls(definition, terms, tuple(p for p in found if p.name not in terms.refused))

    @property
    def code(self) -> str:
        """Return its name in URLs, without `$`."""
        return str(self.definition["code"])

    @property
    def id(self) -> str:
        """Return the id of its OperationDefinition."""
        return str(self.definition["id"])

    @property
    def resources(self) -> tuple[str, ...]:
        """Return the resource types it is for: none for the system, `Resource` for every type."""
        return tuple(self.definition.get("resource", ()))

    @property
    def levels(self) -> tuple[Level, ...]:
        """Return the levels at which it can be invoked."""
        levels: tuple[Level, ...] = ("system", "type", "instance")
        return tuple(level for level in levels if self.definition.get(level))

    @property
    def takes_get(self) -> bool:
        """Tell whether it can be invoked by GET: whatever it must have is simple."""
        return all(p.is_simple for p in self.parameters if p.min > 0)

    def paths(self) -> Iterator[tuple[Level, str, str]]:
        """Yield level, resource type and path below the base of each way to invoke it."""
        for level in self.levels:
            for resource in self.resources if level != "system" else ("",):
                prefix = {
                    "system": "",
                    "type": f"/{_segment(resource)}",
                    "instance": f"/{_segment(resource)}/<fhir_id:id>",
                }[level]
                yield level, resource, f"{prefix}/${self.code}"

    def supported(self, level: Level) -> list[Parameter]:
        """Return the parameters that can be given at a level."""
        return [p for p in self.parameters if p.level in (None, level)]


def _segment(resource: str) -> str:
    return "<resource_type:resource_type>" if resource == "Resource" else resource
