"""From FHIR XML to a resource as JSON has it.

https://hl7.org/fhir/R4/xml.html and https://hl7.org/fhir/R4/json.html#xml

What can stand in JSON is left to the structure check, which reports it with all other problems: a
value that is not of its type (`<active value="maybe"/>`, kept as text), an element that the type
does not have, one that stands twice.  What JSON has no place for is refused here.
"""

import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

from lxml import etree

from carepath import deadline
from carepath.errors import MalformedInput
from carepath.formats.xml.source import FHIR, XHTML, Node, narratives, parse, stands_alone
from carepath.r4.model import RESOURCE_TYPES, Element, Type, type_of

MAX_DEPTH = 64
"""Elements that may stand inside each other, as for JSON."""
MAX_NUMBER_LENGTH = 100
MAX_EXPONENT = 1000
MAX_ATTRIBUTES = 100
"""Attributes of a narrative that has to be written again; XHTML has fewer."""

_SCHEMA_LOCATION = "{http://www.w3.org/2001/XMLSchema-instance}schemaLocation"
_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]*)")
_DECIMAL = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_INTEGERS = ("integer", "positiveInt", "unsignedInt")


OnBundle = Callable[[str, int], None]
"""Is told where a Bundle stands and how many entries it has, before they are read."""


def decode(
    data: bytes, *, max_depth: int = MAX_DEPTH, on_bundle: OnBundle | None = None
) -> dict[str, Any]:
    """Decode one resource from FHIR XML in UTF-8.

    Raises MalformedInput for XML that is not well-formed or has a document type, for text,
    attributes and elements of other namespaces that have no place, for a nesting of more than
    `max_depth` and for more than MAX_NODES elements and attributes, and what `on_bundle` raises.
    """
    root = parse(data)
    return _Reader(data, root, max_depth, on_bundle).resource(root, _local_name(root), 1)


def _malformed(reason: str, node: Node, path: str) -> MalformedInput:
    return MalformedInput(reason, f"line {node.sourceline}, `{path}`")


def _local_name(node: Node) -> str:
    """Return the name of an element in the FHIR namespace, of others `{namespace}name`."""
    name = etree.QName(node)
    return (
        name.localname if name.namespace == FHIR else f"{{{name.namespace or ''}}}{name.localname}"
    )


class _Reader:
    """One decoding: the limit of nesting, and the narratives as they were written."""

    def __init__(self, data: bytes, root: Node, max_depth: int, on_bundle: OnBundle | None) -> None:
        self._max_depth = max_depth
        self._on_bundle = on_bundle
        self._narratives = narratives(data, root)

    def resource(self, node: Node, path: str, depth: int) -> dict[str, Any]:
        name = _local_name(node)
        if name not in RESOURCE_TYPES:
            raise _malformed(f"`{name}` is not an R4 resource in the namespace {FHIR}", node, path)
        if name == "Bundle" and self._on_bundle is not None:
            self._on_bundle(path, len(node.findall(f"{{{FHIR}}}entry")))
        found = type_of(name)
        assert found is not None  # noqa: S101 - every resource type has a definition
        return {"resourceType": name, **self._children(node, found, path, depth)}

    def _children(self, node: Node, owner: Type, path: str, depth: int) -> dict[str, Any]:
        """Return the properties of a complex type, backbone or resource."""
        deadline.check()
        if depth > self._max_depth:
            raise _malformed(f"the nesting is deeper than {self._max_depth} levels", node, path)
        properties: dict[str, Any] = dict(_attributes(node, owner, path))
        _refuse_text(node, path)
        for name, nodes in _by_name(node).items():
            element = owner.elements.get(name)
            if element is None or element.xml_attribute:
                properties[name] = _unknown(name, owner, nodes, f"{path}.{name}")
            else:
                properties |= self._property(element, nodes, f"{path}.{name}", depth + 1)
        return properties

    def _property(
        self, element: Element, nodes: list[Node], path: str, depth: int
    ) -> dict[str, Any]:
        found = type_of(element.type)
        # One at a time: the paths of a million elements would take more room than their values.
        places = (
            (node, f"{path}[{index}]" if element.is_list else path)
            for index, node in enumerate(nodes)
        )
        if found is not None and found.kind == "primitive" and element.type != "xhtml":
            pairs = [self._primitive(node, found, place, depth) for node, place in places]
            return _primitive_property(element, pairs)
        values = [self._value(node, element, place, depth) for node, place in places]
        return {element.name: _as_property(values, element)}

    def _value(self, node: Node, element: Element, path: str, depth: int) -> Any:
        if element.type == "xhtml":
            return self._narrative(node, path)
        if element.type == "Resource":
            return self._contained(node, path, depth)
        found = type_of(element.type)
        assert found is not None  # noqa: S101 - every element's type has a definition
        return self._children(node, found, path, depth)

    def _contained(self, node: Node, path: str, depth: int) -> dict[str, Any]:
        _refuse_text(node, path)
        if len(node) != 1 or node.attrib:
            raise _malformed("exactly one resource is expected inside", node, path)
        return self.resource(node[0], path, depth + 1)

    def _primitive(
        self, node: Node, found: Type, path: str, depth: int
    ) -> tuple[Any, dict[str, Any] | None]:
        """Return the value and the `_` sibling of a primitive; None for what is not there."""
        sibling = self._children(node, found, path, depth)
        text = sibling.pop("value", None)
        if text is None:
            return None, sibling
        return _scalar(found.name, text, node, path), sibling or None

    def _narrative(self, node: Node, path: str) -> str:
        if node.tag != f"{{{XHTML}}}div":
            raise _malformed("a `div` in the XHTML namespace is expected", node, path)
        written = self._narratives[node]
        if stands_alone(written):
            return written
        if len(node.attrib) > MAX_ATTRIBUTES:
            raise _malformed(f"it has more than {MAX_ATTRIBUTES} attributes", node, path)
        return _rewritten(node)


