"""FHIRPath invariants: compiled once, evaluated on an element, each failure an issue.

https://hl7.org/fhir/R4/conformance-rules.html#constraints

An expression that comes out empty decides nothing, and what is not decided is not broken: `ref-1`
is empty for a reference that has only a display.  An expression that cannot be evaluated gives an
informational issue.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache, lru_cache
from typing import Any

from carepath.errors import ExpressionError
from carepath.fhirpath import Environment, Expression, Node, parse
from carepath.issues import Issue
from carepath.r4.data import read_table
from carepath.r4.invariants import Invariant, invariants_at, invariants_of
from carepath.validation.walker import Item, every

_IN_STRUCTURE = frozenset({"ele-1", "txt-1", "txt-2"})
"""What the structure check has said already: no element is empty, a narrative is plain XHTML."""
_NOT_INSIDE = frozenset({"dom-6"})
"""What is not asked of a contained resource: its narrative is that of the resource around it."""

_CONTAINED = "dom-3"
"""What is contained has to be referred to; the expression does not see a narrative's links."""
_LINK = re.compile(r"""(?:src|href)=["']#([A-Za-z0-9\-.]{1,64})["']""")

_AS_ON_MANY = re.compile(r"\.as\((\w+)\)")
"""R4's invariants apply `as()` to collections, which FHIRPath has since made an error."""
_REPAIRED = {
    "answer is Boolean": "answer is boolean",
    "enableWhen.count() > 2": "enableWhen.count() > 1",
}
"""Parts of R4's invariants that do not say what they mean: que-7 names a System type, que-12 asks
for `enableBehavior` beside "more than one" condition and counts to two."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What expressions are evaluated with."""

    now: datetime
    find: Callable[[str, Any], Any] | None = None
    """Return the resource that a reference means, seen from the resource that holds it."""
    terminology: Any = None
    conforms_to: Callable[[Mapping[str, Any], str], bool | None] | None = None
    """Tell whether a resource conforms to a profile; None when it is not known."""

    def environment(self, item: Item) -> Environment:
        """Return the environment of an expression on an element."""
        find = self.find
        return Environment(
            now=self.now,
            resource=item.resource,
            root_resource=item.root,
            context=item.resource,
            resolver=None if find is None else lambda text: find(text, item.root),
            terminology=self.terminology,
            conforms_to=self.conforms_to,
        )


@cache
def base_keys() -> frozenset[str]:
    """Return the keys of all invariants of R4 itself."""
    rows = read_table("invariants.json").values()
    return frozenset(row[0] for declared in rows for row in declared)


def base_issues(item: Item, evaluation: Evaluation) -> Iterator[Issue]:
    """Yield what breaks R4's own invariants in an element and in all below it."""
    for below in every(item):
        for invariant in _of_place(below.type, below.definition):
            if invariant.key in _NOT_INSIDE and below.resource is not below.root:
                continue
            focus = _unshown(below) if invariant.key == _CONTAINED else below
            yield from check_invariant(focus, invariant, evaluation)


def _unshown(item: Item) -> Item:
    """Return a resource without those contained ones that a narrative of it shows or links.

    https://hl7.org/fhir/R4/narrative.html#xhtml: the source of an image may be `#id`.
    """
    contained = item.members.get("contained")
    if not contained:
        return item
    shown = {match[1] for div in _narratives(item.members) for match in _LINK.finditer(div)}
    kept = [one for one in contained if one.get("id") not in shown]
    return item._replace(value={**item.members, "contained": kept})


def _narratives(value: Any) -> Iterator[str]:
    """Yield the XHTML of every narrative at or below a value."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            if isinstance(one.get("div"), str):
                yield one["div"]
            waiting.extend(one.values())
        elif isinstance(one, list):
            waiting.extend(one)


def constraint_issues(
    item: Item, constraint: Mapping[str, Any], evaluation: Evaluation
) -> Iterator[Issue]:
    """Yield what breaks a constraint of a profile in an element."""
    expression = constraint.get("expression")
    if isinstance(expression, str):
        invariant = Invariant(
            key=str(constraint.get("key")),
            severity="warning" if constraint.get("severity") == "warning" else "error",
            human=str(constraint.get("human")),
            expression=expression,
        )
        yield from check_invariant(item, invariant, evaluation)


def check_invariant(item: Item, invariant: Invariant, evaluation: Evaluation) -> Iterator[Issue]:
    """Yield an issue when the invariant does not hold, or cannot be evaluated."""
    try:
        expression = _compiled(invariant.expression)
        found = expression.evaluate(
            Node(item.value, item.type, sibling=item.sibling), evaluation.environment(item)
        )
    except ExpressionError as error:
        text = f"The invariant {invariant.key} was not evaluated: {error}"
        yield Issue("information", "not-supported", text, (item.path,))
        return
    if _is_broken(found):
        text = f"{invariant.key}: {invariant.human}"
        yield Issue(invariant.severity, "invariant", text, (item.path,))


@cache
def _of_place(type_name: str, definition: str) -> tuple[Invariant, ...]:
    """Return the invariants of a type and those of the element's own definition."""
    found = {i.key: i for i in (*invariants_of(type_name), *invariants_at(definition))}
    return tuple(_repaired(i) for i in found.values() if i.key not in _IN_STRUCTURE)


def _repaired(invariant: Invariant) -> Invariant:
    """Return an invariant of R4 as it was meant."""
    expression = _AS_ON_MANY.sub(r".ofType(\1)", invariant.expression)
    for published, meant in _REPAIRED.items():
        expression = expression.replace(published, meant)
    return invariant._replace(expression=expression)


@lru_cache(maxsize=4096)
def _compiled(text: str) -> Expression:
    return parse(text)


def _is_broken(found: list[Any]) -> bool:
    """Tell whether a result says no; an empty one does not, and what is no boolean exists."""
    return len(found) == 1 and found[0] is False
