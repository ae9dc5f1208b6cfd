"""Regular expressions of the primitive types, for JSON Schema.

https://hl7.org/fhir/R4/datatypes.html#primitive

They say more than the published ones where the text does (dates that exist, base64 that can be
decoded) and use ASCII classes, because engines disagree on whether `\\s` holds the no-break space.
No look-around: every engine that runs in linear time can use them.
"""

from carepath.r4.model import RESOURCE_TYPES

_YEAR = r"(?:[0-9](?:[0-9](?:[0-9][1-9]|[1-9]0)|[1-9]00)|[1-9]000)"
_LEAP = r"(?:0[48]|[2468][048]|[13579][26])"
_LEAP_YEAR = rf"(?:[0-9][0-9]{_LEAP}|{_LEAP}00)"
_MONTH = r"(?:0[1-9]|1[0-2])"
_MONTH_DAY = (
    r"(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])"
    r"|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)"
    r"|02-(?:0[1-9]|1[0-9]|2[0-8]))"
)
_DAY = rf"(?:{_YEAR}-{_MONTH_DAY}|{_LEAP_YEAR}-02-29)"
_TIME = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]:(?:[0-5][0-9]|60)(?:\.[0-9]+)?"
_ZONE = r"(?:Z|[+-](?:(?:0[0-9]|1[0-3]):[0-5][0-9]|14:00))"
_UUID = r"urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_OID = r"urn:oid:[0-2](?:\.(?:0|[1-9][0-9]*))+"
_URI = r"^[^\x00-\x20]+$"
_TEXT = r"^[^\x00-\x08\x0B\x0C\x0E-\x1F]+$"
_ID = r"[A-Za-z0-9\-.]{1,64}"
_BASE64 = r"[A-Za-z0-9+/]\s*"

PRIMITIVES = {
    "base64Binary": (
        rf"^\s*(?:(?:{_BASE64}){{4}})*"
        rf"(?:(?:{_BASE64}){{4}}|(?:{_BASE64}){{3}}=\s*|(?:{_BASE64}){{2}}=\s*=\s*)$"
    ),
    "canonical": _URI,
    "code": r"^[^\x00-\x20]+(?: [^\x00-\x20]+)*$",
    "date": rf"^(?:{_YEAR}(?:-{_MONTH})?|{_DAY})$",
    "dateTime": rf"^(?:{_YEAR}(?:-{_MONTH})?|{_DAY}(?:T{_TIME}{_ZONE})?)$",
    "id": rf"^{_ID}$",
    "instant": rf"^{_DAY}T{_TIME}{_ZONE}$",
    "markdown": _TEXT,
    "oid": rf"^{_OID}$",
    "string": _TEXT,
    "time": rf"^{_TIME}$",
    "uri": _URI,
    "url": _URI,
    "uuid": rf"^{_UUID}$",
}

URN = r"^urn:(?:uuid|oid):"
"""A URI that starts so must be a whole UUID or OID: `WHOLE_URN`; upper case is tolerated."""
WHOLE_URN = rf"^(?:{_UUID.replace('a-f', 'a-fA-F')}|{_OID})$"

CODES = {"http://hl7.org/fhir/ValueSet/currencies": r"^[A-Z]{3}$"}
"""The form of the codes of required value sets that the definitions do not enumerate."""

_ANY_TYPE = "|".join(sorted(RESOURCE_TYPES))
_VERSION = rf"(?:/_history/{_ID})?"
REFERENCE = (
    rf"^(?:#(?:{_ID})?|[A-Za-z][A-Za-z0-9+.\-]*:[^\x00-\x20]+"
    rf"|(?:{_ANY_TYPE})/{_ID}{_VERSION}|(?:{_ANY_TYPE})\?[^\x00-\x20]+)$"
)
"""Contained, absolute, relative, or conditional as transactions allow."""


