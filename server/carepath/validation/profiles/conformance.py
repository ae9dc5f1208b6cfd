"""Whether an element conforms to a profile: what the StructureDefinition adds to R4.

https://hl7.org/fhir/R4/profiling.html

For every node of the profile's tree: how often, of which types, with which value, in which slice,
bound to which value set, under which invariants.  What R4 itself demands is not said again.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from carepath import deadline
from carepath.issues import Issue
from carepath.r4.model import Element, is_subtype, type_of
from carepath.validation.invariants import Evaluation, constraint_issues
from carepath.validation.profiles.bindings import Membership, binding_issues
from carepath.validation.profiles.references import References, target_type
from carepath.validation.profiles.slicing import slice_of
from carepath.validation.profiles.tree import CORE, Node, Profile
from carepath.validation.profiles.values import equals, matches, shown
from carepath.validation.walker import Item, definition_of, named


@dataclass(frozen=True, slots=True)
class ProfileWalk:
    """Checks elements against profiles; holds what that needs and nothing that changes."""

    find_profile: Callable[[str], Profile | None]
    terminology: Membership
    evaluation: Evaluation
    references: References

    def issues(self, item: Item, profile: Profile) -> Iterator[Issue]:
        """Yield what keeps an element from conforming to a profile."""
        if not is_subtype(item.type, profile.type):
            text = f"The profile `{profile.url}` is for {profile.type}, not for {item.type}."
            yield Issue("error", "structure", text, (item.path,))
            return
        for issue in self._node(item, profile.root):
            text = f"{issue.diagnostics} (profile `{profile.url}`)"
            yield Issue(issue.severity, issue.code, text, issue.expression)
        if profile.parent:
            yield from self.canonical_issues(item, profile.parent)

    def canonical_issues(self, item: Item, canonical: str) -> Iterator[Issue]:
        """Yield what keeps an element from conforming to a profile, by its canonical."""
        profile = self.find_profile(canonical)
        if profile is not None:
            yield from self.issues(item, profile)
        elif core_type(canonical):
            if not is_subtype(item.type, core_type(canonical)):
                text = f"Expected a {core_type(canonical)}, not a {item.type}."
                yield Issue("error", "structure", text, (item.path,))
        else:
            text = f"The profile `{canonical}` is not known here; it was not checked."
            yield Issue("information", "not-found", text, (item.path,))

    def _node(self, item: Item, node: Node) -> Iterator[Issue]:
        """Yield what an element lacks of a node and of those below it."""
        deadline.check()
        yield from _value_issues(item, node)
        yield from binding_issues(item, node.element.get("binding", {}), self.terminology)
        for constraint in node.invariants:
            yield from constraint_issues(item, constraint, self.evaluation)
        if item.type == "Reference":
            yield from self._target_issues(item, node)
        elif item.type != "Extension":  # Extensions are checked by their own definitions.
            yield from self._type_profile_issues(item, node)
        for name, child in node.children.items():
            yield from self._group(named(item, name), child, item)

    def _typed(self, item: Item, node: Node) -> Iterator[Issue]:
        """Yield what an element lacks of a node; of a wrong type nothing else is said."""
        of_type = list(_type_issues(item, node))
        yield from of_type or self._node(item, node)

    def _group(self, items: list[Item], node: Node, parent: Item) -> Iterator[Issue]:
        """Yield what is wrong with all the children of one name, together and one by one."""
        base = definition_of(parent, node.name)
        step = base.choice or base.name if base else node.name.removesuffix("[x]")
        place = f"{parent.path}.{step}"
        yield from _count_issues(items, node, place, base)
        for item in items:
            yield from self._typed(item, node)
        if node.slices:
            yield from self._slices(items, node, place)

    def _slices(self, items: list[Item], node: Node, place: str) -> Iterator[Issue]:
        """Yield what is wrong with the slices: how many, in which order, and each one inside."""
        found = [(item, slice_of(item, node, self)) for item in items]
        for candidate in node.slices.values():
            inside = [item for item, own in found if own is candidate]
            yield from _count_issues(inside, candidate, place, None)
            for item in inside:
                yield from self._typed(item, candidate)
            if candidate.slices:
                yield from self._slices(inside, candidate, place)
        yield from _rule_issues(found, node, place)

    def resolve(self, item: Item) -> Any:
        """Return the resource that a Reference or canonical element leads to, or None."""
        return self.references.target(item)

    def target_type(self, item: Item) -> str:
        """Return the type of what a Reference leads to, empty when it cannot be told."""
        return target_type(item, self.references)

    def type_of_profile(self, canonical: str) -> str:
        """Return the type that a profile is for, empty when the profile is not known."""
        profile = self.find_profile(canonical)
        return profile.type if profile is not None else core_type(canonical)

    def meets(self, item: Item, node: Node) -> bool:
        """Tell whether an element meets all that a node and those below it ask for."""
        return not _has_error(self._node(item, node))

    def conforms(self, item: Item, canonical: str) -> bool | None:
        """Tell whether an element conforms to a profile; None when it is not known."""
        if self.find_profile(canonical) is None and not core_type(canonical):
            return None
        return not _has_error(self.canonical_issues(item, canonical))

    def conforms_to(self, item: Item, canonical: str) -> bool:
        """Tell whether an element conforms to a profile that is known."""
        return self.conforms(item, canonical) is True

    def _type_profile_issues(self, item: Item, node: Node) -> Iterator[Issue]:
        """Yield what keeps a value from conforming to one of the profiles of its type."""
        wanted = [url for url in node.profiles(item.type) if not core_type(url)]
        if not wanted or any(self.conforms_to(item, url) for url in wanted):
            return
        if len(wanted) == 1:
            yield from self.canonical_issues(item, wanted[0])
        elif all(self.find_profile(url) for url in wanted):
            text = f"The {item.type} conforms to none of {', '.join(wanted)}."
            yield Issue("error", "structure", text, (item.path,))

    def _target_issues(self, item: Item, node: Node) -> Iterator[Issue]:
        """Yield an issue when a reference leads to a type that the profile does not allow."""
        allowed = [self.type_of_profile(url) for url in node.targets()]
        actual = self.target_type(item)
        if not actual or not allowed or "" in allowed:
            return
        if not any(is_subtype(actual, name) for name in allowed):
            text = f"The reference leads to a {actual}; allowed are {', '.join(sorted(allowed))}."
            yield Issue("error", "structure", text, (item.path,))


def _value_issues(item: Item, node: Node) -> Iterator[Issue]:
    """Yield what is wrong with a value beside fixed[x], pattern[x] and the limits."""
    fixed, pattern = node.required("fixed"), node.required("pattern")
    if fixed is not None and not equals(item.value, fixed):
        text = f"The value has to be exactly `{shown(fixed)}`."
        yield Issue("error", "value", text, (item.path,))
    if pattern is not None and not matches(item.value, pattern):
        text = f"The value has to have `{shown(pattern)}`."
        yield Issue("error", "value", text, (item.path,))
    longest = node.element.get("maxLength")
    if longest is not None and isinstance(item.value, str) and len(item.value) > longest:
        text = f"The text has to have at most {longest} characters."
        yield Issue("error", "too-long", text, (item.path,))
    for prefix, is_broken, word in _LIMITS:
        limit = node.required(prefix)
        if _is_number(limit) and _is_number(item.value) and is_broken(item.value, limit):
            yield Issue("error", "value", f"The number has to be {word} {limit}.", (item.path,))


_LIMITS: tuple[tuple[str, Callable[[Any, Any], bool], str], ...] = (
    ("minValue", lambda value, limit: value < limit, "at least"),
    ("maxValue", lambda value, limit: value > limit, "at most"),
)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | Decimal) and not isinstance(value, bool)


def _count_issues(
    items: list[Item], node: Node, place: str, base: Element | None
) -> Iterator[Issue]:
    """Yield an issue when there are fewer or more elements than the profile wants."""
    what = f"of the slice `{node.label.rpartition(':')[2]}` " if base is None else ""
    if len(items) < node.least and (base is None or node.least > base.min):
        text = f"At least {node.least} {what}has to be here; found {len(items)}."
        yield Issue("error", "required", text, (place,))
    is_tighter = base is None or base.max == "*" or str(node.most) != base.max
    if node.most is not None and len(items) > node.most and is_tighter:
        text = f"At most {node.most} {what}may be here; found {len(items)}."
        yield Issue("error", "structure", text, (place,))


def _type_issues(item: Item, node: Node) -> Iterator[Issue]:
    """Yield an issue when the profile does not allow the type of a value."""
    known = [name for name in node.types if type_of(name) is not None]
    if known and not any(is_subtype(item.type, name) for name in known):
        text = f"The type {item.type} is not allowed here; allowed: {', '.join(known)}."
        yield Issue("error", "structure", text, (item.path,))


def _rule_issues(found: list[tuple[Item, Node | None]], node: Node, place: str) -> Iterator[Issue]:
    """Yield what breaks the rules of slicing: closed, open at the end, ordered."""
    slicing = node.element.get("slicing", {})
    rules = slicing.get("rules", "open")
    names = list(map(id, node.slices.values()))
    order = [names.index(id(own)) if own is not None else len(names) for _, own in found]
    for item, own in found:
        if own is None and rules == "closed":
            text = "The element belongs to none of the slices, and others are not allowed."
            yield Issue("error", "structure", text, (item.path,))
    is_mixed = rules == "openAtEnd" and _out_of_order(
        [min(i, len(names)) // len(names) for i in order]
    )
    if is_mixed or (slicing.get("ordered") and _out_of_order([i for i in order if i < len(names)])):
        text = f"The slices have to stand in this order: {', '.join(node.slices)}."
        yield Issue("error", "structure", text, (place,))


def _out_of_order(numbers: list[int]) -> bool:
    return numbers != sorted(numbers)


def core_type(canonical: str) -> str:
    """Return the type whose definition a canonical of R4 itself is, or an empty string."""
    name = canonical.partition("|")[0].removeprefix(CORE)
    return name if canonical.startswith(CORE) and type_of(name) is not None else ""


def _has_error(issues: Iterator[Issue]) -> bool:
    return any(issue.is_error for issue in issues)
