"""Turn a FHIRPath value into JSON of the type that an element has.

https://hl7.org/fhir/R4/fhirpath.html#types and https://hl7.org/fhir/R4/datatypes.html

A value that already is of the type stays as it is.  Otherwise the nearest faithful reading is
taken (a Coding becomes a CodeableConcept with that coding), and CannotCoerce is raised when
there is none: nothing is ever forced into a place where it does not belong.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Any

from carepath.canonical import Canonical
from carepath.errors import CarepathError
from carepath.fhirpath import Node
from carepath.knowledge.shape import value_problems
from carepath.r4.codes import codes_of
from carepath.r4.model import RESOURCE_TYPES, Element, is_subtype, type_of

UCUM = "http://unitsofmeasure.org"
_REFERENCE = re.compile(r"#|urn:(?:uuid|oid):|https?://|(?:\w+)/[A-Za-z0-9.-]{1,64}(?:/|$)")
_TIMES = {"date", "dateTime", "instant"}


@dataclass(eq=False)
class CannotCoerce(CarepathError):
    """A value that does not fit the element it is meant for."""

    reason: str

    def __str__(self) -> str:
        return f"The value does not fit: {self.reason}."


def coerce(node: Node, element: Element) -> Any:
    """Return the JSON of one value for an element; raises CannotCoerce."""
    value = _json(node)
    made = _convert(value, node.type, element.type)
    if element.binding and element.type == "code":
        _check_code(made, element)
    return made


def coerce_choice(nodes: Sequence[Node], elements: Sequence[Element]) -> tuple[str, list[Any]]:
    """Return property and values for a choice: of the value's own type, else of one that fits."""
    own = [e for e in elements if _plain_type(nodes[0].type) == e.type]
    for element in (*own, *elements):
        try:
            return element.name, [coerce(node, element) for node in nodes]
        except CannotCoerce:
            continue
    kinds = ", ".join(element.type for element in elements)
    raise CannotCoerce(f"a {_plain_type(nodes[0].type)} is none of {kinds}")


def _json(node: Node) -> Any:
    """Return a node's value as JSON: partial dates as text, quantities as objects."""
    value = node.value
    if isinstance(value, bool | int | Decimal | str | dict):
        return value
    if hasattr(value, "unit") and hasattr(value, "value"):
        return _quantity(value)
    return str(value)


def _quantity(value: Any) -> dict[str, Any]:
    """Return a FHIRPath quantity as a FHIR Quantity with a UCUM code."""
    unit = str(value.unit).strip("'")
    unit = _CALENDAR.get(unit, unit)
    made: dict[str, Any] = {"value": value.value}
    if unit:
        made |= {"unit": unit, "system": UCUM, "code": unit}
    return made


_CALENDAR = {
    singular + plural: code
    for singular, code in (
        ("year", "a"),
        ("month", "mo"),
        ("week", "wk"),
        ("day", "d"),
        ("hour", "h"),
        ("minute", "min"),
        ("second", "s"),
        ("millisecond", "ms"),
    )
    for plural in ("", "s")
}


def _plain_type(name: str) -> str:
    """Return a type's name without its namespace; System types read as their FHIR twins."""
    plain = name.rpartition(".")[2] if name.startswith(("FHIR.", "System.")) else name
    return _SYSTEM.get(plain, plain)


_SYSTEM = {
    "Boolean": "boolean",
    "Integer": "integer",
    "Decimal": "decimal",
    "String": "string",
    "Date": "date",
    "DateTime": "dateTime",
    "Time": "time",
}


def _convert(value: Any, value_type: str, target: str) -> Any:
    """Return a JSON value as one of the target type."""
    found = type_of(target)
    if found is None:
        raise CannotCoerce(f"`{target}` is no type of FHIR R4")
    if found.kind == "primitive":
        return _to_primitive(value, _plain_type(value_type), target)
    made = value if _is_of(value, value_type, target) else _to_complex(value, target)
    problem = next(value_problems(made, target, target), None)
    if problem is not None:
        raise CannotCoerce(f"{problem[0]}: {problem[1]}")
    return made


def _is_of(value: Any, value_type: str, target: str) -> bool:
    """Tell whether an object is of a type already: by its type, or by its properties."""
    if not isinstance(value, dict):
        return False
    plain = _plain_type(value_type)
    if is_subtype(plain, target) or (
        is_subtype(target, "Quantity") and is_subtype(plain, "Quantity")
    ):
        return True
    if type_of(plain) is not None and plain not in ("Element", "BackboneElement"):
        return False
    found = type_of(target)
    names = {key.removeprefix("_") for key in value}
    return found is not None and "resourceType" not in value and names <= found.elements.keys()


