"""From a violation of the schema to problems: kind, place and a sentence about each."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Literal, NamedTuple

from jsonschema_rs import ValidationError

from carepath.r4.codes import codes_of, name_of
from carepath.r4.model import type_of
from carepath.validation.structure.locations import Place, place_of
from carepath.validation.structure.narrative import narrative_fault

Kind = Literal[
    "alignment",
    "bad-value",
    "code",
    "concept",
    "conflict",
    "empty",
    "missing",
    "narrative",
    "no-content",
    "null",
    "range",
    "reference",
    "target",
    "too-large",
    "unknown-element",
    "unknown-type",
    "wrong-type",
]

_NAMED_CODES = 12
_NAMED_TARGETS = 8


class Problem(NamedTuple):
    """Something wrong at a place; the sentence goes on after the place's name."""

    kind: Kind
    place: Place
    sentence: str


def problems_of(
    resource: object, error: ValidationError, path: Sequence[str | int]
) -> Iterator[Problem]:
    """Yield the problems that one violation of the schema, at this path, stands for."""
    if error.kind.name == "contains":
        path = path[:-1]  # The concept is wrong as a whole, not one of its codings.
    place = place_of(resource, path)
    yield from _BY_KEYWORD.get(error.kind.name, _other)(place, error)


def _other(place: Place, _error: ValidationError) -> Iterator[Problem]:
    yield Problem("bad-value", place, "is not valid")


def _type(place: Place, error: ValidationError) -> Iterator[Problem]:
    wants_array = error.kind.value == ["array"]
    if place.value is None:
        yield Problem("null", place, "is null")
    elif place.value == "" and not wants_array:
        yield Problem("empty", place, "is an empty string")
    elif isinstance(place.value, list) and not wants_array:
        yield Problem("wrong-type", place, "is an array, where one value may stand")
    else:
        wanted = "a JSON array" if wants_array else _json_type(place)
        yield Problem("wrong-type", place, f"is not {wanted}")


def _json_type(place: Place) -> str:
    found = type_of(place.type)
    if found is None or found.kind != "primitive":
        return "a JSON object"
    if place.type in ("integer", "positiveInt", "unsignedInt"):
        return "a JSON number without fraction"
    return {"boolean": "true or false", "decimal": "a JSON number"}.get(place.type, "a JSON string")


def _enum(place: Place, error: ValidationError) -> Iterator[Problem]:
    if error.instance_path[-1:] == ["resourceType"]:
        yield Problem("unknown-type", place, "is not the name of an R4 resource type")
    elif not isinstance(place.value, str) or not place.value:
        yield from _type(place, error)
    else:
        yield Problem("code", place, f"is not a code of {_value_set(place)}")


def _value_set(place: Place) -> str:
    url = place.element.binding if place.element else ""
    codes = sorted(codes_of(url) or ())
    listed = f" ({', '.join(codes)})" if len(codes) <= _NAMED_CODES else ""
    return f"the required value set {name_of(url)}{listed}"


def _pattern(place: Place, error: ValidationError) -> Iterator[Problem]:
    path = place.element.path if place.element else ""
    if place.value == "":
        yield Problem("empty", place, "is an empty string")
    elif place.type == "xhtml":
        yield from _narrative(place, error)
    elif path == "Reference.reference":
        yield Problem("reference", place, "is not a reference such as `Patient/123`")
    elif path == "Reference.type" and error.evaluation_path[-2:] == ["type", "pattern"]:
        yield Problem("target", place, "is a resource type that may not be referred to here")
    else:
        yield Problem("bad-value", place, f"is not a valid {place.type or 'value'}")


def _narrative(place: Place, _error: ValidationError) -> Iterator[Problem]:
    if isinstance(place.value, str) and place.value:
        yield Problem("narrative", place, narrative_fault(place.value))


def _any_of(place: Place, error: ValidationError) -> Iterator[Problem]:
    """Read alternatives: a property that must be there, or two forms of a value."""
    if isinstance(place.value, str):
        if error.evaluation_path[-2:] == ["reference", "anyOf"]:
            sentence = "points to a resource type that may not be referred to here"
            yield Problem("target", place, sentence)
        else:
            yield Problem("bad-value", place, f"is not a valid {place.type}")
    elif "dependentSchemas" in error.evaluation_path[-3:]:
        yield from _nulls(place, str(error.evaluation_path[-2]))
    elif place.type == "CodeableConcept":
        yield from _concept(place, error)
    elif place.value:
        yield from _missing(place)


