"""Matching one value of a resource against one value of a search: which test for which modifier.

https://hl7.org/fhir/R4/search.html#modifiers

A test is prepared once from the text of the query; text that its type cannot mean is refused, and
then the test tells of each value of a resource whether it matches.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from carepath.knowledge import Terminology
from carepath.r4.model import RESOURCE_TYPES
from carepath.r4.search import SearchParameter
from carepath.web.definitions import Definitions
from carepath.web.http.refusals import UnsupportedSearch
from carepath.web.search import references as search_references
from carepath.web.search import tokens as search_tokens
from carepath.web.search.dates import date_test, span
from carepath.web.search.quantities import quantity_test
from carepath.web.search.text import fold, plain

Test = Callable[[Any], bool]

NEGATED: Mapping[str, str] = {"not": "", "not-in": "in"}
"""Modifiers of a token that turn another around, for a whole list of alternatives."""
UNSORTABLE = frozenset({"composite", "quantity"})


class Background(NamedTuple):
    """What a search may look up beside the value itself."""

    definitions: Definitions
    terminology: Terminology


class Wanted(NamedTuple):
    """One value of a search, still escaped."""

    parameter: SearchParameter
    text: str
    background: Background


def value_test(modifier: str, wanted: Wanted) -> Test:
    """Return the test for `parameter:modifier=text`; raise UnsupportedSearch."""
    parameter = wanted.parameter
    make = _MAKERS.get(parameter.type, {}).get(modifier)
    if make is None and _is_target(parameter, modifier):
        make = _of_type(modifier)
    if make is None:
        reason = f"no such modifier for a {parameter.type}"
        raise UnsupportedSearch(f"{parameter.code}:{modifier}", reason)
    try:
        return make(wanted)
    except ValueError as error:
        name = f"{parameter.code}:{modifier}" if modifier else parameter.code
        raise UnsupportedSearch(name, str(error)) from error


def modifiers(search_type: str) -> tuple[str, ...]:
    """Return the modifiers that a type of parameter takes; a reference takes types as well."""
    if search_type == "composite":
        return ()
    negated = tuple(NEGATED) if search_type == "token" else ()
    return (*filter(None, _MAKERS[search_type]), *negated, "missing")


def sort_text(parameter: SearchParameter, value: Any) -> str:
    """Return what a value is ordered by: its text, its code, its time."""
    if parameter.type == "date":
        moment = span(value)
        return moment.start.isoformat() if moment else ""
    if isinstance(value, Mapping):
        code = next((code for _, code in search_tokens.tokens(value)), "")
        return code or fold(str(value.get("text", value.get("reference", ""))))
    return fold(str(value))


def _is_target(parameter: SearchParameter, modifier: str) -> bool:
    """Tell whether a modifier is a type that the reference may lead to."""
    if parameter.type != "reference" or modifier not in RESOURCE_TYPES:
        return False
    return not parameter.targets or modifier in parameter.targets


def _of_type(resource_type: str) -> Callable[[Wanted], Test]:
    return lambda wanted: search_references.reference_of_type_test(
        wanted.text, resource_type, wanted.background.definitions
    )


def _text_maker(
    compare: Callable[[str, str], bool], *, exact: bool = False
) -> Callable[[Wanted], Test]:
    """Return a maker of tests that compare text, folded unless `exact`."""

    def make(wanted: Wanted) -> Test:
        text = plain(wanted.text) if exact else fold(plain(wanted.text))
        return lambda value: compare(str(value) if exact else fold(str(value)), text)

    return make


def _below(value: str, wanted: str) -> bool:
    return value == wanted or value.startswith(wanted.rstrip("/") + "/")


def _token(wanted: Wanted) -> Test:
    # Ids differ by case; of other tokens the specification says that case should not count.
    return search_tokens.token_test(wanted.text, exact=wanted.parameter.code == "_id")


_MAKERS: Mapping[str, Mapping[str, Callable[[Wanted], Test]]] = {
    "string": {
        "": _text_maker(str.startswith),
        "exact": _text_maker(str.__eq__, exact=True),
        "contains": _text_maker(str.__contains__),
    },
    "uri": {
        "": _text_maker(str.__eq__, exact=True),
        "below": _text_maker(_below, exact=True),
        "above": _text_maker(lambda value, wanted: _below(wanted, value), exact=True),
        "contains": _text_maker(str.__contains__),
    },
    "token": {
        "": _token,
        "text": lambda wanted: search_tokens.text_test(wanted.text),
        "of-type": lambda wanted: search_tokens.of_type_test(wanted.text),
        "in": lambda wanted: search_tokens.in_test(wanted.text, wanted.background.terminology),
        "below": lambda wanted: search_tokens.below_test(
            wanted.text, wanted.background.terminology
        ),
        "above": lambda wanted: search_tokens.above_test(
            wanted.text, wanted.background.terminology
        ),
    },
    "date": {"": lambda wanted: date_test(plain(wanted.text))},
    "quantity": {"": lambda wanted: quantity_test(wanted.text)},
    "reference": {
        "": lambda wanted: search_references.reference_test(
            wanted.text, wanted.background.definitions
        ),
        "identifier": lambda wanted: search_references.identifier_test(wanted.text),
    },
}
