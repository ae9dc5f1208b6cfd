"""A JSON Schema for FHIR R4 resources, from the tables of `carepath.r4`.

Draft 2020-12.  Each type has its definition under its own name, so that an error tells the exact
place; a contained resource is dispatched on `resourceType` by if/then.  Two keywords are our own
and are ignored by other validators: `fhirAligned` (an array and its `_` sibling have the same
length and no place is empty in both) and `fhirInteger` (written without fraction or exponent).
"""

from collections.abc import Iterator
from typing import Any

from tools.generate_r4 import patterns

from carepath.r4.codes import codes_of, codings_of
from carepath.r4.model import RESOURCE_TYPES, Element, Type, is_subtype, type_names, type_of

Schema = dict[str, Any]

URL = "https://carepath.example/fhir/schemas/fhir-r4.schema.json"
_GROUP = 12
_MANY = 13
_INTEGERS = {
    "integer": (-(2**31), 2**31 - 1),
    "positiveInt": (1, 2**31 - 1),
    "unsignedInt": (0, 2**31 - 1),
}
_NULL = ".null"
"""Suffix of the definition that also takes null, for arrays with a `_` sibling."""


def table() -> dict[str, Any]:
    """Return the schema."""
    definitions: dict[str, Schema] = {"Resource": _any_resource()}
    for name in type_names():
        found = type_of(name)
        if found and found.kind != "primitive" and name not in ("Resource", "DomainResource"):
            definitions[name] = _object(found, definitions)
    definitions["Element" + _NULL] = {**definitions["Element"], "type": ["object", "null"]}
    _special(definitions)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": URL,
        "title": "FHIR R4 4.0.1 resources",
        "$comment": "Generated from the definitions of HL7 (CC0-1.0) by tools/generate_r4.",
        "$ref": "#/$defs/Resource",
        "$defs": dict(sorted(definitions.items())),
    }


def _any_resource() -> Schema:
    """Dispatch in two steps, because a row of 146 conditions costs more than the checks."""
    names = sorted(RESOURCE_TYPES)
    groups = [names[start : start + _GROUP] for start in range(0, len(names), _GROUP)]
    return {
        "type": "object",
        "required": ["resourceType"],
        "properties": {"resourceType": {"enum": names}},
        "allOf": [
            {
                "if": _has_type({"enum": group}),
                "then": {
                    "allOf": [
                        {"if": _has_type({"const": name}), "then": _ref(name)} for name in group
                    ]
                },
            }
            for group in groups
        ],
    }


def _has_type(test: Schema) -> Schema:
    return {
        "type": "object",
        "properties": {"resourceType": test},
        "required": ["resourceType"],
    }


def _ref(name: str) -> Schema:
    return {"$ref": f"#/$defs/{name}"}


def _object(one: Type, definitions: dict[str, Schema]) -> Schema:
    schema: Schema = {"type": "object", "additionalProperties": False, "properties": {}}
    if one.kind == "resource":
        schema["properties"]["resourceType"] = {"const": one.name}
    else:
        schema["minProperties"] = 1
    for element in one.elements.values():
        schema["properties"][element.name] = _property(element, definitions)
        if _has_sibling(element):
            schema["properties"]["_" + element.name] = _sibling(element)
    required, alternatives = _required(one)
    if required:
        schema["required"] = required
    alternatives += [_at_most_one(names) for names in one.choices.values() if len(names) >= _MANY]
    if alternatives:
        schema["allOf"] = alternatives
    dependent = dict(_dependent(one))
    if dependent:
        schema["dependentSchemas"] = dependent
    return schema


def _property(element: Element, definitions: dict[str, Schema]) -> Schema:
    if element.max == "0":
        return {"not": {}}
    name = _definition(element, definitions)
    if not element.is_list:
        return _ref(name)
    if _is_primitive(element):
        name += _NULL
        if name not in definitions:
            plain = definitions[name.removesuffix(_NULL)]
            definitions[name] = _nullable(plain)
    return {"type": "array", "minItems": 1, "items": _ref(name)}


def _nullable(plain: Schema) -> Schema:
    if "enum" in plain:
        return {"enum": [*plain["enum"], None]}
    return {**plain, "type": [plain["type"], "null"]}


def _sibling(element: Element) -> Schema:
    if not element.is_list:
        return _ref("Element")
    return {"type": "array", "minItems": 1, "items": _ref("Element" + _NULL)}


def _is_primitive(element: Element) -> bool:
    found = type_of(element.type)
    return found is not None and found.kind == "primitive"


def _has_sibling(element: Element) -> bool:
    """Tell whether `_name` is a property: not for attributes, ids of resources and xhtml."""
    is_id = element.name == "id"
    return _is_primitive(element) and not (
        element.xml_attribute or is_id or element.type == "xhtml"
    )


