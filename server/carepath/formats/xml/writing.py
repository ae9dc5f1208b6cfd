"""From a resource as JSON has it to FHIR XML.

https://hl7.org/fhir/R4/xml.html

Elements stand in the order of their definition, which XML requires and JSON does not.  The text is
built directly: a narrative goes in just as it is, and numbers as they are written.
"""

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any
from xml.sax.saxutils import quoteattr

from lxml import etree

from carepath import deadline
from carepath.errors import InvalidResource
from carepath.formats.xml.source import FHIR, XHTML
from carepath.issues import Issue
from carepath.r4.model import RESOURCE_TYPES, Element, Type, type_of

_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>'
_ESCAPES = {"\n": "&#10;", "\r": "&#13;", "\t": "&#9;"}
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_NOT_ALONE = re.compile(r"<\?|<!DOCTYPE")


def encode(resource: Mapping[str, Any], *, pretty: bool = False) -> bytes:
    """Encode a resource as FHIR XML in UTF-8; `pretty` indents by two spaces.

    Raises InvalidResource, with the element's place, for what XML cannot carry: a property that
    the type does not have, a value of the wrong JSON type, a narrative that is not well-formed.
    """
    writer = _Writer("\n" if pretty else "")
    name = _type_name(resource, "Resource")
    try:
        text = "".join(writer.resource(resource, name, 0, f' xmlns="{FHIR}"'))
    except RecursionError as error:
        raise _invalid("is nested too deeply", name) from error
    return (_DECLARATION + text + writer.newline).encode("utf-8")


def _invalid(reason: str, path: str) -> InvalidResource:
    return InvalidResource([Issue("error", "structure", f"`{path}` {reason}.", (path,))])


def _type_name(resource: Any, path: str) -> str:
    name = resource.get("resourceType") if isinstance(resource, Mapping) else None
    if not isinstance(name, str) or name not in RESOURCE_TYPES:
        raise _invalid("is not an R4 resource", path)
    return name


class _Writer:
    """Writes parts of text; `newline` is empty unless the text is for reading."""

    def __init__(self, newline: str) -> None:
        self.newline = newline

    def resource(self, value: Any, path: str, level: int, namespace: str = "") -> Iterator[str]:
        name = _type_name(value, path)
        properties = {key: inner for key, inner in value.items() if key != "resourceType"}
        yield from self._object(name, properties, _definition(name), path, level, namespace)

    def _object(
        self, tag: str, value: Any, type_: Type, path: str, level: int, namespace: str = ""
    ) -> Iterator[str]:
        deadline.check()
        if not isinstance(value, Mapping):
            raise _invalid("is not a JSON object", path)
        _refuse_unknown(value, type_, path)
        start = f"<{tag}{namespace}{_attributes(value, type_, path)}"
        inner = list(self._children(value, type_, path, level + 1))
        yield self._indented(level, start + (">" if inner else "/>"))
        if inner:
            yield from inner
            yield self._indented(level, f"</{tag}>")

    def _children(
        self, value: Mapping[str, Any], type_: Type, path: str, level: int
    ) -> Iterator[str]:
        for element in type_.elements.values():
            if element.xml_attribute or not {element.name, "_" + element.name} & value.keys():
                continue
            inner = f"{path}.{element.choice or element.name}"
            values = _repetitions(value.get(element.name), element, inner)
            siblings = _repetitions(value.get("_" + element.name), element, inner)
            count = max(len(values), len(siblings))
            values += [None] * (count - len(values))
            siblings += [None] * (count - len(siblings))
            for index, (one, sibling) in enumerate(zip(values, siblings, strict=True)):
                place = f"{inner}[{index}]" if element.is_list else inner
                yield from self._element(element, one, sibling, place, level)

    def _element(
        self, element: Element, value: Any, sibling: Any, path: str, level: int
    ) -> Iterator[str]:
        definition = _definition(element.type)
        if element.type == "xhtml":
            yield self._indented(level, _narrative(value, path))
        elif element.type == "Resource":
            yield self._indented(level, f"<{element.name}>")
            yield from self.resource(value, path, level + 1)
            yield self._indented(level, f"</{element.name}>")
        elif definition.kind == "primitive":
            properties = {} if sibling is None else sibling
            if not isinstance(properties, Mapping) or "value" in properties:
                raise _invalid("has a `_` sibling that is no element", path)
            own = {} if value is None else {"value": _text(value, path)}
            yield from self._object(element.name, {**properties, **own}, definition, path, level)
        else:
            yield from self._object(element.name, value, definition, path, level)

    def _indented(self, level: int, text: str) -> str:
        return f"{self.newline}{'  ' * level}{text}" if self.newline else text


def _definition(name: str) -> Type:
    found = type_of(name)
    assert found is not None  # noqa: S101 - the tables name no type that they do not hold
    return found


def _refuse_unknown(value: Mapping[str, Any], type_: Type, path: str) -> None:
    for name in value:
        if name in type_.elements:
            continue
        element = type_.elements.get(str(name).removeprefix("_"))
        if element is None or _definition(element.type).kind != "primitive":
            raise _invalid(f"has no element `{name}`", path)


def _attributes(value: Mapping[str, Any], type_: Type, path: str) -> str:
    return "".join(
        f" {element.name}={_quoted(_text(value[element.name], path), path)}"
        for element in type_.elements.values()
        if element.xml_attribute and element.name in value
    )


def _repetitions(value: Any, element: Element, path: str) -> list[Any]:
    if value is None:
        return []
    if isinstance(value, list) != element.is_list:
        raise _invalid("is an array" if isinstance(value, list) else "is not an array", path)
    return list(value) if element.is_list else [value]


def _text(value: Any, path: str) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, (str, int, float, Decimal)):
        raise _invalid("is not a JSON string, number or boolean", path)
    try:
        return str(value)
    except ValueError as error:  # Python writes no integer of thousands of digits.
        raise _invalid("is a number out of range", path) from error


def _quoted(text: str, path: str) -> str:
    if _NOT_XML.search(text):
        raise _invalid("holds a character that XML does not allow", path)
    return quoteattr(text, _ESCAPES)


def _narrative(value: Any, path: str) -> str:
    """Return the narrative as it is, when it is a `div` that can stand inside the document."""
    text = value.strip() if isinstance(value, str) else ""
    try:
        if not _NOT_ALONE.search(text) and etree.fromstring(text).tag == f"{{{XHTML}}}div":
            return text
    except etree.XMLSyntaxError:
        pass
    raise _invalid("is not a well-formed XHTML `div`", path)
