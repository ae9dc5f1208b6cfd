"""The bytes of an XML document: UTF-8 only, no document type, and where each narrative stands.

https://hl7.org/fhir/R4/security.html#xml
"""

import re
from xml.parsers import expat

from lxml import etree

from carepath import deadline
from carepath.errors import MalformedInput

Node = etree._Element

FHIR = "http://hl7.org/fhir"
XHTML = "http://www.w3.org/1999/xhtml"

MAX_NODES = 1_500_000
"""Elements and attributes in one document: each takes hundreds of bytes, however short it is."""

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_DECLARATION = re.compile(rb"\s*<\?xml\s[^>]*?encoding\s*=\s*[\"']([A-Za-z0-9._-]+)[\"']")
# Possessive: what may stand before the root is read once, however much of it there is.
_DOCUMENT_TYPE = re.compile(rb"(?>\s+|<!--.*?-->|<\?.*?\?>)*+<!DOCTYPE", re.DOTALL)
_EMPTY_ELEMENT = re.compile(rb"<(?:[^<>\"']|\"[^\"]*\"|'[^']*')*/>")
_SEPARATOR = " "


def parse(data: bytes) -> Node:
    """Return the root element; raise MalformedInput for what is not plain, safe XML.

    Elements and attributes are counted before the tree is made, by the signs that each must have.
    """
    if len(data) > MAX_NODES and _nodes(data) > MAX_NODES:
        raise MalformedInput(f"it holds more than {MAX_NODES} elements and attributes")
    _refuse_unsafe(data)
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
        encoding="utf-8",
    )
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        if getattr(error, "code", 0) == etree.ErrorTypes.ERR_NO_MEMORY:
            raise MemoryError from error
        line, _ = error.position
        reason = (error.msg or "not well-formed").partition(",")[0].strip()
        raise MalformedInput(f"not valid XML, {reason}", f"line {line}") from error
    if root.getroottree().docinfo.internalDTD is not None:
        raise MalformedInput("a document type declaration is not allowed")
    return root


def narratives(data: bytes, root: Node) -> dict[Node, str]:
    """Return each outermost XHTML element of a document with its text just as it was written.

    A tree does not remember quotes, entities and line ends; FHIR's JSON carries the text itself.
    """
    data = data.removeprefix(_BYTE_ORDER_MARK)
    inside = "{" + XHTML + "}*"
    found = deadline.paced(root.iter(inside))
    nodes = [one for one in found if next(one.iterancestors(inside), None) is None]
    if not nodes:
        return {}
    try:
        texts = [data[start:end].decode("utf-8") for start, end in _spans(data)]
        return dict(zip(nodes, texts, strict=True))
    except (expat.ExpatError, ValueError) as error:
        # The two parsers agree on all that is well-formed; where they do not, nothing is safe.
        raise MalformedInput("the narrative cannot be read") from error


def stands_alone(narrative: str) -> bool:
    """Tell whether a narrative is a `div` that needs nothing that was declared outside of it."""
    names: list[str] = []
    parser = expat.ParserCreate(encoding="utf-8", namespace_separator=_SEPARATOR)

    def first(name: str, _attributes: dict[str, str]) -> None:
        names.append(name)
        parser.StartElementHandler = None

    parser.StartElementHandler = first
    try:
        parser.Parse(narrative.encode(), True)
    except expat.ExpatError:
        return False
    return names == [XHTML + _SEPARATOR + "div"] and narrative.startswith("<div")


def _nodes(data: bytes) -> int:
    return data.count(b"<") - data.count(b"</") + data.count(b"=")


def _spans(data: bytes) -> list[tuple[int, int]]:
    parser = expat.ParserCreate(encoding="utf-8", namespace_separator=_SEPARATOR)
    spans: list[tuple[int, int]] = []
    depth = 0

    def start(name: str, _attributes: dict[str, str]) -> None:
        nonlocal depth
        if depth:
            depth += 1
        elif name.startswith(XHTML + _SEPARATOR):
            depth = 1
            spans.append((parser.CurrentByteIndex, -1))

    def end(_name: str) -> None:
        nonlocal depth
        if depth:
            depth -= 1
            if not depth:
                begin, _ = spans[-1]
                spans[-1] = (begin, _end_of_element(data, begin, parser.CurrentByteIndex))

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.Parse(data, True)
    return spans


def _end_of_element(data: bytes, begin: int, index: int) -> int:
    """Return where an element ends: `index` is at its end tag, or past an empty element."""
    if _EMPTY_ELEMENT.fullmatch(data, begin, index):
        return index
    return data.index(b">", index) + 1


def _refuse_unsafe(data: bytes) -> None:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise MalformedInput("the text is not valid UTF-8") from error
    plain = data.removeprefix(_BYTE_ORDER_MARK)
    declared = _DECLARATION.match(plain)
    if declared and declared[1].lower() not in (b"utf-8", b"utf8"):
        raise MalformedInput("FHIR XML is always in UTF-8, the declaration names another encoding")
    if _DOCUMENT_TYPE.match(plain):
        raise MalformedInput("a document type declaration is not allowed")
