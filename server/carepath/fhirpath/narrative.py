"""Whether a narrative holds only what FHIR allows in it.

https://hl7.org/fhir/R4/narrative.html#rules
"""

import re
from html.parser import HTMLParser

_ELEMENTS = frozenset(
    [
        "a",
        "abbr",
        "acronym",
        "b",
        "big",
        "blockquote",
        "br",
        "caption",
        "cite",
        "code",
        "col",
        "colgroup",
        "dd",
        "dfn",
        "div",
        "dl",
        "dt",
        "em",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "hr",
        "i",
        "img",
        "li",
        "ol",
        "p",
        "pre",
        "q",
        "samp",
        "small",
        "span",
        "strong",
        "sub",
        "sup",
        "table",
        "tbody",
        "td",
        "tfoot",
        "th",
        "thead",
        "tr",
        "tt",
        "ul",
        "var",
    ]
)
_ATTRIBUTES = frozenset(
    [
        "abbr",
        "accesskey",
        "align",
        "alt",
        "axis",
        "bgcolor",
        "border",
        "cellhalign",
        "cellpadding",
        "cellspacing",
        "cellvalign",
        "char",
        "charoff",
        "charset",
        "cite",
        "class",
        "colspan",
        "compact",
        "coords",
        "dir",
        "frame",
        "headers",
        "height",
        "href",
        "hreflang",
        "hspace",
        "id",
        "lang",
        "longdesc",
        "name",
        "nowrap",
        "rel",
        "rev",
        "rowspan",
        "rules",
        "scope",
        "shape",
        "span",
        "src",
        "start",
        "style",
        "summary",
        "tabindex",
        "title",
        "type",
        "valign",
        "value",
        "vspace",
        "width",
        "xml:lang",
        "xmlns",
    ]
)
_EMPTY = frozenset({"br", "col", "hr", "img"})
_SAFE_LINK = re.compile(r"(https?:|mailto:|data:image/|urn:|#|[^:]*$)", re.IGNORECASE)


class _Reader(HTMLParser):
    """Reads once and remembers whether anything was not allowed, and whether there is content."""

    def __init__(self, *, is_whole: bool) -> None:
        super().__init__(convert_charrefs=True)
        self.is_whole = is_whole
        self.allowed = True
        self.content = False
        self.open: list[str] = []
        self.first = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.first = self.first or tag
        if tag not in _ELEMENTS or not all(_is_allowed(name, value) for name, value in attrs):
            self.allowed = False
        if tag == "img":
            self.content = True
        if tag not in _EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in _EMPTY:
            return
        if not self.open or self.open.pop() != tag:
            self.allowed = False

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.content = True
            self.allowed &= bool(self.open) or not self.is_whole

    def handle_decl(self, decl: str) -> None:
        self.allowed = False

    def handle_pi(self, data: str) -> None:
        self.allowed = False


def _is_allowed(name: str, value: str | None) -> bool:
    if name in ("href", "src"):
        return bool(_SAFE_LINK.match((value or "").strip()))
    return name in _ATTRIBUTES


def is_safe_narrative(text: str) -> bool:
    """Tell whether a text is one `div` of allowed elements with some content."""
    reader = _read(text, is_whole=True)
    return reader.allowed and reader.content and not reader.open and reader.first == "div"


def is_safe_html(text: str) -> bool:
    """Tell whether a text, which need be no `div`, holds only what a narrative may hold."""
    reader = _read(text, is_whole=False)
    return reader.allowed and not reader.open


def _read(text: str, *, is_whole: bool) -> _Reader:
    reader = _Reader(is_whole=is_whole)
    reader.feed(text)
    reader.close()
    return reader
