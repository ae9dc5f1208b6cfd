"""Which slice an element of the data belongs to.

https://hl7.org/fhir/R4/profiling.html#discriminator

All five kinds of discriminator are understood.  What a discriminator's path leads to in the profile
may stand deep down: in a pattern further up, in a slice of a slice, or in another profile.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol

from carepath import deadline
from carepath.r4.model import is_subtype
from carepath.validation.profiles.tree import Node, Profile
from carepath.validation.profiles.values import equals, matches
from carepath.validation.walker import Item, named, root_item

_STEP = re.compile(r"(?P<name>\$?\w+(?:\[x\])?)(?:\((?P<argument>[^)]*)\))?")
_BY_URL = ({"type": "value", "path": "url"},)
_BY_TYPE = ({"type": "type", "path": "$this"},)


class Conformance(Protocol):
    """What slicing asks of the check of whole profiles, which in turn asks slicing for slices."""

    @property
    def find_profile(self) -> Callable[[str], Profile | None]:
        """Find a profile by its canonical."""

    def resolve(self, item: Item) -> Any:
        """Return the resource that a Reference or canonical element leads to, or None."""

    def target_type(self, item: Item) -> str:
        """Return the type of what a Reference leads to, empty when it cannot be told."""

    def type_of_profile(self, canonical: str) -> str:
        """Return the type that a profile is for, empty when the profile is not known."""

    def meets(self, item: Item, node: Node) -> bool:
        """Tell whether an element meets all that a node and those below it ask for."""

    def conforms_to(self, item: Item, canonical: str) -> bool:
        """Tell whether an element conforms to a profile, by its canonical."""


def discriminators_of(node: Node) -> tuple[Mapping[str, Any], ...]:
    """Return what the slices of a node differ in; extensions and choices need no statement."""
    stated = tuple(node.element.get("slicing", {}).get("discriminator", ()))
    if stated:
        return stated
    if node.name in ("extension", "modifierExtension"):
        return _BY_URL
    return _BY_TYPE if node.name.endswith("[x]") else ()


def slice_of(item: Item, node: Node, check: Conformance) -> Node | None:
    """Return the slice of a node that an element belongs to, None when there is none."""
    deadline.check()
    discriminators = discriminators_of(node)
    for candidate in node.slices.values():
        if discriminators and all(
            _DISCRIMINATORS.get(str(one.get("type")), _by_value)(
                item, candidate, steps_of(str(one.get("path"))), check
            )
            for one in discriminators
        ):
            return candidate
    return None


Step = tuple[str, str]
"""A name, or a function with its argument: `("code", "")`, `("ofType", "Quantity")`."""


def steps_of(path: str) -> tuple[Step, ...]:
    """Return the steps of a discriminator's path; `$this` is no step."""
    found = ((m["name"], (m["argument"] or "").strip("'\"")) for m in _STEP.finditer(path))
    # `resolve()` has an empty argument, as a name has: their names say which is which.
    return tuple(step for step in found if step[0] != "$this")


def select(item: Item, steps: tuple[Step, ...], check: Conformance) -> list[Item]:
    """Return what the steps lead to in the data."""
    items = [item]
    for name, argument in steps:
        items = [found for one in items for found in _step(one, name, argument, check)]
    return items


def _step(item: Item, name: str, argument: str, check: Conformance) -> Iterator[Item]:
    if name == "resolve":
        target = check.resolve(item)
        if target is not None:
            yield root_item(target)
    elif name == "ofType":
        if is_subtype(item.type, argument):
            yield item
    elif name == "extension" and argument:
        for found in named(item, "extension"):
            if found.members.get("url") == argument:
                yield found
    else:
        yield from named(item, name)


Wanted = Callable[[Item], bool]


def _by_value(item: Item, node: Node, steps: tuple[Step, ...], check: Conformance) -> bool:
    """Tell whether a value at the path is one that the slice names there."""
    wanted = list(_wanted(node, steps, check))
    return any(test(found) for found in select(item, steps, check) for test in wanted)


def _wanted(node: Node, steps: tuple[Step, ...], check: Conformance) -> Iterator[Wanted]:
    """Yield a test for each place where the slice says what the value at the path has to be."""
    if not steps:
        if node.decides:
            yield lambda item: check.meets(item, node)
        for below in node.slices.values():
            yield from _wanted(below, (), check)
        return
    for prefix, compare in (("fixed", equals), ("pattern", matches)):
        for part in _parts(node.required(prefix), steps):
            yield _compared(compare, part)
    for below in _next(node, steps[0], check):
        yield from _wanted(below, steps[1:], check)
    if steps == (("url", ""),):
        for canonical in node.profiles("Extension"):
            yield _compared(equals, canonical.partition("|")[0])


