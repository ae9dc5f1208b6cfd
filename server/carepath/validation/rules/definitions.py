"""Definitions: code systems, value sets, search parameters, capabilities, questionnaires.

https://hl7.org/fhir/R4/codesystem.html, https://hl7.org/fhir/R4/valueset.html,
https://hl7.org/fhir/R4/searchparameter.html and https://hl7.org/fhir/R4/questionnaire.html
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from carepath.issues import Issue
from carepath.r4.model import RESOURCE_TYPES
from carepath.r4.search import SearchParameter, search_parameters
from carepath.validation.rules.rule import Rules, fault, is_absolute, objects_of, text_of
from carepath.validation.walker import Item

_PROPERTIES = "http://hl7.org/fhir/concept-properties#"
_PROPERTY_TYPES = {
    "inactive": "boolean",
    "deprecated": "dateTime",
    "notSelectable": "boolean",
    "parent": "code",
    "child": "code",
}


def _code_system(item: Item) -> Iterator[Issue]:
    content = item.members.get("content")
    if content == "not-present" and item.members.get("concept"):
        yield fault(f"{item.path}.concept", "is here, though `content` says `not-present`")
    if item.members.get("supplements") and content != "supplement":
        yield fault(f"{item.path}.content", "has to be `supplement` where there is `supplements`")
    yield from _properties(objects_of(item.value, "property"), f"{item.path}.property")


def _properties(properties: list[dict[str, Any]], path: str) -> Iterator[Issue]:
    """Yield properties that stand twice, or are standard ones with another type."""
    for name in ("code", "uri"):
        counted = Counter(text_of(one, name) for one in properties)
        for index, one in enumerate(properties):
            text = text_of(one, name)
            if counted[text] > 1 and text:
                yield fault(f"{path}[{index}].{name}", "is that of another property, too")
    for index, one in enumerate(properties):
        uri = text_of(one, "uri")
        wanted = _PROPERTY_TYPES.get(uri.removeprefix(_PROPERTIES), "")
        if uri.startswith(_PROPERTIES) and wanted not in ("", one.get("type")):
            yield fault(f"{path}[{index}].type", f"has to be `{wanted}` for the property `{uri}`")


def _include(item: Item) -> Iterator[Issue]:
    """Hold what a value set includes or excludes to a code system that can be found."""
    system = text_of(item.members, "system")
    if system and not is_absolute(system):
        yield fault(f"{item.path}.system", "is not an absolute URI")
    for index, one in enumerate(objects_of(item.value, "filter")):
        value = text_of(one, "value")
        is_flag = text_of(one, "property") in ("notSelectable", "inactive")
        if is_flag and one.get("op") == "=" and value not in ("", "true", "false"):
            yield fault(f"{item.path}.filter[{index}].value", "is neither `true` nor `false`")


@cache
def _by_url() -> Mapping[str, SearchParameter]:
    """Return R4's search parameters by URL."""
    return {
        parameter.url: parameter
        for name in sorted(RESOURCE_TYPES)
        for parameter in search_parameters(name).values()
    }


def _search_parameter(item: Item) -> Iterator[Issue]:
    type_ = item.members.get("type")
    if type_ == "composite" and not objects_of(item.value, "component")[1:]:
        sentence = "has to be here at least twice in a composite"
        yield fault(f"{item.path}.component", sentence, "required")
    base = _by_url().get(text_of(item.members, "derivedFrom").partition("|")[0])
    if base is None:
        return
    if type_ != base.type:
        yield fault(f"{item.path}.type", f"is not `{base.type}`, which it is derived from")
    names = item.members.get("base")
    for index, name in enumerate(names if isinstance(names, list) else ()):
        if not any(one.url == base.url for one in search_parameters(str(name)).values()):
            yield fault(f"{item.path}.base[{index}]", "is none of what it is derived from")


def _capability(item: Item) -> Iterator[Issue]:
    """Hold a search parameter of a server to the definition that it names."""
    defined = _by_url().get(text_of(item.members, "definition").partition("|")[0])
    type_ = item.members.get("type")
    if defined is not None and type_ != defined.type:
        yield fault(f"{item.path}.type", f"is not `{defined.type}`, as its definition says")


def _questionnaire(item: Item) -> Iterator[Issue]:
    """Hold conditions to questions that there are, and that are not part of what they enable."""
    whole = {text_of(one, "linkId") for one, _ in _items(item.value, item.path)}
    for one, path in _items(item.value, item.path):
        inside = {text_of(below, "linkId") for below, _ in _items(one, path)}
        for index, condition in enumerate(objects_of(one, "enableWhen")):
            place = f"{path}.enableWhen[{index}].question"
            question = text_of(condition, "question")
            if question and question not in whole:
                yield fault(place, "is the linkId of no item")
            elif question in inside:
                yield fault(place, "is the linkId of an item inside the one that it enables")


def _items(owner: Any, path: str) -> Iterator[tuple[dict[str, Any], str]]:
    for index, one in enumerate(objects_of(owner, "item")):
        place = f"{path}.item[{index}]"
        yield one, place
        yield from _items(one, place)


RULES: Rules = {
    "CapabilityStatement.rest.resource.searchParam": _capability,
    "CapabilityStatement.rest.searchParam": _capability,
    "CodeSystem": _code_system,
    "Questionnaire": _questionnaire,
    "SearchParameter": _search_parameter,
    "ValueSet.compose.exclude": _include,
    "ValueSet.compose.include": _include,
}
