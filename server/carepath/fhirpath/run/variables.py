"""Environment variables: `%resource`, `%ucum`, `%vs-name`, and those the caller gives.

https://hl7.org/fhirpath/#environment-variables and https://hl7.org/fhir/R4/fhirpath.html#variables
"""

from collections.abc import Callable, Iterable
from typing import Any

from carepath.fhirpath.nodes import Variable
from carepath.fhirpath.run.tracing import Evidence, rooted, with_evidence
from carepath.fhirpath.values.access import many, spread
from carepath.fhirpath.values.context import Context, Evaluator
from carepath.fhirpath.values.failure import Failure, described
from carepath.fhirpath.values.results import text
from carepath.fhirpath.values.types import (
    FACTORY,
    SYSTEM,
    TERMINOLOGIES,
    Item,
    Items,
    fhir_type,
    item_of,
)

_CONSTANTS = {
    "sct": "http://snomed.info/sct",
    "loinc": "http://loinc.org",
    "ucum": "http://unitsofmeasure.org",
}
_PREFIXED = {
    "vs-": "http://hl7.org/fhir/ValueSet/",
    "ext-": "http://hl7.org/fhir/StructureDefinition/",
}


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


def variable(node: Variable) -> Evaluator:
    """Return the evaluator for `%name`."""
    name = node.name
    standard = _STANDARD.get(name)

    def evaluate(context: Context, _: Item) -> Items:
        defined = context.scope.get(name)
        if defined is not None:
            return defined
        if standard is not None:
            return standard(context)
        try:
            value = context.environment.variables[name]
        except KeyError:
            raise Failure(f"`%{name}` is not defined", (), node) from None
        if type(value) is Known and not context.traced:
            return value.items
        try:
            return _traced(context, name, value) if context.traced else items_of(value)
        except Failure as failure:
            failure.node = node
            raise

    if name in _CONSTANTS:
        constant = text(_CONSTANTS[name])
        return lambda _context, _this: constant
    for prefix, url in _PREFIXED.items():
        if name.startswith(prefix):
            return _prefixed(text(url + name.removeprefix(prefix)), evaluate, name)
    return evaluate


def _traced(context: Context, name: str, value: Any) -> Items:
    """Return what a name stands for with evidence; once, as a loop reads it again and again."""
    found = context.roots.get(name)
    if found is None:
        found = context.roots[name] = items_of(value, traced=True)
    return found


def _prefixed(constant: Items, given: Evaluator, name: str) -> Evaluator:
    """A variable of the caller with such a name goes before the standard meaning."""

    def evaluate(context: Context, this: Item) -> Items:
        if name in context.environment.variables or name in context.scope:
            return given(context, this)
        return constant

    return evaluate


def _rooted(name: str, find: Callable[[Context], Any]) -> Callable[[Context], Items]:
    """Return the evaluator of a variable that stands for a resource, found once."""

    def get(context: Context) -> Items:
        found = context.roots.get(name)
        if found is None:
            value = find(context)
            found = (
                spread(context.focus) if value is None else items_of(value, traced=context.traced)
            )
            context.roots[name] = found
        return found

    return get


def _root_resource(context: Context) -> Any:
    environment = context.environment
    return (
        environment.root_resource if environment.root_resource is not None else environment.resource
    )


def singleton(type_: Any) -> Callable[[Context], Items]:
    """Return the evaluator of an object that only has functions."""
    items: Items = [({}, type_)]
    return lambda _: items


_STANDARD: dict[str, Callable[[Context], Items]] = {
    "resource": _rooted("resource", lambda context: context.environment.resource),
    "rootResource": _rooted("rootResource", _root_resource),
    "context": _rooted("context", lambda context: context.environment.context),
    "terminologies": singleton(TERMINOLOGIES),
    "factory": singleton(FACTORY),
}
RESERVED = frozenset({*_STANDARD, *_CONSTANTS})


def is_given(name: str) -> bool:
    """Tell whether a variable has no meaning but what the caller gives it."""
    return name not in RESERVED and not name.startswith(tuple(_PREFIXED))


def names_of(variables: Iterable[str]) -> frozenset[str]:
    """Return the names that the caller has to give: all but the standard ones."""
    return frozenset(filter(is_given, variables))
