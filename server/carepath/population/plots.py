"""The geometry of the plots: where each bar stands; the drawing itself is a template.

https://www.w3.org/TR/SVG11/shapes.html#RectElement

Lengths are whole hundredths of a unit, so that the same figures give the same bytes everywhere.
"""

from collections.abc import Sequence
from typing import NamedTuple

from carepath.population.figures import OUTCOMES, ActionFigure, MissingFigure, PhaseFigure

WIDTH = 400
"""How long the longest bar is."""
ROW = 26
_MOST = 20
"""How many missing facts the plot shows; the table has them all."""


class Bar(NamedTuple):
    """One bar: what it stands for, where it begins and ends, and its number."""

    name: str
    left: str
    width: str
    top: int
    value: int


class Plot(NamedTuple):
    """All bars, and the height of the drawing."""

    bars: tuple[Bar, ...]
    height: int


def funnel(phases: Sequence[PhaseFigure]) -> Plot:
    """Return how many patients have reached each phase, each bar in the middle."""
    most = max((phase.reached for phase in phases), default=0)
    made = []
    for number, phase in enumerate(phases):
        width = _length(phase.reached, most)
        left = (WIDTH * 100 - width) // 2
        made.append(Bar(phase.title, _text(left), _text(width), number * ROW, phase.reached))
    return Plot(tuple(made), len(made) * ROW)


def bars(missing: Sequence[MissingFigure]) -> Plot:
    """Return how many patients each missing fact blocks, those that block most first."""
    shown = missing[:_MOST]
    most = max((one.patients for one in shown), default=0)
    return Plot(
        tuple(
            Bar(one.fact, "0", _text(_length(one.patients, most)), number * ROW, one.patients)
            for number, one in enumerate(shown)
        ),
        len(shown) * ROW,
    )


def shares(action: ActionFigure, patients: int) -> tuple[Bar, ...]:
    """Return the outcomes of one action side by side, as shares of all patients of the plan."""
    made: list[Bar] = []
    left = 0
    for outcome, value in zip(OUTCOMES, action.outcomes, strict=True):
        right = _length(sum(bar.value for bar in made) + value, patients)
        made.append(Bar(outcome, _text(left), _text(right - left), 0, value))
        left = right
    return tuple(bar for bar in made if bar.value)


def _length(value: int, most: int) -> int:
    """Return the length of a bar in hundredths; what is there at all can be seen."""
    return max(WIDTH * 100 * value // most, 100) if value and most else 0


def _text(hundredths: int) -> str:
    return f"{hundredths / 100:.2f}".rstrip("0").rstrip(".")
