"""A StructureDefinition as a tree of what it asks for.

https://hl7.org/fhir/R4/elementdefinition.html

The tree is made from the snapshot, or from the differential when there is no snapshot: whatever R4
itself asks for is checked elsewhere, so that only what a profile adds is wanted here.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from carepath.validation.invariants import base_keys

CORE = "http://hl7.org/fhir/StructureDefinition/"


@dataclass(slots=True)
class Node:
    """One ElementDefinition with those of its children and slices."""

    name: str
    """The last step of the path: `code`, `value[x]`, `valueQuantity`."""
    label: str
    """The id of the element: `Observation.component:systolic.code`."""
    element: Mapping[str, Any]
    children: dict[str, "Node"] = field(default_factory=dict)
    slices: dict[str, "Node"] = field(default_factory=dict)

    @property
    def least(self) -> int:
        """Return the smallest number of elements, 0 when it is not said."""
        low = self.element.get("min", 0)
        return low if isinstance(low, int) else 0

    @property
    def most(self) -> int | None:
        """Return the largest number of elements, None when there is no limit."""
        high = str(self.element.get("max", "*"))
        return int(high) if high.isdigit() else None

    @property
    def types(self) -> tuple[str, ...]:
        """Return the names of the types that are allowed, empty when it is not said."""
        return tuple(_type_name(entry) for entry in self.element.get("type", ()))

    def profiles(self, type_name: str) -> tuple[str, ...]:
        """Return the profiles that a value of a type has to conform to one of."""
        return tuple(self._of_types("profile", type_name))

    def targets(self) -> tuple[str, ...]:
        """Return the profiles that the target of a reference has to conform to one of."""
        return tuple(self._of_types("targetProfile", ""))

    def required(self, prefix: str) -> Any:
        """Return the value of `fixed[x]` or `pattern[x]`, None when there is none."""
        return next((v for k, v in self.element.items() if k.startswith(prefix)), None)

    @property
    def invariants(self) -> tuple[Mapping[str, Any], ...]:
        """Return the constraints that R4's own definitions do not have."""
        known = base_keys()
        found = self.element.get("constraint", ())
        return tuple(constraint for constraint in found if constraint.get("key") not in known)

    @property
    def decides(self) -> bool:
        """Tell whether the node or one below it names a value, so that it can tell slices apart."""
        binding = self.element.get("binding", {})
        named = self.required("fixed") is not None or self.required("pattern") is not None
        own = named or binding.get("strength") == "required"
        return own or any(node.decides for node in self.below())

    def below(self) -> Iterator["Node"]:
        """Yield the children and the slices of the node."""
        yield from self.children.values()
        yield from self.slices.values()

    def _of_types(self, member: str, type_name: str) -> Iterator[str]:
        for entry in self.element.get("type", ()):
            if not type_name or _type_name(entry) == type_name:
                yield from entry.get(member, ())


@dataclass(frozen=True, slots=True)
class Profile:
    """A compiled StructureDefinition."""

    url: str
    type: str
    parent: str
    """Canonical of the profile to check as well; empty when the tree holds all."""
    root: Node
    context: tuple[Mapping[str, Any], ...] = ()
    """Where an extension may stand."""
    is_modifier: bool = False


def compile_profile(definition: Mapping[str, Any]) -> Profile | None:
    """Return the tree of a StructureDefinition; None when it has no elements."""
    has_snapshot = bool(definition.get("snapshot", {}).get("element"))
    whole = definition.get("snapshot" if has_snapshot else "differential", {})
    elements = whole.get("element", [])
    if not elements:
        return None
    root = Node(str(definition.get("type", "")), str(definition.get("type", "")), {})
    for element in elements:
        _insert(root, element)
    parent = str(definition.get("baseDefinition", ""))
    is_core_type = parent.startswith(CORE) and definition.get("derivation") != "constraint"
    return Profile(
        url=str(definition.get("url", "")),
        type=str(definition.get("type", "")),
        parent="" if has_snapshot or is_core_type else parent,
        root=root,
        context=tuple(definition.get("context", ())),
        is_modifier=bool(root.element.get("isModifier")),
    )


def _insert(root: Node, element: Mapping[str, Any]) -> None:
    """Put an element at its place in the tree; places in between are made when they are missing."""
    label = str(element.get("id") or element.get("path"))
    steps = label.split(".")
    node = root
    if len(steps) == 1:
        root.element = element
    for depth, step in enumerate(steps[1:], start=2):
        name, _, slice_name = step.partition(":")
        so_far = ".".join(steps[:depth])
        node = node.children.setdefault(name, Node(name, so_far, {}))
        for part in _reslices(slice_name):
            node = node.slices.setdefault(part, Node(name, so_far, {}))
    node.element = element


def _reslices(slice_name: str) -> list[str]:
    """Return the slices on the way to a slice: `a/b` is a slice `a/b` of the slice `a`."""
    parts = slice_name.split("/") if slice_name else []
    return ["/".join(parts[: depth + 1]) for depth in range(len(parts))]


def _type_name(entry: Mapping[str, Any]) -> str:
    """Return the name of a type; primitives' inner values have a FHIRPath type with a note."""
    for extension in entry.get("extension", ()):
        if str(extension.get("url", "")).endswith("structuredefinition-fhir-type"):
            return str(extension.get("valueUrl") or extension.get("valueUri") or "")
    return str(entry.get("code", "")).removeprefix(CORE)
