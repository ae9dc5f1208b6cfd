"""Comments of a YAML text, each by the element that it is about.

https://yaml.org/spec/1.2.2/#66-comments
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Path = tuple[str | int, ...]

_BESIDE = re.compile(r"[\s:,\]}]*(?:[&!]\S+)?\s(#.*)$")
_OF_BLOCK = re.compile(r"[|>][-+0-9]*\s+(#.*)$")
_OF_DASH = re.compile(r"[\s-]*(?:[&!]\S+)?\s(#.*)$")


@dataclass(frozen=True)
class Comments:
    """Comments by the path of their element: whole lines before it, and the one beside it.

    A step in a list is the id of the item, or its number where it has none: an item that moves
    takes its comments along.  Those after the last element are before `()`.
    """

    before: Mapping[Path, Sequence[str]] = field(default_factory=dict)
    beside: Mapping[Path, str] = field(default_factory=dict)


@dataclass
class Places:
    """Where the elements of a text stand, noted while it is read; lines count from zero."""

    starts: dict[int, Path] = field(default_factory=dict)
    """The first element that begins in a line, which holds the others."""
    last: dict[int, Path] = field(default_factory=dict)
    """The last one that does."""
    ends: dict[int, int] = field(default_factory=dict)
    """Where in a line the last token ends."""
    inside: set[int] = field(default_factory=set)
    """Lines of texts that go over several lines, but for the first."""
    blocks: dict[int, int] = field(default_factory=dict)
    """Where in a line a block text begins."""

    def start(self, line: int, path: Path) -> None:
        """Note that an element begins."""
        self.starts.setdefault(line, path)
        self.last[line] = path

    def token(self, start: Any, end: Any, *, is_block: bool = False) -> None:
        """Note a token from one mark to another; what is not written stands nowhere."""
        if (start.line, start.column) == (end.line, end.column):
            return
        if is_block:
            self.blocks[start.line] = start.column
            last = end.line if end.column else end.line - 1
            self.inside.update(range(start.line + 1, last + 1))
            return
        self.inside.update(range(start.line + 1, end.line + 1))
        self.ends[end.line] = max(end.column, self.ends.get(end.line, 0))


def comments_of(text: str, value: Any, places: Places) -> Comments:
    """Return the comments of a text that has been read."""
    before: dict[Path, Sequence[str]] = {}
    beside: dict[Path, str] = {}
    waiting: list[str] = []
    for number, line in enumerate(text.splitlines()):
        at = places.starts.get(number)
        if number not in places.inside and line.lstrip().startswith("#"):
            waiting.append(line.strip())
            continue
        said = _said_beside(line, number, places)
        if at is None:
            waiting += [said] if said else []
            continue
        if waiting:
            before[named(at, value)] = tuple(waiting)
            waiting = []
        if said:
            beside[named(places.last[number], value)] = said
    return Comments(before | ({(): tuple(waiting)} if waiting else {}), beside)


def _said_beside(line: str, number: int, places: Places) -> str:
    """Return the comment at the end of a line, empty when there is none."""
    if number in places.blocks:
        found = _OF_BLOCK.match(line, places.blocks[number])
    elif number in places.ends:
        found = _BESIDE.match(line, places.ends[number])
    else:
        found = None if number in places.inside else _OF_DASH.match(line)
    return found[1].rstrip() if found else ""


def named(path: Path, value: Any) -> Path:
    """Return a path with the ids of list items for their numbers."""
    steps: list[str | int] = []
    for step in path:
        inner = value[step]
        steps.append(step_of(step, inner) if isinstance(step, int) else step)
        value = inner
    return tuple(steps)


def step_of(number: int, item: Any) -> str | int:
    """Return the step to an item of a list."""
    own = item.get("id") if isinstance(item, dict) else None
    return f"#{own}" if isinstance(own, str) else number
