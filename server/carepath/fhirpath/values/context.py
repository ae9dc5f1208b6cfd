"""The state of one evaluation."""

from collections.abc import Callable, Mapping
from typing import Any

from carepath import deadline
from carepath.fhirpath.environment import Environment, Limits
from carepath.fhirpath.values.failure import LimitReached
from carepath.fhirpath.values.types import Item, Items

Evaluator = Callable[["Context", Item], Items]
"""A compiled expression: from the context and `$this` to a collection, never changed after."""
Truth = Callable[["Context", Item], bool | None]
"""A compiled condition: true, false, or None for empty."""


_SMALL = 100
_STRIDE = 2_000
"""Steps between two looks at the clock."""
_LONG = 10_000
"""Characters; a text of more costs as much to look through as many steps."""
_NOTHING: Items = []
_NO_NAMES: Mapping[str, Items] = {}


class Context:
    """What changes while an expression runs; one is made for each evaluation."""

    __slots__ = (
        "cache",
        "characters",
        "environment",
        "focus",
        "frame",
        "index",
        "limits",
        "reserve",
        "roots",
        "scope",
        "steps",
        "total",
        "traced",
    )

    def __init__(self, environment: Environment, focus: Item, *, traced: bool = False) -> None:
        self.environment = environment
        self.focus = focus
        self.limits: Limits = environment.limits
        steps = environment.limits.steps
        self.steps = steps if steps < _STRIDE else _STRIDE
        self.reserve = steps - self.steps
        self.characters = environment.limits.characters
        self.index: int | None = None
        self.total: Items = _NOTHING
        self.scope: Mapping[str, Items] = _NO_NAMES
        self.cache: dict[int, Any] = {}
        self.roots: dict[str, Items] = {}
        self.frame: list[Any] = []
        self.traced = traced

    def noted(self, name: str, items: Items) -> Items:
        """Return what a variable stands for, remembered as in hand: `resolve()` may ask for it."""
        self.roots[f"%{name}"] = items
        return items

    def spend(self, count: int) -> None:
        """Count items that a loop looks at; raises LimitReached when there were too many.

        `steps` is what is left until the next look at the clock, `reserve` what is left after it:
        so a loop has one number to watch for both.  Raises OutOfTime at the deadline.
        """
        self.steps -= count
        if self.steps < 0:
            deadline.check()
            self.reserve += self.steps
            if self.reserve < 0:
                raise LimitReached(f"it takes more than {self.limits.steps} steps")
            self.steps = min(self.reserve, _STRIDE)
            self.reserve -= self.steps

    def spend_on(self, count: int) -> None:
        """Count the items of a large collection that is gone through as a whole."""
        if count > _SMALL:
            self.spend(count)

    @staticmethod
    def look_through(text: str) -> None:
        """Look at the clock before a long text is gone through as a whole: that is one step."""
        if len(text) > _LONG:
            deadline.check()

    def checked(self, items: Items) -> Items:
        """Return `items` unless the collection grew beyond the limit."""
        if len(items) > self.limits.items:
            raise LimitReached(f"a collection has more than {self.limits.items} items")
        return items

    def checked_text(self, text: str) -> str:
        """Return `text`, counted; raises LimitReached when it is too long, or all are together."""
        self.spend_characters(len(text))
        return text

    def spend_characters(self, count: int) -> None:
        """Count a string that was made or is about to be; raises LimitReached.

        Each may be short and there may be few of them, and still all together fill the memory.
        """
        limits, allowance = self.limits, self.environment.allowance
        if count > limits.text:
            raise LimitReached(f"a string has more than {limits.text} characters")
        self.characters -= count
        if self.characters < 0:
            raise LimitReached(f"its strings have more than {limits.characters} characters")
        if allowance is not None:
            allowance.left -= count
            if allowance.left < 0:
                all_of_them = f"more than {allowance.characters} characters"
                raise LimitReached(f"the strings of all expressions have {all_of_them}")
