"""Reading what an operation was given: a Parameters resource, a bare resource, the URL.

https://hl7.org/fhir/R4/operations.html#executing

Nothing is passed over in silence: an unknown parameter, one that is not supported, one given too
often and one of a wrong type are refused by name.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from carepath.errors import InvalidParameter
from carepath.r4.model import RESOURCE_TYPES
from carepath.resources import Resource
from carepath.web.http.refusals import UnknownParameter, UnsupportedParameter
from carepath.web.operations.model import Arguments, Level, Operation, Parameter

_GENERAL = frozenset({"_format", "_pretty", "_summary", "_elements"})

# A reference or a URL travels as any of these; the types differ only in what they allow.
_TEXTS = ("valueString", "valueUri", "valueUrl", "valueCanonical", "valueCode", "valueId")
_TIMES = ("valueDateTime", "valueDate", "valueInstant", "valueString")
_SLOTS: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(("string", "uri", "canonical", "code", "id"), _TEXTS),
    "boolean": ("valueBoolean",),
    "integer": ("valueInteger", "valuePositiveInt", "valueUnsignedInt"),
    "date": _TIMES,
    "dateTime": _TIMES,
}
_KINDS: Mapping[str, type] = {"boolean": bool, "integer": int}
_INTEGER = re.compile(r"[+-]?\d{1,10}", re.ASCII)


def read(
    query: Iterable[tuple[str, str]],
    sent: Resource | None,
    operation: Operation,
    level: Level,
    resource_type: str,
) -> Arguments:
    """Return what the query of a URL and a resource give, checked against the parameters.

    Raises InvalidParameter, UnknownParameter and UnsupportedParameter, each naming the parameter.
    """
    arguments: Arguments = {}
    known = {p.name: p for p in operation.parameters}
    for name, text in query:
        if name not in _GENERAL:
            parameter = _allowed(known, name, operation, level)
            arguments.setdefault(name, []).append(_from_text(parameter, text))
    if sent is not None:
        for name, value in _given(sent, known, operation, level):
            arguments.setdefault(name, []).append(value)
    _check_cardinality(arguments, operation, level, resource_type)
    return arguments


def _given(
    sent: Resource, known: Mapping[str, Parameter], operation: Operation, level: Level
) -> Iterable[tuple[str, Any]]:
    """Yield name and value of what a resource gives."""
    if sent["resourceType"] != "Parameters":
        yield operation.terms.bare, _bare(sent, known, operation, level)
        return
    parts = sent.get("parameter", [])
    for part in parts if isinstance(parts, list) else [parts]:
        name = part.get("name") if isinstance(part, dict) else None
        if not isinstance(name, str):
            raise InvalidParameter("name", None, "a name in every `Parameters.parameter`")
        yield name, _value(_allowed(known, name, operation, level), part)


def _bare(
    body: Resource, known: Mapping[str, Parameter], operation: Operation, level: Level
) -> Resource:
    """Return a body that is no Parameters resource, when the operation has a meaning for it."""
    if not operation.terms.bare:
        raise InvalidParameter("body", body["resourceType"], "a Parameters resource")
    parameter = _allowed(known, operation.terms.bare, operation, level)
    # Where a Bundle is wanted, one resource stands for a Bundle with nothing else in it.
    if parameter.type not in ("Bundle", "Resource", body["resourceType"]):
        expected = f"a {parameter.type}, or a Parameters resource"
        raise InvalidParameter("body", body["resourceType"], expected)
    return body


def _allowed(
    known: Mapping[str, Parameter], name: str, operation: Operation, level: Level
) -> Parameter:
    """Return the parameter of a name; raise when it cannot be given here."""
    parameter = known.get(name)
    if parameter is None and name in operation.terms.refused:
        raise UnsupportedParameter(name, operation.terms.refused[name])
    if parameter is None:
        raise UnknownParameter(name[:80], tuple(p.name for p in operation.supported(level)))
    if parameter.level not in (None, level):
        raise UnsupportedParameter(name, f"it cannot be given at the {level} level")
    return parameter


def _from_text(parameter: Parameter, text: str) -> Any:
    """Return the value of a parameter that stands in the URL."""
    if not parameter.is_simple:
        raise InvalidParameter(parameter.name, text, f"a {_type_name(parameter)} in the body")
    if not text:
        raise InvalidParameter(parameter.name, text, f"a value of type {parameter.type}")
    try:
        return _TEXT_READERS.get(parameter.type, str)(text)
    except (ValueError, KeyError) as error:
        raise InvalidParameter(parameter.name, text, f"a value of type {parameter.type}") from error


def _integer(text: str) -> int:
    """Read a FHIR integer: 32 bits, and none of what Python takes besides, such as `1_0`."""
    if not _INTEGER.fullmatch(text) or not -(2**31) <= int(text) < 2**31:
        raise ValueError(text)
    return int(text)


_TEXT_READERS: Mapping[str, Callable[[str], Any]] = {
    "boolean": lambda text: {"true": True, "false": False}[text],
    "integer": _integer,
}


def _value(parameter: Parameter, part: Mapping[str, Any], within: str = "") -> Any:
    """Return the value of one `Parameters.parameter`; `within` is the parameter it is a part of."""
    name = within + parameter.name
    given = [key for key in part if key.startswith("value") or key in ("resource", "part")]
    if len(given) > 1:
        raise InvalidParameter(name, " and ".join(given), "one of a value, a resource and parts")
    if parameter.parts:
        return _parts(parameter, part)
    if parameter.is_simple:
        return _simple(parameter, part, name)
    return _complex(parameter, part, name)


def _complex(parameter: Parameter, part: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return a resource or a value of a data type with elements."""
    value = part.get("resource")
    if parameter.type != "Resource" and parameter.type not in RESOURCE_TYPES:
        value = part.get(f"value{parameter.type}")
        if parameter.type == "CodeableConcept" and isinstance(part.get("valueCoding"), dict):
            value = {"coding": [part["valueCoding"]]}
        if isinstance(value, dict):
            return value
    kind = value.get("resourceType") if isinstance(value, dict) else None
    # Where any resource is taken, what is wrong with it is for the operation to say.
    if isinstance(value, dict) and parameter.type in (kind, "Resource"):
        return value
    given = kind if isinstance(kind, str) else _slot(part)
    raise InvalidParameter(name, given, f"a {_type_name(parameter)}{_instead(parameter, given)}")