def _definition(element: Element, definitions: dict[str, Schema]) -> str:
    """Return the definition for an element's type, making it when it is not there yet."""
    if element.binding and element.type == "code" and codes_of(element.binding):
        name = "code-" + element.binding.rpartition("/")[2]
        definitions.setdefault(name, {"enum": sorted(codes_of(element.binding) or ())})
        return name
    if element.binding in patterns.CODES:
        name = "code-" + element.binding.rpartition("/")[2]
        form = {"type": "string", "pattern": patterns.CODES[element.binding]}
        definitions.setdefault(name, form)
        return name
    if element.binding and element.type == "CodeableConcept" and codings_of(element.binding):
        name = "CodeableConcept-" + element.binding.rpartition("/")[2]
        definitions.setdefault(name, _bound_concept(element.binding))
        return name
    if element.type == "Reference" and element.targets:
        name = "Reference-" + "-".join(sorted(element.targets))
        definitions.setdefault(name, _bound_reference(element.targets))
        return name
    if _is_primitive(element):
        definitions.setdefault(element.type, _primitive(element.type))
    return element.type


def _primitive(name: str) -> Schema:
    if name in _INTEGERS:
        low, high = _INTEGERS[name]
        return {"type": "integer", "minimum": low, "maximum": high, "fhirInteger": True}
    if name == "xhtml":
        return _xhtml()
    if name in ("boolean", "decimal"):
        return {"type": "boolean" if name == "boolean" else "number"}
    schema: Schema = {"type": "string", "pattern": patterns.PRIMITIVES[name]}
    if is_subtype(name, "string"):
        schema["maxLength"] = 1024 * 1024
    if name == "uri":
        schema["anyOf"] = [{"not": {"pattern": patterns.URN}}, {"pattern": patterns.WHOLE_URN}]
    return schema


def _xhtml() -> Schema:
    return {
        "type": "string",
        "pattern": patterns.XHTML,
        "format": "fhir-xhtml",
        "allOf": [
            {"pattern": patterns.XHTML_NAMESPACE},
            {"pattern": patterns.XHTML_CONTENT},
            {"not": {"pattern": patterns.XHTML_ACTIVE_STYLE}},
        ],
    }


def _bound_concept(value_set: str) -> Schema:
    """One coding is from the value set, or an extension says why there is none."""
    choices = [
        {
            "type": "object",
            "properties": {"system": {"const": system}, "code": {"enum": sorted(codes)}},
            "required": ["system", "code"],
        }
        for system, codes in (codings_of(value_set) or {}).items()
    ]
    return {
        **_ref("CodeableConcept"),
        "properties": {"coding": {"contains": {"anyOf": choices}}},
        "anyOf": [{"required": ["coding"]}, {"required": ["extension"]}],
    }


def _bound_reference(targets: tuple[str, ...]) -> Schema:
    names = tuple(sorted(targets))
    return {
        **_ref("Reference"),
        "properties": {
            "reference": {
                "anyOf": [
                    {"pattern": patterns.typed_reference(names)},
                    _ref("untyped-reference"),
                ]
            },
            "type": {"pattern": rf"^(?:{'|'.join(names)})$|:"},
        },
    }


def _required(one: Type) -> tuple[list[str], list[Schema]]:
    """Return the required properties, and the alternatives of which one is required."""
    required: list[str] = ["resourceType"] if one.kind == "resource" else []
    alternatives: dict[str, list[Schema]] = {}
    for element in one.elements.values():
        if element.min == 0:
            continue
        if not element.choice and not _has_sibling(element):
            required.append(element.name)
            continue
        names = alternatives.setdefault(element.choice or element.name, [])
        names += [{"required": [name]} for name in _names(element)]
    return required, [{"anyOf": names} for names in alternatives.values()]


def _names(element: Element) -> Iterator[str]:
    yield element.name
    if _has_sibling(element):
        yield "_" + element.name


def _dependent(one: Type) -> Iterator[tuple[str, Schema]]:
    if one.kind != "resource" and one.name != "Element":
        yield "id", {"minProperties": 2}  # An id alone is no content (ele-1), but for a primitive.
    for element in one.elements.values():
        if element.is_list and _has_sibling(element):
            yield element.name, _nulls_need_sibling(element.name)
            yield "_" + element.name, {"fhirAligned": element.name}
    for elements in one.choices.values():
        if len(elements) < _MANY:
            yield from _exclusive(elements)


def _nulls_need_sibling(name: str) -> Schema:
    no_null = {"properties": {name: {"not": {"contains": {"type": "null"}}}}}
    return {"anyOf": [{"required": ["_" + name]}, no_null]}


def _exclusive(elements: tuple[Element, ...]) -> Iterator[tuple[str, Schema]]:
    """Say for each type of a choice that the others are absent."""
    for element in elements:
        others = [name for other in elements if other is not element for name in _names(other)]
        for name in _names(element):
            yield name, {"properties": dict.fromkeys(others, False)}


def _at_most_one(elements: tuple[Element, ...]) -> Schema:
    """Say the same of a choice with so many types that naming all pairs would be too long."""
    present = [{"anyOf": [{"required": [name]} for name in _names(one)]} for one in elements]
    return {"oneOf": [*present, {"not": {"anyOf": present}}]}


def _special(definitions: dict[str, Schema]) -> None:
    """Add what the tables do not say: the form of `Reference.reference`."""
    literal = {"type": "string", "pattern": patterns.REFERENCE}
    definitions["Reference"]["properties"]["reference"] = literal
    definitions["untyped-reference"] = {"not": {"pattern": patterns.typed_reference()}}
