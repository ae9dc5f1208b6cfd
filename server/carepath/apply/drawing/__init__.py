"""A PlanDefinition as a picture: what follows when, as SVG for pages, documents and print."""

from carepath.apply.drawing.outline import (
    Branch,
    Outline,
    When,
    branches_of,
    in_words,
    outline_of,
)
from carepath.apply.drawing.svg import Marks, drawing

__all__ = ["Branch", "Marks", "Outline", "When", "branches_of", "drawing", "in_words", "outline_of"]
