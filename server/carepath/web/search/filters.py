"""One search parameter as a test of a definition: alternatives, negation, components.

https://hl7.org/fhir/R4/search.html#combining
"""

from collections.abc import Callable
from typing import Any

from carepath.deadline import paced
from carepath.r4.search import SearchParameter
from carepath.web.definitions import Held
from carepath.web.http.refusals import UnsupportedSearch
from carepath.web.search.index import components, groups_of, parameters, values_of
from carepath.web.search.text import split
from carepath.web.search.values import NEGATED, Background, Wanted, value_test

Filter = Callable[[Held], bool]


def alternatives(text: str) -> list[str]:
    """Return the values that commas separate, still escaped; empty ones mean nothing."""
    return [part for part in split(text, ",") if part]


def filter_of(
    resource_type: str, code: str, modifier: str, texts: list[str], background: Background
) -> Filter:
    """Return the test for `code:modifier`, of which one of the alternatives must be true."""
    parameter = parameters(resource_type)[code]
    if not texts:
        raise UnsupportedSearch(code, "there is no value between the commas")
    if parameter.type == "composite":
        return _composite(resource_type, parameter, modifier, texts, background)
    if modifier == "missing":
        return _missing(parameter, texts)
    negated = modifier in NEGATED and parameter.type == "token"
    wanted = NEGATED[modifier] if negated else modifier
    tests = [value_test(wanted, Wanted(parameter, text, background)) for text in texts]

    def is_found(held: Held) -> bool:
        values = values_of(held, parameter)
        return any(test(value) for value in values for test in paced(tests))

    return (lambda held: not is_found(held)) if negated else is_found


def _missing(parameter: SearchParameter, texts: list[str]) -> Filter:
    if texts not in (["true"], ["false"]):
        raise UnsupportedSearch(f"{parameter.code}:missing", "expected true or false")
    return lambda held: (not values_of(held, parameter)) == (texts == ["true"])


def _composite(
    resource_type: str,
    parameter: SearchParameter,
    modifier: str,
    texts: list[str],
    background: Background,
) -> Filter:
    """Return the test for `a$b`: one and the same element has both values."""
    if modifier:
        reason = "a composite parameter has no modifiers"
        raise UnsupportedSearch(f"{parameter.code}:{modifier}", reason)
    known = components(resource_type, parameter.code)
    tests = [_component_tests(parameter, known, text, background) for text in texts]

    def is_found(held: Held) -> bool:
        return any(
            all(any(map(test, values)) for test, values in zip(parts, group, strict=True))
            for group in groups_of(held, parameter)
            for parts in paced(tests)
        )

    return is_found


def _component_tests(
    parameter: SearchParameter,
    known: tuple[SearchParameter, ...],
    text: str,
    background: Background,
) -> list[Callable[[Any], bool]]:
    parts = split(text, "$")
    if len(parts) != len(known) or not all(parts):
        names = "$".join(component.code for component in known)
        raise UnsupportedSearch(parameter.code, f"expected {names}")
    pairs = zip(known, parts, strict=True)
    try:
        return [value_test("", Wanted(component, part, background)) for component, part in pairs]
    except UnsupportedSearch as error:
        raise UnsupportedSearch(parameter.code, error.reason) from error
