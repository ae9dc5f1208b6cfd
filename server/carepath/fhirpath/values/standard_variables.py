"""The variables whose meaning the specifications give: `%resource`, `%ucum`, `%vs-name`.

https://hl7.org/fhirpath/#environment-variables and https://hl7.org/fhir/R4/fhirpath.html#variables
"""

from collections.abc import Callable, Iterable
from typing import Any

from carepath.fhirpath.values.access import spread
from carepath.fhirpath.values.context import Context
from carepath.fhirpath.values.known import items_of
from carepath.fhirpath.values.types import FACTORY, TERMINOLOGIES, Items

CONSTANTS = {
    "sct": "http://snomed.info/sct",
    "loinc": "http://loinc.org",
    "ucum": "http://unitsofmeasure.org",
}
PREFIXED = {
    "vs-": "http://hl7.org/fhir/ValueSet/",
    "ext-": "http://hl7.org/fhir/StructureDefinition/",
}


def _rooted(name: str, find: Callable[[Context], Any]) -> Callable[[Context], Items]:
    """Return the evaluator of a variable that stands for a resource, found once."""

    def get(context: Context) -> Items:
        found = context.roots.get(name)
        if found is None:
            value = find(context)
            found = (
                spread(context.focus) if value is None else items_of(value, traced=context.traced)
            )
            context.roots[name] = found
        return found

    return get


def _root_resource(context: Context) -> Any:
    environment = context.environment
    return (
        environment.root_resource if environment.root_resource is not None else environment.resource
    )


def _singleton(type_: Any) -> Callable[[Context], Items]:
    """Return the evaluator of an object that only has functions."""
    items: Items = [({}, type_)]
    return lambda _: items


STANDARD: dict[str, Callable[[Context], Items]] = {
    "resource": _rooted("resource", lambda context: context.environment.resource),
    "rootResource": _rooted("rootResource", _root_resource),
    "context": _rooted("context", lambda context: context.environment.context),
    "terminologies": _singleton(TERMINOLOGIES),
    "factory": _singleton(FACTORY),
}
RESERVED = frozenset({*STANDARD, *CONSTANTS})


def is_given(name: str) -> bool:
    """Tell whether a variable has no meaning but what the caller gives it."""
    return name not in RESERVED and not name.startswith(tuple(PREFIXED))


def names_of(variables: Iterable[str]) -> frozenset[str]:
    """Return the names that the caller has to give: all but the standard ones."""
    return frozenset(filter(is_given, variables))
