"""Narrative: XHTML that is well-formed; what may stand in it is said by the schema's patterns.

https://hl7.org/fhir/R4/narrative.html
"""

import re
from xml.parsers import expat

_LONGEST_EXPLAINED = 1024 * 1024
_ENTITY = re.compile(r"&(?!(?:amp|lt|gt|quot|apos|#[0-9]+|#x[0-9A-Fa-f]+);)")
_ACTIVE = re.compile(
    r"<\s*(?:script|iframe|frame|object|embed|form|input|link|base|meta|svg)\b"
    r"|\son[a-z]+\s*=|javascript\s*:|vbscript\s*:",
    re.IGNORECASE,
)


def is_well_formed(xhtml: str) -> bool:
    """Tell whether the text is one well-formed element without document type or entities."""
    if "<!DOCTYPE" in xhtml or "<?" in xhtml:
        return False
    parser = expat.ParserCreate()
    try:
        parser.Parse(xhtml, True)
    except (expat.ExpatError, ValueError):
        return False
    return True


def is_active(xhtml: str) -> bool:
    """Tell whether the text holds something that a browser would run or load as a page."""
    return bool(_ACTIVE.search(xhtml))


def narrative_fault(xhtml: str) -> str:
    """Say in a few words what is wrong with a narrative that the schema refused."""
    if len(xhtml) > _LONGEST_EXPLAINED:
        return "is not a valid narrative"
    if is_active(xhtml):
        return "holds active content (script, form, frame or event attribute)"
    if _ENTITY.search(xhtml):
        return "uses an entity that XML does not define, such as `&nbsp;`"
    if not is_well_formed(xhtml):
        return "is not well-formed XML"
    if "http://www.w3.org/1999/xhtml" not in xhtml:
        return "is not a `div` in the XHTML namespace"
    if not re.search(r">\s*[^<\s]|<img\s", xhtml):
        return "has no content"
    return "uses an element, attribute or link that narratives may not have"