def _instead(parameter: Parameter, given: str | None) -> str:
    """Return where a canonical goes that stands in the place of a definition."""
    is_text = given in (*_TEXTS, "valueReference")
    is_definition = parameter.level == "type" and parameter.type in RESOURCE_TYPES
    return "; its canonical goes into `url` or `canonical`" if is_text and is_definition else ""


def _simple(parameter: Parameter, part: Mapping[str, Any], name: str) -> Any:
    """Return the value of a simple parameter; a Reference stands for its text."""
    wanted = _KINDS.get(parameter.type, str)
    for slot in _SLOTS[parameter.type]:
        value = part.get(slot)
        # A truth value is a number to Python, and must not be read as one.
        if type(value) is wanted and value != "":
            return value
    reference = part.get("valueReference")
    if (
        wanted is str
        and isinstance(reference, dict)
        and isinstance(reference.get("reference"), str)
    ):
        return reference["reference"]
    raise InvalidParameter(name, _slot(part), f"a value of type {parameter.type}")


def _slot(part: Mapping[str, Any]) -> str | None:
    """Return in which element a value was given, None when there is none."""
    slots = (key for key in part if key.startswith("value") or key in ("resource", "part"))
    return next(slots, None)


def _parts(parameter: Parameter, part: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parts of a parameter by name; each may be given once."""
    known = {p.name: p for p in parameter.parts}
    given = part.get("part")
    if not isinstance(given, list):
        raise InvalidParameter(parameter.name, _slot(part), f"the parts {_named(known)}")
    values: dict[str, Any] = {}
    for inner in given:
        name = inner.get("name") if isinstance(inner, dict) else None
        full_name = f"{parameter.name}.{name}"
        if name not in known:
            raise UnknownParameter(full_name[:80], tuple(known))
        if name in values:
            raise InvalidParameter(full_name, "given more than once", "one value at most")
        values[name] = _value(known[name], inner, f"{parameter.name}.")
    return values


def _named(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _check_cardinality(
    arguments: Arguments, operation: Operation, level: Level, resource_type: str
) -> None:
    """Raise when a parameter is missing or given too often."""
    for parameter in operation.parameters:
        count = len(arguments.get(parameter.name, ()))
        if parameter.max == "1" and count > 1:
            expected = operation.terms.once.get(parameter.name, "one value at most")
            raise InvalidParameter(parameter.name, f"given {count} times", expected)
        if count < parameter.min and parameter.level in (None, level):
            expected = f"a {_type_name(parameter)} for {resource_type or 'the system'}"
            raise InvalidParameter(parameter.name, None, expected)


def _type_name(parameter: Parameter) -> str:
    return parameter.type or "parameter with parts"
