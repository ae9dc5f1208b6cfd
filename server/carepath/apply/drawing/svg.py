"""The picture of a plan as SVG: the same bytes for the same plan.

https://www.w3.org/TR/SVG11/ and https://www.w3.org/TR/svg-aam-1.0/

Colours stand at the shapes, for a picture alone or in print; classes let a page set its own.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from types import MappingProxyType

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from carepath.apply.drawing.geometry import Form, picture_of
from carepath.apply.drawing.outline import Outline, branches_of

_EMPTY: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Marks:
    """What is said of actions on a picture, by their paths in the plan (`group/action`).

    `states` are codes, which become classes, `badges` the words for them, `links` where a click
    leads to.
    """

    states: Mapping[str, str] = field(default_factory=lambda: _EMPTY)
    badges: Mapping[str, str] = field(default_factory=lambda: _EMPTY)
    links: Mapping[str, str] = field(default_factory=lambda: _EMPTY)


def drawing(
    outline: Outline, form: Form = "wide", marks: Marks | None = None, name: str = "plan"
) -> str:
    """Return the picture of a plan as an SVG element.

    `name` is what its ids begin with, for a page with several pictures.
    """
    marks = marks or Marks()
    picture = picture_of(outline, form, marks.badges)
    text = _template().render(
        outline=outline, picture=picture, marks=marks, name=name, told=_told(outline)
    )
    return text.strip() + "\n"


def _told(outline: Outline) -> str:
    """Return what the picture shows, for who cannot see it."""
    titles = "; ".join(branch.title for depth, branch in branches_of(outline.branches) if not depth)
    return f"The plan in the order of its actions: {titles}." if titles else "No actions."


@cache
def _template() -> Template:
    made = Environment(
        loader=PackageLoader("carepath.apply.drawing", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    return made.get_template("drawing.svg")
