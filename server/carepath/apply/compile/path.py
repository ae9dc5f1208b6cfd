"""The path of a dynamicValue: which element of the result is to be set.

https://hl7.org/fhir/R4/fhirpath.html#simple

Names, `[n]`, `extension('url')`, `ofType(T)`, choice elements written either way, `$this` for the
whole, `%action.` for the RequestGroup action.  A path is checked against the element tables when
the plan is compiled, so that a wrong one is an issue and never a stray property.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from carepath.errors import ContentError
from carepath.r4.model import Element, type_of

_TOKEN = re.compile(
    r"""\.?(?:
      (?P<extension>extension\(\s*(?:'(?P<url>[^']*)'|"(?P<url2>[^"]*)")\s*\))
    | (?P<of_type>(?:ofType|as)\(\s*(?:FHIR\.)?(?P<type>\w+)\s*\))
    | (?P<resolve>resolve\(\s*\))
    | (?:`(?P<quoted>[^`]+)`|(?P<name>[A-Za-z_]\w*))(?P<choice>\[x\])?
    | \[(?P<index>\d+)\]
    )""",
    re.VERBOSE,
)
_OURS = {
    False: frozenset({"id", "contained", "text"}),
    True: frozenset({"id", "resource", "action", "actionId"}),
}
"""What binds a result to the rest of the answer, of a request and of an action: set by us alone."""
_MOST_DIGITS = 9
_ACTION = re.compile(r"%?action\.")


@dataclass(eq=False)
class UnknownPath(ContentError):
    """A dynamicValue path that means no element of its target."""

    path: str
    reason: str

    def __str__(self) -> str:
        return f"The path `{self.path}` cannot be set: {self.reason}."


class Place(NamedTuple):
    """One element on the way: its property, the typed forms it may take, and which item of a list.

    `name` is the JSON property, empty for a choice whose type only the value decides;
    `item` counts in a list, `url` chooses an extension.
    """

    name: str
    elements: tuple[Element, ...]
    item: int | None = None
    url: str = ""

    @property
    def is_list(self) -> bool:
        """Tell whether the element repeats."""
        return self.elements[0].is_list


@dataclass(frozen=True, slots=True)
class Path:
    """A compiled path; without places it means the whole target."""

    text: str
    of_action: bool
    places: tuple[Place, ...]


def compile_path(text: str, resource_type: str) -> Path:
    """Compile a path on a request of a type (empty: there is only the action).

    Raises UnknownPath with the reason.
    """
    rest = text.strip()
    root = type_of(resource_type) if resource_type else None
    has_action = root is not None and "action" in root.elements
    named = _ACTION.match(rest)
    of_action = bool(named) and (rest.startswith("%") or not has_action)
    if of_action and named:
        rest = rest[named.end() :]
    of_action = of_action or root is None
    start = "RequestGroup.action" if of_action else resource_type
    if not rest:
        raise UnknownPath(text, "there is no path")
    if rest in ("$this", "/"):
        return Path(text, of_action, ())
    rest = rest.removeprefix("$this.").removeprefix("%resource.")
    head, _, tail = rest.partition(".")
    if tail and head.lower() == start.partition(".")[0].lower() and not _is_element(start, head):
        rest = tail
    places = tuple(_places(text, rest, start))
    for place in (places[0], *(p for p in places if p.name == "actionId")):
        if place.name in _OURS[of_action]:
            raise UnknownPath(text, f"`{place.name}` is made by the operation itself")
    return Path(text, of_action, places)


def modifier_path(text: str, resource_type: str, url: str, value: str) -> Path:
    """Return the path of the value of a modifier extension at the top of a request."""
    top = type_of(resource_type)
    extension = type_of("Extension")
    if top is None or extension is None:
        raise UnknownPath(text, f"`{resource_type}` is no type of FHIR R4")
    outer = Place("modifierExtension", (top.elements["modifierExtension"],), url=url)
    return Path(text, False, (outer, Place(value, (extension.elements[value],))))


def _is_element(type_name: str, name: str) -> bool:
    found = type_of(type_name)
    return found is not None and name in found.elements


class _Token(NamedTuple):
    kind: str
    text: str


def _tokens(path: str, text: str) -> list[_Token]:
    """Split a path; raises UnknownPath at what does not belong to the subset."""
    tokens: list[_Token] = []
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise UnknownPath(path, f"`{text[position:]}` is not part of a simple path")
        if match["extension"]:
            tokens.append(_Token("extension", match["url"] or match["url2"] or ""))
        elif match["of_type"]:
            tokens.append(_Token("type", match["type"]))
        elif match["resolve"]:
            raise UnknownPath(path, "what a reference leads to is not part of the result")
        elif match["index"] is not None:
            tokens.append(_Token("index", match["index"]))
        else:
            tokens.append(_Token("name", match["quoted"] or match["name"]))
        position = match.end()
    return tokens


def _places(path: str, text: str, type_name: str) -> Iterator[Place]:
    """Yield the places of a path, each looked up in the type that the one before leads to."""
    tokens = _tokens(path, text)
    position = 0
    while position < len(tokens):
        kind, word = tokens[position]
        position += 1
        if kind == "extension":
            place = Place("extension", _elements(path, type_name, "extension"), url=word)
        elif kind == "name":
            place = _named(path, type_name, word)
        else:
            raise UnknownPath(path, f"`{word}` must stand behind the name of an element")
        while position < len(tokens) and tokens[position].kind in ("type", "index"):
            place = _narrowed(path, place, tokens[position])
            position += 1
        if position < len(tokens):
            place = _leading_on(path, place, tokens[position])
        yield place
        type_name = place.elements[0].type


def _named(path: str, type_name: str, name: str) -> Place:
    """Return the place that a name means in a type: an element, or a choice of several."""
    elements = _elements(path, type_name, name)
    return Place(elements[0].name if len(elements) == 1 else "", elements)


def _elements(path: str, type_name: str, name: str) -> tuple[Element, ...]:
    """Return the typed elements that a name stands for; raises UnknownPath when there are none."""
    found = type_of(type_name)
    if found is not None:
        if name in found.elements:
            return (found.elements[name],)
        if name in found.choices:
            return found.choices[name]
    raise UnknownPath(path, f"{type_name} has no element `{name}`")


def _narrowed(path: str, place: Place, token: _Token) -> Place:
    """Return the place with its type or its index chosen."""
    if token.kind == "index":
        if len(token.text) > _MOST_DIGITS:
            raise UnknownPath(path, f"an index has at most {_MOST_DIGITS} digits")
        if not place.is_list and int(token.text) > 0:
            raise UnknownPath(path, f"`{place.elements[0].name}` does not repeat")
        return place._replace(item=int(token.text))
    elements = tuple(e for e in place.elements if e.type == token.text)
    if not elements:
        raise UnknownPath(path, f"`{place.elements[0].path}` is never a {token.text}")
    return place._replace(elements=elements, name=elements[0].name)


def _leading_on(path: str, place: Place, following: _Token) -> Place:
    """Return the place as one that has what follows: a choice takes the first type that does."""
    name = following.text if following.kind == "name" else "extension"
    for element in place.elements:
        found = type_of(element.type)
        if found is None:
            continue
        if found.kind == "primitive" and name != "extension":
            continue
        if name in found.elements or name in found.choices or found.kind == "primitive":
            return place._replace(elements=(element,), name=element.name)
    raise UnknownPath(path, f"`{place.elements[0].path}` has no element `{name}`")