def _compared(compare: Callable[[Any, Any], bool], part: Any) -> Wanted:
    """Return the test of a value beside a part of a fixed value or pattern."""
    return lambda item: compare(item.value, part)


def _next(node: Node, step: Step, check: Conformance) -> Iterator[Node]:
    """Yield the nodes that a step leads to, in the slice, in its slices and in its profiles."""
    name, argument = step
    if name == "resolve":
        for canonical in node.targets():
            yield from _roots(canonical, check)
        return
    if name == "ofType":
        typed = [n for n in (node, *node.slices.values()) if argument in n.types or not n.types]
        yield from typed
        return
    for holder in (node, *node.slices.values()):
        for key, child in holder.children.items():
            if name in (key, key.removesuffix("[x]")):
                found = (child, *_all_slices(child))
                yield from (one for one in found if not argument or _is_for(one, argument))
    for canonical in node.profiles(""):
        for root in _roots(canonical, check):
            yield from _next(root, step, check)


def _is_for(node: Node, url: str) -> bool:
    """Tell whether a slice of `extension` is the one for a URL."""
    own = node.children.get("url")
    by_profile = [canonical.partition("|")[0] for canonical in node.profiles("Extension")]
    return url in by_profile or (own is not None and own.required("fixed") == url)


def _roots(canonical: str, check: Conformance) -> Iterator[Node]:
    profile = check.find_profile(canonical)
    if profile is not None:
        yield profile.root


def _all_slices(node: Node) -> Iterator[Node]:
    for below in node.slices.values():
        yield below
        yield from _all_slices(below)


def _parts(value: Any, steps: tuple[Step, ...]) -> list[Any]:
    """Return what a path of plain names leads to in a fixed value or pattern."""
    found = [] if value is None else [value]
    for name, argument in steps:
        inside = [one[name] for one in found if isinstance(one, dict) and name in one]
        found = [p for one in inside for p in (one if isinstance(one, list) else [one])]
        if argument:
            return []
    return found


def _by_type(item: Item, node: Node, steps: tuple[Step, ...], check: Conformance) -> bool:
    """Tell whether what the path leads to has a type that the slice allows."""
    if steps and steps[-1][0] == "resolve":
        return _by_target_type(item, node, steps[:-1], check)
    types = {name for found in _nodes_at(node, steps, check) for name in found.types}
    return any(
        is_subtype(found.type, name) for found in select(item, steps, check) for name in types
    )


def _by_target_type(item: Item, node: Node, steps: tuple[Step, ...], check: Conformance) -> bool:
    """Tell whether a reference leads to a type that the slice allows; it need not be resolved."""
    targets = {url for found in _nodes_at(node, steps, check) for url in found.targets()}
    types = {check.type_of_profile(url) for url in targets} - {""}
    actual = [check.target_type(found) for found in select(item, steps, check)]
    return any(is_subtype(one, name) for one in actual for name in types)


def _by_profile(item: Item, node: Node, steps: tuple[Step, ...], check: Conformance) -> bool:
    """Tell whether what the path leads to conforms to a profile that the slice names."""
    to_target = bool(steps) and steps[-1][0] == "resolve"
    nodes = _nodes_at(node, steps[:-1] if to_target else steps, check)
    found = {url for one in nodes for url in (one.targets() if to_target else one.profiles(""))}
    return any(
        check.conforms_to(selected, url)
        for selected in select(item, steps, check)
        for url in sorted(found)
    )


def _by_existence(item: Item, node: Node, steps: tuple[Step, ...], check: Conformance) -> bool:
    """Tell whether the path leads somewhere, as the slice demands or forbids."""
    nodes = _nodes_at(node, steps, check)
    is_there = bool(select(item, steps, check))
    if any(found.most == 0 for found in nodes):
        return not is_there
    return is_there and any(found.least > 0 for found in nodes)


def _nodes_at(node: Node, steps: tuple[Step, ...], check: Conformance) -> list[Node]:
    nodes = [node]
    for step in steps:
        nodes = [below for one in nodes for below in _next(one, step, check)]
    return nodes


_DISCRIMINATORS: Mapping[str, Callable[[Item, Node, tuple[Step, ...], Conformance], bool]] = {
    "value": _by_value,
    "pattern": _by_value,
    "type": _by_type,
    "profile": _by_profile,
    "exists": _by_existence,
}
