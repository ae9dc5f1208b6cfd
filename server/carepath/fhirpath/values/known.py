"""Values as callers hand them in and get them back, and what they are to the engine.

https://hl7.org/fhirpath/#expressions
"""

from typing import Any

from carepath.fhirpath.values.access import many
from carepath.fhirpath.values.evidence import Evidence, rooted, with_evidence
from carepath.fhirpath.values.failure import Failure, described
from carepath.fhirpath.values.types import SYSTEM, Item, Items, fhir_type, item_of


class Node:
    """A value with its type, for callers that need both, and the evidence it rests on."""

    __slots__ = ("evidence", "sibling", "type", "value")

    def __init__(self, value: Any, type: str, evidence: Evidence = (), sibling: Any = None) -> None:
        self.value = value
        self.type = type
        self.evidence = evidence
        self.sibling = sibling

    def __repr__(self) -> str:
        return f"Node({self.value!r}, {self.type!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Node) and (self.value, self.type, self.sibling) == (
            other.value,
            other.type,
            other.sibling,
        )

    __hash__ = None  # type: ignore[assignment]


def node_of(item: Item) -> Node:
    """Return the public form of an item."""
    type_ = item[1]
    name = f"System.{type_.name}" if type_.namespace == "System" else type_.name
    return Node(
        item[0],
        name,
        item[3] if len(item) > 3 else (),  # noqa: PLR2004
        item[2] if len(item) > 2 else None,  # noqa: PLR2004
    )


class Known:
    """A collection in the engine's own form: as a variable or a focus it is read at no cost."""

    __slots__ = ("_item", "items")

    def __init__(self, items: Items) -> None:
        self.items = items
        self._item: Item | None = None

    @property
    def item(self) -> Item:
        """Return the collection as one focus."""
        if self._item is None:
            self._item = many(self.items)
        return self._item

    @classmethod
    def of(cls, value: Any) -> "Known":
        """Return what a value, resource, Node, or a list of them is to the engine."""
        return cls(items_of(value))

    def nodes(self) -> list[Node]:
        """Return the values with their types."""
        return [node_of(item) for item in self.items]

    def nodes_from(self, evidence: Evidence) -> list[Node]:
        """Return the values with their types and the places that all of them rest on."""
        return [node_of((*item[:2], *(item[2:3] or (None,)), evidence)) for item in self.items]


def items_of(value: Any, *, traced: bool = False) -> Items:
    """Return the items for what a caller handed in: a value, resource, Node, or several."""
    if type(value) is Known:
        return [rooted(item) for item in value.items] if traced else value.items
    if value is None:
        return []
    if isinstance(value, list | tuple):
        return [item for each in value for item in items_of(each, traced=traced)]
    if isinstance(value, Node):
        item = _item_of_node(value)
        if traced and value.evidence:
            return [with_evidence(item, value.evidence)]
    else:
        found = item_of(value)
        if found is None:
            raise Failure(f"{described(value)} is no value of FHIRPath")
        item = found
    return [rooted(item)] if traced else [item]


def _item_of_node(node: Node) -> Item:
    namespace, _, name = node.type.rpartition(".")
    type_ = (
        SYSTEM[name]
        if namespace == "System" and name in SYSTEM
        else fhir_type(node.type.removeprefix("FHIR."))
    )
    if not type_.primitive and not isinstance(node.value, dict):
        raise Failure(f"{described(node.value)} is no {type_!r}")
    return (node.value, type_) if node.sibling is None else (node.value, type_, node.sibling)