def typed_reference(types: tuple[str, ...] = ()) -> str:
    """Match a reference that tells its type, when that is one of `types` (any when empty)."""
    names = "|".join(types) or _ANY_TYPE
    return rf"(?:^|/)(?:{names})(?:/{_ID}{_VERSION}$|\?)"


_ELEMENTS = (
    "abbr|acronym|a|big|blockquote|br|b|caption|cite|code|colgroup|col|dd|dfn|div|dl|dt|em"
    "|h[1-6]|hr|img|i|li|ol|pre|p|q|samp|small|span|strong|sub|sup|table|tbody|td|tfoot|thead|th"
    "|tr|tt|ul|var"
)
_PLAIN_ATTRIBUTES = (
    "abbr|accesskey|align|alt|axis|bgcolor|border|cellhalign|cellpadding|cellspacing|cellvalign"
    "|charoff|charset|char|class|colspan|compact|coords|dir|frame|headers|height|hreflang|hspace"
    "|id|lang|name|nowrap|rel|rev|rowspan|rules|scope|shape|span|start|summary|tabindex|title"
    "|type|valign|value|vspace|width|style|xml:lang|xml:space"
)
_LINK_ATTRIBUTES = "cite|href|longdesc|src"
_QUOTED = r"""(?:"[^"<]*"|'[^'<]*')"""
_TARGET = (
    r"\s*(?:(?:https?|mailto|tel|ftp|urn|cid):[^Q<]*|data:image/(?:png|gif|jpe?g|webp|bmp)[;,][^Q<]*"
    r"|[^:Q<&]*(?:[/?#][^Q<]*)?)"
)
_LINK = rf"""(?:"{_TARGET.replace("Q", '"')}"|'{_TARGET.replace("Q", "'")}')"""
_NAMESPACE = (
    r"""xmlns\s*=\s*(?:"http://www\.w3\.org/1999/xhtml"|'http://www\.w3\.org/1999/xhtml')"""
)
_ATTRIBUTE = (
    rf"(?:(?:{_PLAIN_ATTRIBUTES})\s*=\s*{_QUOTED}|(?:{_LINK_ATTRIBUTES})\s*=\s*{_LINK}"
    rf"|{_NAMESPACE})"
)
_ATTRIBUTE_LIST = rf"(?:\s+{_ATTRIBUTE})*\s*"
_COMMENT = "<!--(?:-->|(?:[^->]|-[^->])(?:[^-]|-[^-])*-->)"
"""Not `<!-->` or `<!--->`, which end a comment in HTML: what follows would come alive there."""
XHTML = (
    rf"^\s*<div{_ATTRIBUTE_LIST}(?:/>|>"
    rf"(?:[^<]|<(?:{_ELEMENTS}){_ATTRIBUTE_LIST}/?>|</(?:{_ELEMENTS})\s*>"
    rf"|{_COMMENT})*</div\s*>)\s*$"
)
"""Only the allowed elements and attributes; that tags match is left to the format `xhtml`."""
XHTML_NAMESPACE = rf"^\s*<div\b[^>]*\s{_NAMESPACE}"
XHTML_CONTENT = r">\s*[^<\s]|<img\s"
"""Narrative with some content: text that is not white space, or an image (txt-2)."""


def _any_case(text: str) -> str:
    """Match text in upper or lower case, without a flag that not every engine knows."""
    return "".join(f"[{c.lower()}{c.upper()}]" if c.isalpha() else f"\\{c}" for c in text)


_ACTIVE = "|".join(_any_case(text) for text in ("javascript:", "@import", "behavior:"))
_RUNS = rf"(?:{_ACTIVE}|&#|{_any_case('expression')}\s*\()"
XHTML_ACTIVE_STYLE = rf"""style\s*=\s*(?:"[^"]*{_RUNS}|'[^']*{_RUNS})"""
"""A style that runs something or could hide it behind character references; tags and attributes
that do are refused by their names."""
