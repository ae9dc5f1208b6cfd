"""Whether a case file has the form of one: the JSON Schema of cases, told in sentences.

https://json-schema.org/draft/2020-12
"""

import json
from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from typing import Any

import jsonschema_rs

Problem = tuple[str, str]
"""The element of a case, `expect.decisions`, and what is wrong with it."""


def case_problems(document: Any) -> list[Problem]:
    """Return where a document does not have the form of a case; what is missing comes first."""
    found = [p for error in _validator().iter_errors(document) for p in _told(error, document)]
    return sorted(found, key=lambda problem: "is missing" not in problem[1])


def _told(error: jsonschema_rs.ValidationError, document: Any) -> Iterator[Problem]:
    place = ".".join(map(str, error.instance_path))
    value = document
    for step in error.instance_path:
        value = value[step]
    yield from _BY_KEYWORD.get(error.kind.name, _other)(error, place, value)


def _other(error: jsonschema_rs.ValidationError, place: str, _value: Any) -> Iterator[Problem]:
    yield place or "file", str(error.message)


def _missing(error: jsonschema_rs.ValidationError, place: str, _value: Any) -> Iterator[Problem]:
    yield f"{place}.{error.kind.value}".lstrip("."), "this part of the case is missing"


def _unknown(error: jsonschema_rs.ValidationError, place: str, _value: Any) -> Iterator[Problem]:
    known = sorted(_parts_at(place))
    for name in error.kind.value:
        near = get_close_matches(name, known, n=1)
        meant = f"did you mean `{near[0]}`" if near else f"a case has {', '.join(known)} here"
        yield f"{place}.{name}".lstrip("."), f"there is no such part of a case; {meant}"


def _parts_at(place: str) -> Mapping[str, Any]:
    found = _schema()
    for step in filter(None, place.split(".")):
        found = found["properties"][step]
    parts: Mapping[str, Any] = found["properties"]
    return parts


def _wrong_type(error: jsonschema_rs.ValidationError, place: str, value: Any) -> Iterator[Problem]:
    wanted = " or ".join(_TYPES.get(t, t) for t in error.kind.value)
    yield place or "file", f"it should be {wanted}, and is {_TYPES.get(_named(value), value)}"


def _enum(error: jsonschema_rs.ValidationError, place: str, value: Any) -> Iterator[Problem]:
    yield place, f"`{value}` should be one of {', '.join(map(str, error.kind.value))}"


def _pattern(_error: jsonschema_rs.ValidationError, place: str, value: Any) -> Iterator[Problem]:
    told = "is no date and time with a time zone such as 2026-03-31T09:15:00+04:00"
    yield place, f"`{value}` {told}"


def _short(error: jsonschema_rs.ValidationError, place: str, _value: Any) -> Iterator[Problem]:
    yield place, f"it should say the point of the case in at least {error.kind.value} characters"


def _any_of(_error: jsonschema_rs.ValidationError, place: str, _value: Any) -> Iterator[Problem]:
    yield place, "it should be a Bundle or a list of resources, each with a resourceType"


def _empty(_error: jsonschema_rs.ValidationError, place: str, _value: Any) -> Iterator[Problem]:
    yield place, "it should hold something"


_BY_KEYWORD: Mapping[
    str, Callable[[jsonschema_rs.ValidationError, str, Any], Iterator[Problem]]
] = {
    "additionalProperties": _unknown,
    "anyOf": _any_of,
    "enum": _enum,
    "minLength": _short,
    "minProperties": _empty,
    "pattern": _pattern,
    "required": _missing,
    "type": _wrong_type,
}
_TYPES = {"object": "a JSON object", "array": "a list", "string": "a text", "integer": "a number"}


def _named(value: Any) -> str:
    """Return what JSON Schema calls the type of a value, for those that have words here."""
    kinds = ((dict, "object"), (list, "array"), (str, "string"))
    return next((name for kind, name in kinds if isinstance(value, kind)), "")


@cache
def _schema() -> dict[str, Any]:
    path = files("carepath.fhir_profiles").joinpath("schemas/case.schema.json")
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


@cache
def _validator() -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator(_schema())
