"""Text in lines of a given width, without asking a browser how wide it is.

Widths are those of a wide sans-serif, in thousandths of the size: what fits here fits anywhere.
"""

import unicodedata
from collections.abc import Iterator

_NARROW, _SLIM, _USUAL, _CAPITAL, _WIDE, _FULL = 300, 420, 610, 720, 960, 1_050
_WIDTHS = {
    **dict.fromkeys("ijl.,:;'|! ", _NARROW),
    **dict.fromkeys('ftrI()[]{}/-"', _SLIM),
    **dict.fromkeys("mwMW%@", _WIDE),
    **dict.fromkeys("ABCDEFGHJKLNOPQRSTUVXYZ<>=+~#", _CAPITAL),
}
_BOLD = 1.1


def width_of(text: str, size: float, *, bold: bool = False) -> float:
    """Return how wide a text is at most, in the unit of its size."""
    return sum(map(_width, text)) * size / 1000 * (_BOLD if bold else 1)


def lines_of(text: str, width: float, size: float, *, bold: bool = False) -> list[str]:
    """Return a text as lines that fit a width; nothing of it is lost but the spaces at breaks."""
    lines: list[str] = []
    current = ""
    for word in _words(text, width, size, bold=bold):
        longer = f"{current} {word}" if current else word
        if current and width_of(longer, size, bold=bold) > width:
            lines.append(current)
            current = word
        else:
            current = longer
    return [*lines, current] if current else lines


def _words(text: str, width: float, size: float, *, bold: bool) -> Iterator[str]:
    """Yield the words of a text; one that is wider than a line comes in pieces."""
    for word in text.split():
        piece = ""
        for character in word:
            if piece and width_of(piece + character, size, bold=bold) > width:
                yield piece
                piece = ""
            piece += character
        yield piece


def _width(character: str) -> int:
    found = _WIDTHS.get(character)
    if found is None:
        if unicodedata.combining(character):
            return 0
        found = _FULL if unicodedata.east_asian_width(character) in "FW" else _USUAL
    return found
