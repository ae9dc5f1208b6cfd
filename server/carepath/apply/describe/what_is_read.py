"""What an expression reads: which elements of which resource types, and which value sets it asks.

https://hl7.org/fhir/R4/metadatatypes.html#DataRequirement

The syntax tree is walked once.  A variable that stands for resources starts a path; members
lengthen it; `memberOf('...')` and comparisons with a code say which codes are wanted at a path.  A
fact hands on the paths of its own expression, so that what it rests on is found through any number
of facts.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from carepath.apply.compile.collection import Collection
from carepath.apply.compile.names import Fact, Names
from carepath.fhirpath.functions import FUNCTIONS
from carepath.fhirpath.functions.row import Argument
from carepath.fhirpath.nodes import Ast, Binary, Call, Literal, Member, Variable, children
from carepath.r4.model import RESOURCE_TYPES

Place = tuple[str, str]
"""A resource type and a path below it, empty for the resource itself."""

_OF_INPUT = {"items", "below", "targets", "both"}
_OF_ARGUMENTS = {"arguments", "repeated", "both"}
_PATIENT = {"subject", "patient", "context", "resource", "rootResource"}
_MOST_PLACES = 60


@dataclass(slots=True)
class Reading:
    """What was found: elements by type, value sets and codes by place."""

    subject: str = "Patient"
    """The type of the subject, where a bare path begins."""
    elements: dict[str, dict[str, None]] = field(default_factory=dict)
    value_sets: dict[Place, dict[str, None]] = field(default_factory=dict)
    codes: dict[Place, dict[str, None]] = field(default_factory=dict)
    asked: dict[str, None] = field(default_factory=dict)
    """Every value set that an expression names, at whatever place."""
    collections: dict[str, Collection] = field(default_factory=dict)
    facts: dict[Fact, frozenset[Place]] = field(default_factory=dict)

    def expression(self, tree: Ast | None, names: Iterable[Names]) -> None:
        """Add what an expression reads; its focus is the subject."""
        if tree is not None:
            self._visit(tree, tuple(names), frozenset({(self.subject, "")}))

    def requirement(self, collection: Collection) -> None:
        """Add a data requirement that names what it wants itself."""
        self.collections.setdefault(collection.name, collection)
        self.elements.setdefault(collection.type, {})

    def _visit(
        self, node: Ast, names: tuple[Names, ...], focus: frozenset[Place]
    ) -> frozenset[Place]:
        """Return the places that the value of a node comes from."""
        if isinstance(node, Variable):
            return self._variable(node.name, names)
        if isinstance(node, Member):
            return self._member(node, names, focus)
        if isinstance(node, Call):
            return self._call(node, names, focus)
        if isinstance(node, Binary):
            left = self._visit(node.left, names, focus)
            right = self._visit(node.right, names, focus)
            self._compared(node, left, right)
            return left | right if node.operator == "|" else frozenset()
        found: frozenset[Place] = frozenset()
        for child in children(node):
            found |= self._visit(child, names, focus)
        return found

    def _variable(self, name: str, names: tuple[Names, ...]) -> frozenset[Place]:
        """Return where the value of a variable comes from."""
        if name == "patient" and self.subject != "Patient":
            return frozenset()
        if name in _PATIENT:
            return frozenset({(self.subject, "")})
        entry = next((n.entries[name] for n in names if name in n.entries), None)
        if isinstance(entry, Collection):
            self.requirement(entry)
            return frozenset({(entry.type, "")})
        if isinstance(entry, Fact):
            if entry not in self.facts:
                self.facts[entry] = frozenset()
                tree = entry.formula.tree
                if tree is not None:
                    homes = (entry.home, *names)
                    self.facts[entry] = self._visit(tree, homes, frozenset({(self.subject, "")}))
            return self.facts[entry]
        resource_type = name[:1].upper() + name[1:]
        return frozenset({(resource_type, "")} if resource_type in RESOURCE_TYPES else ())

    def _member(
        self, node: Member, names: tuple[Names, ...], focus: frozenset[Place]
    ) -> frozenset[Place]:
        """Lengthen the paths by a name, and note the first element of each."""
        source = focus if node.source is None else self._visit(node.source, names, focus)
        if node.source is None and node.name in RESOURCE_TYPES:
            return frozenset({(node.name, "")})
        found = set()
        for resource_type, path in source:
            longer = f"{path}.{node.name}" if path else node.name
            if not path:
                self.elements.setdefault(resource_type, {})[node.name] = None
            found.add((resource_type, longer))
        return frozenset(sorted(found)[:_MOST_PLACES])

    def _call(
        self, node: Call, names: tuple[Names, ...], focus: frozenset[Place]
    ) -> frozenset[Place]:
        """Return what a function hands on, after looking at its arguments."""
        source = focus if node.source is None else self._visit(node.source, names, focus)
        function = FUNCTIONS.get(node.name)
        if function is None:
            return frozenset()
        found = source if function.gives.of in _OF_INPUT else frozenset()
        for row, argument in zip(function.arguments, node.arguments, strict=False):
            if row.is_value_set:
                self._asked(argument, source)
            inside = self._argument(row, argument, names, source, focus)
            if function.gives.of in _OF_ARGUMENTS and not row.is_condition:
                found |= inside
        return found

    def _argument(
        self,
        row: Argument,
        argument: Ast,
        names: tuple[Names, ...],
        source: frozenset[Place],
        focus: frozenset[Place],
    ) -> frozenset[Place]:
        """Return where the value of an argument comes from, seen from where it is evaluated."""
        if row.on == "nothing":
            return frozenset()
        return self._visit(argument, names, focus if row.on == "call" else source)

    def _asked(self, argument: Ast, source: frozenset[Place]) -> None:
        """Note the value set of a memberOf()."""
        if isinstance(argument, Literal) and isinstance(argument.value, str):
            self.asked[argument.value] = None
            for resource_type, path in source:
                place = (resource_type, _concept_path(path))
                self.value_sets.setdefault(place, {})[argument.value] = None

    def _compared(self, node: Binary, left: frozenset[Place], right: frozenset[Place]) -> None:
        """Note a code that some coding is compared with."""
        pairs = ((node.right, left), (node.left, right))
        for literal, places in pairs:
            if node.operator not in ("=", "~") or not isinstance(literal, Literal):
                continue
            value: Any = literal.value
            for resource_type, path in places:
                if isinstance(value, str) and path.endswith("coding.code"):
                    place = (resource_type, _concept_path(path))
                    self.codes.setdefault(place, {})[value] = None


def _concept_path(path: str) -> str:
    """Return the path of the concept that a coding or its code is in."""
    return path.removesuffix(".code").removesuffix(".coding") if ".coding" in path else path
