"""The phases of care as a strip, the present one filled: where on the strip each stands.

https://www.w3.org/TR/SVG11/

The drawing itself is a template (`strip.svg`); this is the geometry that it needs.
"""

from collections.abc import Sequence
from typing import NamedTuple

from carepath.apply.page.sheet import Stage

_WIDTH, _HEIGHT, _POINT = 120, 34, 12


class Box(NamedTuple):
    """One phase: its title, its state, the corners of its arrow, and the middle of its text."""

    title: str
    state: str
    points: str
    x: int


class Strip(NamedTuple):
    """All boxes, and the size of the drawing in pixels."""

    boxes: tuple[Box, ...]
    width: int
    height: int


def strip(stages: Sequence[Stage]) -> Strip:
    """Return the geometry of a strip of phases, from left to right."""
    boxes = tuple(_box(n * _WIDTH, stage) for n, stage in enumerate(stages))
    return Strip(boxes, len(stages) * _WIDTH + _POINT, _HEIGHT)


def _box(left: int, stage: Stage) -> Box:
    right, middle = left + _WIDTH, _HEIGHT // 2
    corners = [
        (left, 0),
        (right - 2, 0),
        (right - 2 + _POINT, middle),
        (right - 2, _HEIGHT),
        (left, _HEIGHT),
        (left + _POINT, middle),
    ]
    points = " ".join(f"{x},{y}" for x, y in corners)
    return Box(stage.title, stage.state, points, left + _WIDTH // 2 + _POINT // 2)