def _nulls(place: Place, name: str) -> Iterator[Problem]:
    """Yield each null in an array that has no sibling array to explain it."""
    values = place.value[name]
    for index, value in enumerate(values if isinstance(values, list) else ()):
        if value is None:
            yield Problem("null", place.child(name).item(index), "is null")


def _concept(place: Place, _error: ValidationError) -> Iterator[Problem]:
    yield Problem("concept", place, f"has no coding of {_value_set(place)}")


def _missing(place: Place) -> Iterator[Problem]:
    """Yield the required elements that are absent from the object at the place."""
    owner = type_of(place.type)
    wanted: dict[str, list[str]] = {}
    for element in owner.elements.values() if owner else ():
        if element.min:
            wanted.setdefault(element.choice or element.name, []).append(element.name)
    for step, names in wanted.items():
        if not any(name in place.value or "_" + name in place.value for name in names):
            missing = place.child(names[0])._replace(expression=f"{place.expression}.{step}")
            yield Problem("missing", missing, "is required but missing")


def _required(place: Place, error: ValidationError) -> Iterator[Problem]:
    if error.kind.value == "resourceType":
        yield Problem("unknown-type", place.child("resourceType"), "is missing")
    elif place.value:
        yield from _missing(place)


def _additional(place: Place, error: ValidationError) -> Iterator[Problem]:
    for name in error.kind.value:
        unknown = place.child(name)
        sentence = f"is not an element of {place.type}"
        if name.startswith("_") and unknown.element is not None:
            sentence = "is no primitive and has no `_` property"
        yield Problem("unknown-element", unknown, sentence)


def _min_items(place: Place, _error: ValidationError) -> Iterator[Problem]:
    yield Problem("empty", place, "is an empty array")


def _min_properties(place: Place, _error: ValidationError) -> Iterator[Problem]:
    if place.value:
        yield Problem("no-content", place, "has an id and nothing else")
    else:
        yield Problem("empty", place, "is an empty object")


def _conflict(place: Place, error: ValidationError) -> Iterator[Problem]:
    """A second type of a choice: refused at the property, or at the owner of many types."""
    if place.element is not None and place.element.choice:
        yield Problem("conflict", place, "has values of more than one type")
    else:
        yield from _conflicts(place)


def _conflicts(owner: Place) -> Iterator[Problem]:
    found = type_of(owner.type) if isinstance(owner.value, dict) else None
    for step, elements in (found.choices if found else {}).items():
        present = [
            one.name for one in elements if one.name in owner.value or "_" + one.name in owner.value
        ]
        if len(present) > 1:
            place = owner.child(present[0])._replace(expression=f"{owner.expression}.{step}")
            yield Problem("conflict", place, "has values of more than one type")


def _range(place: Place, _error: ValidationError) -> Iterator[Problem]:
    yield Problem("range", place, f"is outside the range of {place.type}")


def _max_length(place: Place, _error: ValidationError) -> Iterator[Problem]:
    yield Problem("range", place, "is longer than 1 MB")


def _aligned(place: Place, error: ValidationError) -> Iterator[Problem]:
    name = str(error.evaluation_path[-2]).removeprefix("_")
    sentence = f"and `_{name}` do not match place by place"
    yield Problem("alignment", place.child(name), sentence)


def _literal(place: Place, _error: ValidationError) -> Iterator[Problem]:
    yield Problem("range", place, "is written with a fraction or an exponent")


_BY_KEYWORD: Mapping[str, Callable[[Place, ValidationError], Iterator[Problem]]] = {
    "additionalProperties": _additional,
    "anyOf": _any_of,
    "const": _enum,
    "contains": _concept,
    "enum": _enum,
    "falseSchema": _conflict,
    "fhirAligned": _aligned,
    "fhirInteger": _literal,
    "format": _narrative,
    "maxLength": _max_length,
    "maximum": _range,
    "minItems": _min_items,
    "minProperties": _min_properties,
    "minimum": _range,
    "not": _narrative,
    "oneOf": _conflict,
    "pattern": _pattern,
    "required": _required,
    "type": _type,
}
