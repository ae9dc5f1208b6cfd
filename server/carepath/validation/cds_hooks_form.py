"""Whether a CDS Hooks request, or feedback, has the form of one: JSON Schema, told in sentences.

https://cds-hooks.hl7.org/2.0/ and https://json-schema.org/draft/2020-12
"""

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from importlib.resources import files
from itertools import islice
from typing import Any, Literal

import jsonschema_rs

from carepath.issues import Issue

Form = Literal["request", "feedback"]
MOST_ISSUES = 50
"""A hostile body has no end of faults."""
_LONGEST = 60
_Told = tuple[str, str, str]
"""The element, the code of the issue, and what is wrong as half a sentence."""


def cds_hooks_issues(document: Any, form: Form) -> tuple[Issue, ...]:
    """Return an error for each element of a body that has not the form of its kind.

    The expression of an issue is the path of its element: `context.patientId`.
    """
    found: dict[_Told, Issue] = {}
    for error in islice(_validator(form).iter_errors(document), MOST_ISSUES):
        for element, code, told in _told(error, document):
            sentence = f"`{element}` {told}." if element else f"The body {told}."
            expression = (element,) if element else ()
            found.setdefault((element, code, told), Issue("error", code, sentence, expression))
    return tuple(found.values())


def _told(error: jsonschema_rs.ValidationError, document: Any) -> Iterator[_Told]:
    value, element = document, ""
    for step in error.instance_path:
        value = value[step]
        element += f"[{step}]" if isinstance(step, int) else f".{step}"
    yield from _BY_KEYWORD.get(error.kind.name, _other)(error, element.lstrip("."), value)


def _missing(error: jsonschema_rs.ValidationError, element: str, _value: Any) -> Iterator[_Told]:
    yield f"{element}.{error.kind.value}".lstrip("."), "required", "is missing"


def _needed(_error: jsonschema_rs.ValidationError, _place: str, _value: Any) -> Iterator[_Told]:
    # The only element that another one needs; the library does not tell its name.
    yield "fhirServer", "required", "is missing, and `fhirAuthorization` is for it"


def _wrong_type(error: jsonschema_rs.ValidationError, element: str, value: Any) -> Iterator[_Told]:
    wanted = " or ".join(_TYPES.get(name, name) for name in error.kind.value)
    yield element, "structure", f"should be {wanted}, and is {_named(value)}"


def _choice(error: jsonschema_rs.ValidationError, element: str, value: Any) -> Iterator[_Told]:
    wanted = ", ".join(f"`{one}`" for one in error.kind.value)
    yield element, "value", f"is `{_cut(value)}` and should be one of {wanted}"


def _pattern(_error: jsonschema_rs.ValidationError, element: str, _value: Any) -> Iterator[_Told]:
    # What stands there may be about a patient, or a secret: it is not told.
    wanted = _FORMS.get(element.rpartition(".")[2], "of another form")
    yield element, "value", f"should be {wanted}"


def _empty(_error: jsonschema_rs.ValidationError, element: str, _value: Any) -> Iterator[_Told]:
    yield element, "value", "should not be empty"


def _long(_error: jsonschema_rs.ValidationError, element: str, _value: Any) -> Iterator[_Told]:
    yield element, "too-long", "is longer than this service allows"


def _other(_error: jsonschema_rs.ValidationError, element: str, _value: Any) -> Iterator[_Told]:
    yield element, "invalid", "does not have the form that CDS Hooks gives it"


_BY_KEYWORD: Mapping[str, Callable[[jsonschema_rs.ValidationError, str, Any], Iterator[_Told]]] = {
    "dependentRequired": _needed,
    "enum": _choice,
    "maxItems": _long,
    "maxLength": _long,
    "minItems": _empty,
    "minLength": _empty,
    "minProperties": _empty,
    "pattern": _pattern,
    "required": _missing,
    "type": _wrong_type,
}
_TYPES = {"object": "an object", "array": "a list", "string": "a text", "integer": "a number"}
_FORMS = {
    "patientId": "the id of a Patient",
    "userId": "a reference such as `Practitioner/123`",
    "encounterId": "the id of an Encounter",
    "token_type": "`Bearer`",
    "outcomeTimestamp": "a time with its zone such as `2026-11-27T09:30:00Z`",
}
"""What an element with a pattern should be, in words."""


def _named(value: Any) -> str:
    """Return what JSON calls the type of a value; truth values are numbers to Python only."""
    kinds = (
        (dict, "an object"),
        (list, "a list"),
        (str, "a text"),
        (bool, "true or false"),
        (type(None), "null"),
    )
    return next((name for kind, name in kinds if isinstance(value, kind)), "a number")


def _cut(value: Any) -> str:
    text = value if isinstance(value, str) else _named(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}\N{HORIZONTAL ELLIPSIS}"


@cache
def _validator(form: Form) -> jsonschema_rs.Draft202012Validator:
    path = files("carepath.fhir_profiles").joinpath(f"schemas/cds-hooks-{form}.schema.json")
    return jsonschema_rs.Draft202012Validator(
        path.read_text("utf-8"), pattern_options=jsonschema_rs.RegexOptions(), offline=True
    )
