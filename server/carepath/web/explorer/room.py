"""How much text a page has room for: a value may be all that was sent, and stand there often.

https://hl7.org/fhirpath/
"""

from typing import Any

from carepath.formats.json import encode

CUT = "\N{HORIZONTAL ELLIPSIS}"
"""Stands where something was cut off."""


class Room:
    """What is left of the characters that the values of a page may have together."""

    def __init__(self, characters: int) -> None:
        self._left = characters

    @property
    def is_left(self) -> bool:
        """Tell whether anything more can be shown."""
        return self._left > 0

    def text_of(self, value: Any) -> str:
        """Return a value as people read it, cut where the room ends."""
        text, room = _shown(value), max(self._left, 0)
        # What is cut counts as a whole: to write it out was the work.
        self._left -= len(text)
        return text if len(text) <= room else text[:room] + CUT


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict | list):
        return encode(value, pretty=True).decode().strip()
    return f"'{value}'" if isinstance(value, str) else str(value)
