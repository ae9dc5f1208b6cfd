"""Evidence: the places in resources that a value was computed from.

https://hl7.org/fhirpath/#path-selection

A traced item carries its evidence as fourth entry; `run.tracing` says who puts it there.
"""

from typing import NamedTuple

from carepath.fhirpath.values.types import MANY, Item


class Touched(NamedTuple):
    """A place in a resource: `Observation/grade-1` and `Observation.value`."""

    resource: str
    path: str


Evidence = tuple[Touched, ...]
_TRACED = 4


def evidence_of(item: Item) -> Evidence:
    """Return the evidence of a traced item; computed values without any have none."""
    return item[3] if len(item) >= _TRACED else ()


def with_evidence(item: Item, evidence: Evidence) -> Item:
    """Return the item with this evidence."""
    return (item[0], item[1], item[2] if len(item) > 2 else None, evidence)  # noqa: PLR2004


def rooted(item: Item) -> Item:
    """Return a resource that comes in from outside as its own evidence."""
    if len(item) >= _TRACED:
        return item
    if item[1] is MANY:
        return ([rooted(each) for each in item[0]], MANY)
    return with_evidence(item, (place_of(item),) if isinstance(item[0], dict) else ())


def place_of(item: Item) -> Touched:
    """Return a resource, or an element nobody knows the resource of, as its own evidence."""
    value, type_ = item[0], item[1]
    identity = value.get("id")
    if value.get("resourceType") is None:
        return Touched("", type_.name)
    return Touched(f"{type_.name}/{identity}" if identity else type_.name, type_.name)


def merge(places: list[Touched]) -> Evidence:
    """Return places without repetition, in the order they were met."""
    return tuple(dict.fromkeys(places))


def child_of(parent: Item, name: str, child: Item) -> Item:
    """Return a child found by `children()`, with its place when the parent has one."""
    places = evidence_of(parent)
    if not places:
        return child
    if child[0].__class__ is dict and "resourceType" in child[0]:
        return rooted(child)
    return with_evidence(child, (Touched(places[0].resource, f"{places[0].path}.{name}"),))
