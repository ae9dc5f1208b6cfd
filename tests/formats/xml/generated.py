"""Resources made from the element tables: any type, any element, values that are hard to carry."""

from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from carepath.r4.model import RESOURCE_TYPES, Element, Type, type_of

XHTML = "http://www.w3.org/1999/xhtml"
DEEPEST = 4

CHARACTERS = st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff")
HARD_TEXT = (
    "a\nb",
    "\ttab",
    "cr\r",
    " ends ",
    "\u0085\u2028",
    "<&>\"'",
    "]]>",
    "😀",
    "&amp;",
    "\u00a0",
)
TEXT = st.text(CHARACTERS, min_size=1, max_size=8) | st.sampled_from(HARD_TEXT)
DECIMALS = st.decimals(allow_nan=False, allow_infinity=False, places=None).filter(
    lambda value: abs(value.adjusted()) < 900 and len(str(value)) < 90
) | st.sampled_from(
    [Decimal(text) for text in ("1.50", "1E-22", "0.00", "-0.0", "123456789012345678.0", "1E+2")]
)
DIVS = st.sampled_from(
    [
        f'<div xmlns="{XHTML}">a</div>',
        f"<div xmlns='{XHTML}' xml:lang='de'>\n <p>a &lt; b &#160;<br/></p>\t</div>",
        f'<div xmlns="{XHTML}"><![CDATA[<script>]]><!-- a > b --></div>',
        f'<div xmlns="{XHTML}"/>',
        f'<div xmlns="{XHTML}"><div><p title="x > \'y\' />">😀\r\n</p></div></div >',
        f'<div xmlns="{XHTML}" xmlns:x="urn:x"><x:p x:a="1"/></div>',
    ]
)
SCALARS: dict[str, st.SearchStrategy[Any]] = {
    "boolean": st.booleans(),
    "decimal": DECIMALS | st.integers(-(10**20), 10**20),
    "integer": st.integers(-(2**31), 2**31 - 1),
    "positiveInt": st.integers(1, 2**31 - 1),
    "unsignedInt": st.integers(0, 2**31 - 1),
    "xhtml": DIVS,
}


def resources(depth: int = 0) -> st.SearchStrategy[dict[str, Any]]:
    """Return a strategy for resources of any type."""
    return st.sampled_from(sorted(RESOURCE_TYPES)).flatmap(lambda name: _resource(name, depth))


@st.composite
def _resource(draw: st.DrawFn, name: str, depth: int) -> dict[str, Any]:
    return {"resourceType": name, **draw(_members(_type(name), depth))}


@st.composite
def _members(draw: st.DrawFn, owner: Type, depth: int) -> dict[str, Any]:
    """Draw some elements of a type; below the deepest level only those with a simple value."""
    wanted = [
        element
        for element in owner.elements.values()
        if depth < DEEPEST or _type(element.type).kind == "primitive"
    ]
    found: dict[str, Any] = {}
    for element in draw(st.lists(st.sampled_from(wanted), max_size=3, unique=True)):
        found |= draw(_property(element, depth))
    return found


@st.composite
def _property(draw: st.DrawFn, element: Element, depth: int) -> dict[str, Any]:
    places = draw(st.integers(1, 3)) if element.is_list else 1
    if _type(element.type).kind != "primitive" or element.type == "xhtml" or element.xml_attribute:
        values = [draw(_value(element, depth)) for _ in range(places)]
        return {element.name: values if element.is_list else values[0]}
    pairs = [draw(_pair(element, depth)) for _ in range(places)]
    halves = {element.name: [a for a, _ in pairs], "_" + element.name: [b for _, b in pairs]}
    return {
        name: half if element.is_list else half[0]
        for name, half in halves.items()
        if any(one is not None for one in half)
    }


@st.composite
def _pair(draw: st.DrawFn, element: Element, depth: int) -> tuple[Any, Any]:
    """Draw a primitive's value, its id and extensions, or both."""
    kind = draw(st.integers(0, 3))
    value = None if kind == 1 else draw(_value(element, depth))
    inside = draw(_members(_type("Element"), depth + 1)) if kind in (1, 2) else None
    return value, (inside or {"id": "i"}) if kind in (1, 2) else None


def _value(element: Element, depth: int) -> st.SearchStrategy[Any]:
    if element.type == "Resource":
        return resources(depth + 1)
    found = _type(element.type)
    if found.kind == "primitive":
        return SCALARS.get(element.type, TEXT)
    return _members(found, depth + 1)


def _type(name: str) -> Type:
    found = type_of(name)
    assert found is not None
    return found
