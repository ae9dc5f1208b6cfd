"""Where on the picture of a plan each box, line and text stands.

https://www.w3.org/TR/SVG11/coords.html

Down a spine hang the actions in their order: conditions first, an arrow, then what follows.  In the
wide form conditions of the first level stand left of what follows, else above it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, NamedTuple

from carepath.apply.drawing.outline import Branch, Outline, When
from carepath.apply.drawing.words import lines_of, width_of

Form = Literal["wide", "narrow"]

_WIDTHS: Mapping[Form, int] = {"wide": 880, "narrow": 440}
_MARGIN, _PAD, _GAP = 4, 10, 14
_SPINE, _STUB, _LINK = 14, 16, 26
_LEAST = 150
"""No box is narrower; what is nested deeper is not indented further."""
_BESIDE = 300
_FIRST_LINE = 17
"""How far below the top of a box the line to it meets it."""
_TITLE, _TEXT, _SMALL = 14, 12.5, 11.5
_HEIGHTS = {_TITLE: 18, _TEXT: 17, _SMALL: 15}
_BULLET = 12


class Line(NamedTuple):
    """One line of text: where it begins, how it is set, and what it says."""

    x: float
    y: float
    style: str
    text: str


class Wire(NamedTuple):
    """A line between boxes, as the data of a path."""

    path: str
    style: str


@dataclass(frozen=True, slots=True)
class Box:
    """A box with its lines; `about` is told on demand."""

    x: float
    y: float
    width: float
    height: float
    style: str
    lines: tuple[Line, ...] = ()
    about: str = ""
    path: str = ""
    """That of the action that the box stands for, empty for other boxes."""
    title: str = ""
    badge: str = ""


@dataclass(slots=True)
class Picture:
    """All that is drawn."""

    width: int
    height: float = 0
    boxes: list[Box] = field(default_factory=list)
    wires: list[Wire] = field(default_factory=list)


class _Text:
    """Lines of text that grow downwards inside a box."""

    def __init__(self, x: float, y: float, width: float) -> None:
        self.x, self.y, self.width = x, y, width
        self.lines: list[Line] = []

    def add(self, text: str, style: str, size: float, *, indent: int = 0) -> None:
        """Add a text in as many lines as it takes."""
        for line in lines_of(text, self.width - indent, size, bold=style == "title"):
            self.y += _HEIGHTS[size]
            self.lines.append(Line(self.x + indent, self.y, style, line))

    def add_list(self, texts: Iterable[str], style: str) -> None:
        """Add texts that each begin with a bullet."""
        for text in texts:
            self.lines.append(Line(self.x, self.y + _HEIGHTS[_TEXT], style, "\N{BULLET}"))
            self.add(text, style, _TEXT, indent=_BULLET)


def picture_of(outline: Outline, form: Form, badges: Mapping[str, str]) -> Picture:
    """Return the picture of a plan; `badges` are words for actions, by their paths in the plan."""
    made = _Drawing(Picture(_WIDTHS[form]), badges, is_wide=form == "wide")
    head = made.head(outline)
    bottom = made.rows(outline.branches, "", _MARGIN, head.y + head.height, above=head)
    made.picture.height = round(bottom + _MARGIN, 1)
    return made.picture


class _Drawing:
    """One picture while it is made."""

    def __init__(self, picture: Picture, badges: Mapping[str, str], *, is_wide: bool) -> None:
        self.picture = picture
        self._badges = badges
        self._is_wide = is_wide

    def head(self, outline: Outline) -> Box:
        """Draw the plan itself, with what all of its actions share."""
        width = self.picture.width - 2 * _MARGIN
        text = _Text(_MARGIN + _PAD, _MARGIN + _PAD - 4, width - 2 * _PAD)
        text.add(outline.title, "title", _TITLE)
        if outline.scope:
            text.add("For all of this:", "caption", _SMALL)
            text.add_list((when.text for when in outline.scope), "text")
        return self._box(_MARGIN, _MARGIN, width, text, "plan-head", _expressions(outline.scope))

    def rows(
        self, branches: Sequence[Branch], prefix: str, left: float, top: float, above: Box
    ) -> float:
        """Draw actions one below the other, on a spine under the box above; return the bottom."""
        spine, end, bottom = left + _SPINE, top, top
        for branch in branches:
            path = f"{prefix}/{branch.id}" if prefix else branch.id
            end, bottom = self._row(branch, path, spine, bottom + _GAP, is_first_level=not prefix)
        if branches:
            self.picture.wires.append(Wire(f"M{spine:g} {above.y + above.height:g}V{end:g}", ""))
        return bottom

    def _row(
        self, branch: Branch, path: str, spine: float, top: float, *, is_first_level: bool
    ) -> tuple[float, float]:
        """Draw one action with all below it; return where it leaves the spine, and the bottom."""
        x = min(spine + _STUB, self.picture.width - _MARGIN - _LEAST)
        style, leaves = _wire_style(branch), top + _FIRST_LINE
        self.picture.wires.append(Wire(f"M{spine:g} {leaves:g}H{x:g}", style))
        begin, bottom = (x, top), top
        if branch.when:
            beside = self._is_wide and is_first_level
            width = _BESIDE if beside else self.picture.width - _MARGIN - x
            condition = self._condition(branch, x, top, width)
            begin = self._arrow_from(condition, style, is_beside=beside)
            bottom = condition.y + condition.height
        action = self._action(branch, path, *begin, self.picture.width - _MARGIN - begin[0])
        bottom = max(bottom, action.y + action.height)
        inside = self.rows(branch.branches, path, action.x, action.y + action.height, above=action)
        return leaves, max(bottom, inside)

    def _arrow_from(self, condition: Box, style: str, *, is_beside: bool) -> tuple[float, float]:
        """Draw the arrow that leaves a condition; return where the box that it leads to begins."""
        if is_beside:
            start, y = condition.x + condition.width, condition.y + _FIRST_LINE
            end = start + _LINK
            self.picture.wires.append(Wire(f"M{start:g} {y:g}H{end - 1:g}", style))
            self.picture.wires.append(Wire(f"M{end:g} {y:g}l-7 -4v8z", "head"))
            return end, condition.y
        x, start = condition.x + _SPINE, condition.y + condition.height
        end = start + _GAP
        self.picture.wires.append(Wire(f"M{x:g} {start:g}V{end - 1:g}", style))
        self.picture.wires.append(Wire(f"M{x:g} {end:g}l-4 -7h8z", "head"))
        return condition.x, end

    def _condition(self, branch: Branch, x: float, y: float, width: float) -> Box:
        text = _Text(x + _PAD, y + _PAD - 5, width - 2 * _PAD)
        several = len(branch.when) > 1
        text.add("If any of:" if branch.is_any and several else "If", "caption", _SMALL)
        words = [when.text for when in branch.when]
        if several:
            text.add_list(words, "text")
        else:
            text.add(words[0], "text", _TEXT)
        return self._box(x, y, width, text, "condition", _expressions(branch.when))

    def _action(self, branch: Branch, path: str, x: float, y: float, width: float) -> Box:
        badge = self._badges.get(path, "")
        taken = width_of(badge, _SMALL) + 24 if badge else 0
        text = _Text(x + _PAD, y + _PAD - 4, width - 2 * _PAD - taken)
        text.add(branch.title, "title", _TITLE)
        text.width = width - 2 * _PAD
        for caption in captions_of(branch):
            text.add(caption, "caption", _SMALL)
        style = f"action {branch.kind}" + (" against" if branch.is_against else "")
        style += " optional" if branch.is_optional else ""
        made = self._box(x, y, width, text, style, branch.text)
        made = replace(made, path=path, title=branch.title, badge=badge)
        self.picture.boxes[-1] = made
        return made

    def _box(self, x: float, y: float, width: float, text: _Text, style: str, about: str) -> Box:
        """Draw a box around its lines."""
        height = text.y + _PAD - y
        made = Box(x, y, width, round(height, 1), style, tuple(text.lines), about)
        self.picture.boxes.append(made)
        return made


_CHOICES = {
    "any": "choose any of these",
    "all": "all of these",
    "all-or-none": "all of these, or none",
    "exactly-one": "choose exactly one",
    "at-most-one": "choose one at most",
    "one-or-more": "choose one or more",
}
_REQUIRED = {
    "must": "must",
    "could": "may be done",
    "must-unless-documented": "must, unless documented",
}


def captions_of(branch: Branch) -> Iterator[str]:
    """Yield what is told of an action below its title: what it is, and who says so."""
    what = {"order": branch.makes or "request", "plan": "leads to another pathway"}
    parts = (
        "advice against" if branch.is_against else "",
        what.get(branch.kind, ""),
        _CHOICES.get(branch.choice, branch.choice) if branch.branches else "",
        _REQUIRED.get(branch.required, branch.required),
    )
    told = "; ".join(part for part in parts if part)
    if told:
        yield told
    if branch.sources:
        yield ", ".join(branch.sources) + ("; sources disagree" if branch.conflicts else "")


def _expressions(conditions: Iterable[When]) -> str:
    return "\n".join(when.expression for when in conditions)


def _wire_style(branch: Branch) -> str:
    return "against" if branch.is_against else "optional" if branch.is_optional else ""