def _attributes(node: Node, owner: Type, path: str) -> Iterator[tuple[str, str]]:
    # Names first: lxml looks for each value from the start, which thousands would make slow.
    for name in map(str, node.attrib):
        element = owner.elements.get(name)
        if element is not None and element.xml_attribute:
            yield name, str(node.attrib[name])
        elif name != _SCHEMA_LOCATION:
            raise _malformed(f"`{name}` is not an attribute of {owner.name}", node, path)


def _unknown(name: str, owner: Type, nodes: list[Node], path: str) -> list[dict[str, Any]]:
    """Return what stands for elements that a type does not have, when nothing else has the name."""
    is_read = name == "resourceType" or name in owner.elements or name.startswith("_")
    if is_read or nodes[0].tag != f"{{{FHIR}}}{name}":
        raise _malformed(f"it is not an element of {owner.name}", nodes[0], path)
    return [{} for _ in nodes]


def _refuse_text(node: Node, path: str) -> None:
    texts = [node.text, *(child.tail for child in deadline.paced(node))]
    if any(text and not text.isspace() for text in texts):
        raise _malformed("text outside attributes and narrative is not allowed", node, path)


def _by_name(node: Node) -> dict[str, list[Node]]:
    children: dict[str, list[Node]] = {}
    for child in deadline.paced(node):
        if not isinstance(child.tag, str):
            raise MalformedInput("an entity is not allowed", f"line {node.sourceline}")
        name = "div" if child.tag == f"{{{XHTML}}}div" else _local_name(child)
        children.setdefault(name, []).append(child)
    return children


def _primitive_property(
    element: Element, pairs: list[tuple[Any, dict[str, Any] | None]]
) -> dict[str, Any]:
    """Return `x`, `_x` or both; in arrays a missing half is null."""
    halves: dict[str, list[Any]] = {
        element.name: [value for value, _ in pairs],
        "_" + element.name: [sibling for _, sibling in pairs],
    }
    return {
        name: _as_property(half, element)
        for name, half in halves.items()
        if any(one is not None for one in half)
    }


def _as_property(values: list[Any], element: Element) -> Any:
    """Return an array, also for what may stand only once and does not; else the one value."""
    return values if element.is_list or len(values) > 1 else values[0]


def _scalar(type_name: str, text: str, node: Node, path: str) -> Any:
    if type_name == "boolean":
        return {"true": True, "false": False}.get(text, text)
    is_integer = _INTEGER.fullmatch(text)
    if type_name in _INTEGERS and not is_integer:
        return text
    if type_name not in (*_INTEGERS, "decimal") or not _DECIMAL.fullmatch(text):
        return text
    if len(text) > MAX_NUMBER_LENGTH:
        raise _malformed("the number is out of range", node, path)
    if is_integer and text != "-0":
        return int(text)
    value = Decimal(text)
    if abs(value.adjusted()) > MAX_EXPONENT:
        raise _malformed("the number is out of range", node, path)
    return value


def _rewritten(node: Node) -> str:
    """Return a narrative whose prefixes were declared outside of it, without prefixes."""
    copy = etree.fromstring(etree.tostring(node, with_tail=False))
    default: Any = {None: XHTML}
    plain = etree.Element(
        copy.tag, {str(key): str(copy.attrib[key]) for key in copy.attrib}, default
    )
    plain.text = copy.text
    plain.extend(list(copy))
    etree.cleanup_namespaces(plain)
    return str(etree.tostring(plain, encoding="unicode"))
