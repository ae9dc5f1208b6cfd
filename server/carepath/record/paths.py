"""What stands at a path in many resources of one type.

https://hl7.org/fhir/R4/formats.html#choice
"""

from collections.abc import Iterator, Sequence
from itertools import chain, compress, repeat
from operator import contains
from typing import Any

from carepath.r4.model import type_of
from carepath.resources import Resource

_IN_WORDS = frozenset({"CodeableConcept", "Coding", "code", "markdown", "string"})


def values_at(resource: Resource, path: str) -> list[Any]:
    """Return the values at a dotted path, lists flattened; what is not there gives nothing."""
    values: list[Any] = [resource]
    for name in path.split("."):
        inside = [v.get(name) for v in values if isinstance(v, dict)]
        values = [x for v in inside for x in (v if isinstance(v, list) else [v]) if x is not None]
    return values


def standing_at(resources: Sequence[Resource], path: str) -> tuple[list[int], list[Any]]:
    """Return the places of the resources that have something at a path, and what it is.

    All resources are of one type; one with several values has its place as often.  Two lists,
    since a thousand pairs would wake the garbage collector.
    """
    places: list[int] = []
    values: list[Any] = []
    for here, found in _each_element(resources, path):
        if list in set(map(type, found)):
            several = [value if type(value) is list else [value] for value in found]
            places += [n for n, inner in zip(here, several, strict=True) for _ in inner]
            values += chain.from_iterable(several)
        else:
            places += here
            values += found
    return places, values


def _each_element(
    resources: Sequence[Resource], path: str
) -> Iterator[tuple[Sequence[int], list[Any]]]:
    """Return for each element that a path names who has it, and the values, lists as they are."""
    if "." in path or not resources:
        yield range(len(resources)), [values_at(resource, path) for resource in resources]
        return
    for name in _elements(resources[0]["resourceType"], path):
        here = list(compress(range(len(resources)), map(contains, resources, repeat(name))))
        yield here, [resources[n][name] for n in here]


def _elements(resource_type: str, path: str) -> tuple[str, ...]:
    """Return the elements that a path names: several for a choice (`value`) that can be coded."""
    found = type_of(resource_type)
    choices = () if found is None else found.choices.get(path, ())
    return tuple(e.name for e in choices if e.type in _IN_WORDS) or (path,)