def _to_primitive(value: Any, value_type: str, target: str) -> Any:
    """Return a scalar for a primitive type."""
    if isinstance(value, dict):
        # A code is what a Coding or a CodeableConcept means where only a code fits.
        value = _code_in(value, target)
    if target == "boolean":
        return _expect(value, isinstance(value, bool), "boolean")
    if isinstance(value, bool):
        raise CannotCoerce(f"a boolean is no {target}")
    if target == "decimal":
        return _expect(value, isinstance(value, int | Decimal), "decimal")
    if is_subtype(target, "integer"):
        return _integer(value, target)
    text = str(value)
    if target in _TIMES and value_type in _TIMES:
        text = _time(text, target)
    pattern = _pattern(target)
    if not text or (pattern is not None and not pattern.fullmatch(text)):
        raise CannotCoerce(f"`{text[:40]}` is no {target}")
    return text


def _code_in(value: Mapping[str, Any], target: str) -> Any:
    """Return the code, text or URL that an object holds for a primitive."""
    if target in ("canonical", "uri", "url") and "url" in value:
        return value["url"]
    coding = (value.get("coding") or [{}])[0] if "coding" in value else value
    for name in ("code",) if target == "code" else ("text", "display", "reference", "code"):
        found = value.get(name) or coding.get(name)
        if isinstance(found, str):
            return found
    raise CannotCoerce(f"an object is no {target}")


def _integer(value: Any, target: str) -> int:
    if isinstance(value, Decimal) and value == value.to_integral_value():
        value = int(value)
    low = {"positiveInt": 1, "unsignedInt": 0}.get(target)
    if not isinstance(value, int) or (low is not None and value < low):
        raise CannotCoerce(f"`{value}` is no {target}")
    return value


def _time(text: str, target: str) -> str:
    """Return a date or time in the precision that the target allows."""
    if target == "date":
        return text.partition("T")[0]
    return text.removesuffix("T")


def _expect(value: Any, is_right: bool, target: str) -> Any:
    if not is_right:
        raise CannotCoerce(f"`{str(value)[:40]}` is no {target}")
    return value


@cache
def _pattern(name: str) -> re.Pattern[str] | None:
    found = type_of(name)
    return re.compile(found.pattern) if found is not None and found.pattern else None


def _check_code(code: str, element: Element) -> None:
    codes = codes_of(Canonical.parse(element.binding).url)
    if codes is not None and code not in codes:
        raise CannotCoerce(f"`{code}` is no code for `{element.path}`")


def _to_complex(value: Any, target: str) -> Any:
    """Return an object of a complex type made from something simpler."""
    make = _COMPLEX.get(target)
    made = None if make is None else make(value)
    if made is None:
        kind = "object" if isinstance(value, dict) else f"value `{str(value)[:40]}`"
        raise CannotCoerce(f"the {kind} is no {target}")
    return made


def _concept(value: Any) -> Any:
    if isinstance(value, dict):
        return {"coding": [value]} if "code" in value and "coding" not in value else None
    return {"text": str(value)}


def _coding(value: Any) -> Any:
    if isinstance(value, dict):
        return next(iter(value.get("coding") or ()), None)
    return {"code": value} if isinstance(value, str) else None


def _reference(value: Any) -> Any:
    if isinstance(value, dict):
        is_resource = value.get("resourceType") in RESOURCE_TYPES and "id" in value
        return {"reference": f"{value['resourceType']}/{value['id']}"} if is_resource else None
    text = str(value)
    return {"reference": text} if _REFERENCE.match(text) else {"display": text}


def _amount(value: Any) -> Any:
    is_number = isinstance(value, int | Decimal) and not isinstance(value, bool)
    return {"value": value} if is_number else None


def _range(value: Any) -> Any:
    return {"low": value, "high": value} if isinstance(value, dict) and "value" in value else None


def _period(value: Any) -> Any:
    return {"start": value} if isinstance(value, str) and _is_moment(value) else None


def _timing(value: Any) -> Any:
    if isinstance(value, str):
        return {"event": [value]} if _is_moment(value) else {"code": {"text": value}}
    return None


def _is_moment(text: str) -> bool:
    pattern = _pattern("dateTime")
    return pattern is not None and pattern.fullmatch(text) is not None


def _with(name: str) -> Callable[[Any], Any]:
    """Return a maker that puts a text under one name."""
    return lambda value: {name: str(value)} if not isinstance(value, dict) else None


_COMPLEX: Mapping[str, Callable[[Any], Any]] = {
    "CodeableConcept": _concept,
    "Coding": _coding,
    "Reference": _reference,
    "Quantity": _amount,
    "Age": _amount,
    "Duration": _amount,
    "Count": _amount,
    "Distance": _amount,
    "Range": _range,
    "Period": _period,
    "Timing": _timing,
    "Annotation": _with("text"),
    "Dosage": _with("text"),
    "HumanName": _with("text"),
    "Identifier": _with("value"),
    "RelatedArtifact": lambda value: (
        None if isinstance(value, dict) else {"type": "documentation", "display": str(value)}
    ),
}
