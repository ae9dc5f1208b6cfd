"""Texts in the Markdown of a card: nothing that a record or a plan says becomes markup.

https://github.github.com/gfm/#backslash-escapes
"""

import re

_MARKS = re.compile(r"([\\`*_\[\]<>#|~&@])")
_BEGINS = re.compile(r"^([-+=:]|\d+(?=[.)](?:\s|$)))")
_LINKS = re.compile(r"(?i)\b(https?|ftp|mailto)(?=:)|\bwww(?=\.)")
_SPACE = re.compile(r"\s+")
_ENTITY = "&#8203;"
"""A space of no width: what begins like an address is none with it inside."""


def escaped(text: str) -> str:
    """Return a text in one line that Markdown shows as it is: no link, no picture, no HTML."""
    line = _SPACE.sub(" ", text).strip()
    line = _LINKS.sub(lambda found: found[0] + _ENTITY, _MARKS.sub(r"\\\1", line))
    # What begins like an item of a list begins with a space of no width instead.
    return _BEGINS.sub(lambda found: _ENTITY + found[0], line)


def link(text: str, url: str) -> str:
    """Return a link; `url` is one of ours, so that nothing in it has to be escaped."""
    return f"[{escaped(text)}]({url})"


def bullets(lines: list[str]) -> str:
    """Return lines of Markdown as a list."""
    return "\n".join(f"- {line}" for line in lines)


def cut(text: str, most: int) -> str:
    """Return a text in one line of so many characters at most."""
    line = _SPACE.sub(" ", text).strip()
    return line if len(line) <= most else f"{line[: most - 1].rstrip()}\N{HORIZONTAL ELLIPSIS}"
