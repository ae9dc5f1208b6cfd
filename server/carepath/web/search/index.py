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

SEARCH_TYPES = frozenset({"composite", "date", "quantity", "reference", "string", "token", "uri"})
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


@cache
def components(resource_type: str, code: str) -> tuple[SearchParameter, ...]:
    """Return the parameters that a composite one is made of."""
    known = {parameter.url: parameter for parameter in parameters(resource_type).values()}
    parts = parameters(resource_type)[code].components
    return tuple(known[part.definition] for part in parts)


def values_of(held: Held, parameter: SearchParameter) -> tuple[Any, ...]:
    """Return the values that a definition has for a parameter, computed once."""
    values = held.index.get(parameter.code)
    if values is None:
        values = held.index[parameter.code] = _evaluate(held, parameter.expression)
    return values


def groups_of(held: Held, parameter: SearchParameter) -> tuple[tuple[tuple[Any, ...], ...], ...]:
    """Return, for each element of a composite parameter, the values of each component."""
    groups = held.index.get(parameter.code)
    if groups is None:
        count = len(_evaluate(held, parameter.expression))
        groups = held.index[parameter.code] = tuple(
            tuple(
                _evaluate(held, f"({parameter.expression})[{index}].select({part.expression})")
                for part in parameter.components
            )
            for index in range(count)
        )
    return groups


def _evaluate(held: Held, expression: str) -> tuple[Any, ...]:
    found = _expression(expression).evaluate(held.resource, _ENVIRONMENT)
    return tuple(v if isinstance(v, dict | bool) else str(v) for v in found)


@cache
def _expression(text: str) -> Expression:
    # The registry writes `as` where it means each of several items, which FHIRPath forbids.
    return parse(_AS.sub(r"(\1.ofType(\2))", text))
