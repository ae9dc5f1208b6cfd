"""Cutting what is large into pieces, so that listing its faults stays cheap.

The library makes all errors of a call at once, each with a copy of what is wrong: a few megabytes
of faults would cost seconds and gigabytes.  A Bundle is therefore looked at by its entries and a
Parameters by its parameters; any other resource that is large and invalid only in part.

    Bundle            -> the shell, without `entry`
      entry 0, 1, 2   -> one piece, a shell with these entries
      entry 3, large  -> the pieces of its resource, if that is a Bundle or Parameters, and what is
                         around it; else the entry with its arrays cut
      entry 4, 5      -> one piece
"""

from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

from carepath import deadline
from carepath.r4.model import type_names, type_of
from carepath.validation.structure.text import text_of

MOST_NODES = 20_000
"""Values in one piece; a resource of 20 kB has about 500."""

_MOST_PROPERTIES = 1_000
"""No type has as many; of an object that has more, only names that R4 knows are kept."""

_DEEPEST = 200
"""Below this depth nothing is cut; what is decoded from bytes never gets there."""

_PARTS = {"Bundle": "entry", "Parameters": "parameter"}
_SHELLS = {
    "Bundle": {"resourceType": "Bundle", "type": "collection"},
    "Parameters": {"resourceType": "Parameters"},
}

Path = tuple[str | int, ...]


class Piece(NamedTuple):
    """A part of a resource that can be checked on its own, and how its paths go on in the whole."""

    value: dict[str, Any]
    path: Path = ()
    """Where the piece stands in the whole."""
    list_name: str = ""
    start: int = 0
    """The items of `list_name` are those of the whole from this one on."""
    is_whole: bool = True
    """False when some of it was left out."""

    @property
    def place(self) -> Path:
        """Return the path of what the piece is, in the whole resource."""
        return self.in_whole([self.list_name, 0] if self.list_name else [])

    def in_whole(self, path: list[str | int]) -> Path:
        """Return the path in the whole resource for a path in the piece."""
        if len(path) > 1 and path[0] == self.list_name and isinstance(path[1], int):
            path = [path[0], path[1] + self.start, *path[2:]]
        return (*self.path, *path)


def pieces(resource: dict[str, Any], path: Path = ()) -> Iterator[Piece]:
    """Yield the resource itself when it is of a usual size, else its pieces."""
    if _is_short(resource) or _nodes(resource) < MOST_NODES:
        yield Piece(resource, path)
        return
    name = _kind(resource)
    items = resource.get(_PARTS[name]) if name else None
    if not isinstance(items, list):
        yield Piece(_beginning(resource, MOST_NODES)[0], path, is_whole=False)
        return
    shell = {key: value for key, value in resource.items() if key != _PARTS[name]}
    yield from pieces(shell, path)
    yield from _runs(items, name, path)


def _runs(items: list[Any], name: str, path: Path) -> Iterator[Piece]:
    """Yield runs of items that are small enough together, and large items on their own."""
    list_name, shell = _PARTS[name], _SHELLS[name]
    run: list[Any] = []
    size = 0
    for index, item in enumerate(deadline.paced(items)):
        nodes = _nodes(item)
        if run and size + nodes > MOST_NODES:
            yield Piece({**shell, list_name: run}, path, list_name, index - len(run))
            run, size = [], 0
        if nodes < MOST_NODES:
            run.append(item)
            size += nodes
        else:
            yield from _large(item, name, index, path)
    if run:
        yield Piece({**shell, list_name: run}, path, list_name, len(items) - len(run))


def _large(item: Any, name: str, index: int, path: Path) -> Iterator[Piece]:
    """Yield the pieces of one large item: of the resource in it, and of what is around that."""
    list_name, shell = _PARTS[name], _SHELLS[name]
    inner = item.get("resource") if isinstance(item, dict) else None
    if isinstance(inner, dict) and _kind(inner):
        around = {**item, "resource": {"resourceType": "Parameters"}}
        yield from pieces(inner, (*path, list_name, index, "resource"))
        yield Piece({**shell, list_name: [around]}, path, list_name, index)
        return
    value = {**shell, list_name: [_beginning(item, MOST_NODES)[0]]}
    yield Piece(value, path, list_name, index, is_whole=False)


def _kind(value: Any) -> str:
    """Return the type of a resource that is made of parts, else an empty string."""
    name = value.get("resourceType") if isinstance(value, dict) else None
    return name if isinstance(name, str) and name in _PARTS else ""


def _is_short(resource: dict[str, Any]) -> bool:
    """Tell quickly whether a resource is of a usual size: a value takes two bytes at least."""
    text = text_of(resource)
    return text is not None and len(text) // 2 < MOST_NODES


def _nodes(value: Any) -> int:
    """Count the values in a value, as far as it matters."""
    count, stack = 0, [value]
    while stack and count < MOST_NODES:
        one = stack.pop()
        count += 1
        if isinstance(one, dict):
            stack += one.values()
        elif isinstance(one, list):
            stack += one[:MOST_NODES]
    return count


def _beginning(value: Any, left: int, depth: int = 0) -> tuple[Any, int]:
    """Return the value with arrays cut, after one item at least, once `left` values are used up.

    Of an object with a thousand properties and more those are left out that no type has.
    Beside it stands how many are left for what comes after it.
    """
    left -= 1
    if depth > _DEEPEST or not isinstance(value, (dict, list)):
        return value, left
    if isinstance(value, dict):
        cut: dict[str, Any] = {}
        for key, inner in _properties(value):
            cut[key], left = _beginning(inner, left, depth + 1)
        return cut, left
    kept: list[Any] = []
    for item in value:
        if kept and left <= 0:
            break
        first, left = _beginning(item, left, depth + 1)
        kept.append(first)
    return kept, left


def _properties(value: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield the properties of an object: the first thousand, then those whose names are known."""
    for place, (name, inner) in enumerate(deadline.paced(value.items())):
        if place < _MOST_PROPERTIES or name.removeprefix("_") in _element_names():
            yield name, inner


@cache
def _element_names() -> frozenset[str]:
    """Return the names that an element has in any type of R4, and what names the type itself."""
    types = map(type_of, type_names())
    return frozenset(("resourceType", *(name for t in types if t for name in t.elements)))
