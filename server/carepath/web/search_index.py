"""Which search parameters each type of definition has, and their values in a definition.

https://hl7.org/fhir/R4/searchparameter-registry.html

Both are read from the R4 tables, so that what is searched, what the CapabilityStatement lists and
what OpenAPI shows cannot differ.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any

from carepath.fhirpath import Environment, Expression, parse
from carepath.r4.search import SearchParameter, search_parameters
from carepath.web.definitions import DEFINITION_TYPES, Held

SEARCH_TYPES = frozenset({"date", "reference", "string", "token", "uri"})
_AS = re.compile(r"\(([\w.]+) as (\w+)\)")
_ENVIRONMENT = Environment(now=datetime(2000, 1, 1, tzinfo=UTC), variables={})


@cache
def parameters(resource_type: str) -> Mapping[str, SearchParameter]:
    """Return the parameters that this service searches a type by."""
    found = search_parameters(resource_type)
    return {
        code: parameter
        for code, parameter in sorted(found.items())
        if parameter.type in SEARCH_TYPES and parameter.expression
    }


@cache
def includes(resource_type: str) -> tuple[str, ...]:
    """Return the values that `_include` takes: parameters that may lead to a definition."""
    return tuple(
        f"{resource_type}:{code}"
        for code, parameter in parameters(resource_type).items()
        if parameter.type == "reference"
        and (not parameter.targets or set(parameter.targets) & set(DEFINITION_TYPES))
    )


def values_of(held: Held, parameter: SearchParameter) -> tuple[Any, ...]:
    """Return the values that a definition has for a parameter, computed once."""
    values = held.index.get(parameter.code)
    if values is None:
        found = _expression(parameter.expression).evaluate(held.resource, _ENVIRONMENT)
        values = tuple(v if isinstance(v, dict | bool) else str(v) for v in found)
        held.index[parameter.code] = values
    return values


@cache
def _expression(text: str) -> Expression:
    # The registry writes `as` where it means each of several items, which FHIRPath forbids.
    return parse(_AS.sub(r"(\1.ofType(\2))", text))
