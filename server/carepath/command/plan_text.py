"""A CarePlan as text for a terminal, made from its narrative.

https://hl7.org/fhir/R4/narrative.html

The narrative is what a clinician reads, so the terminal shows exactly that and nothing else.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from lxml import etree

_HEADINGS = {"h1", "h2", "h3", "h4"}
_TABLES = {"table", "tbody", "thead", "tr"}
_BLOCKS = {"p", "div", "li", "ul", "ol", "dl", "dt", "dd", *_TABLES, *_HEADINGS}
_PARSER = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False)


def care_plan_text(care_plan: Mapping[str, Any]) -> str:
    """Return the narrative of a resource as indented lines, or a sentence when it has none.

    An OperationOutcome without a narrative gives one line for each issue.
    """
    div = (care_plan.get("text") or {}).get("div")
    if div:
        root = etree.fromstring(div.encode(), _PARSER)
        return "\n".join(_lines(root, 0)).strip("\n")
    issues = care_plan.get("issue") or []
    lines = [f"{issue['severity']}: {issue.get('diagnostics', issue['code'])}" for issue in issues]
    return "\n".join(lines) or f"This {care_plan.get('resourceType')} has no narrative."


def _lines(element: etree._Element, depth: int, mark: str = "-") -> Iterator[str]:
    """Yield the lines of a block: its own text first, then its blocks, lists indented."""
    name = etree.QName(element).localname
    own = _inline(element)
    if own:
        yield from _own_lines(name, own, depth, mark)
    inside = depth + 1 if name in ("li", "dd") else depth
    number = 0
    for child in element:
        if isinstance(child.tag, str) and etree.QName(child).localname in _BLOCKS:
            number += 1
            mark = f"{number}." if name == "ol" else "-"
            yield from _lines(child, inside, mark)


def _own_lines(name: str, text: str, depth: int, mark: str) -> Iterator[str]:
    """Yield a heading with a line under it, a list item with a dash, or the text itself."""
    indent = "  " * depth
    if name in _HEADINGS:
        yield ""
        yield indent + text
        if name in ("h1", "h2"):
            yield indent + "-" * len(text)
    elif name == "li":
        yield f"{indent}{mark} {text}"
    else:
        yield indent + text


def _inline(element: etree._Element) -> str:
    """Return the text of an element without the text of the blocks in it."""
    parts = [element.text or ""]
    for child in element:
        if isinstance(child.tag, str):
            name = etree.QName(child).localname
            if name in ("td", "th"):
                parts.append(_inline(child) + " | ")
            elif name == "sup":
                parts.append(f" ({_inline(child)})")
            elif name == "br":
                parts.append(" ")
            elif name not in _BLOCKS:
                parts.append(_inline(child))
        parts.append(child.tail or "")
    return " ".join("".join(parts).split()).removesuffix(" |")
