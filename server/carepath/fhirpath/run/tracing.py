"""Evidence: which resources and elements a result was computed from.

A traced item carries its evidence as fourth entry.  A child is its own evidence.  An item that
a function hands on (`where`, `first`) keeps its evidence; one that is computed (`exists`, `>`)
takes that of everything its operands gave, which the wrapper of each evaluator collects.
"""

from typing import TYPE_CHECKING, NamedTuple

from carepath.fhirpath.values.failure import Failure
from carepath.fhirpath.values.types import MANY, RESOURCE, RESOURCE_OF, Item, Items

if TYPE_CHECKING:
    from carepath.fhirpath.values.access import Key
    from carepath.fhirpath.values.context import Context, Evaluator


class Touched(NamedTuple):
    """A place in a resource: `Observation/grade-1` and `Observation.value`."""

    resource: str
    path: str


Evidence = tuple[Touched, ...]
_TRACED = 4


def evidence_of(item: Item) -> Evidence:
    """Return the evidence of a traced item; computed values without any have none."""
    return item[3] if len(item) >= _TRACED else ()


def with_evidence(item: Item, evidence: Evidence) -> Item:
    """Return the item with this evidence."""
    return (item[0], item[1], item[2] if len(item) > 2 else None, evidence)  # noqa: PLR2004


def rooted(item: Item) -> Item:
    """Return a resource that comes in from outside as its own evidence."""
    if len(item) >= _TRACED:
        return item
    if item[1] is MANY:
        return ([rooted(each) for each in item[0]], MANY)
    return with_evidence(item, (_place_of(item),) if isinstance(item[0], dict) else ())


def _place_of(item: Item) -> Touched:
    value, type_ = item[0], item[1]
    identity = value.get("id")
    if value.get("resourceType") is None:
        return Touched("", type_.name)
    return Touched(f"{type_.name}/{identity}" if identity else type_.name, type_.name)


def traced(evaluator: "Evaluator") -> "Evaluator":
    """Return the evaluator that collects evidence around another."""

    def evaluate(context: "Context", this: Item) -> Items:
        outer = context.frame
        mine: list[Touched] = []
        context.frame = mine
        try:
            items = evaluator(context, this)
        finally:
            context.frame = outer
        if not all(map(evidence_of, items)):
            merged = merge(mine)
            items = [each if evidence_of(each) else with_evidence(each, merged) for each in items]
        for each in items:
            outer += each[3]
        return items

    return evaluate


def chosen(plain: "Evaluator", evaluator: "Evaluator") -> "Evaluator":
    """Return the evaluator for a choice among the items of a variable.

    Resources are their own evidence however they were chosen: only other items need the tracing.
    """

    def evaluate(context: "Context", this: Item) -> Items:
        try:
            items = plain(context, this)
        except Failure:
            return evaluator(context, this)
        if not all(map(_is_named, items)):
            return evaluator(context, this)
        found = [rooted(item) for item in items]
        for each in found:
            context.frame += each[3]
        return found

    return evaluate


def _is_named(item: Item) -> bool:
    return isinstance(item[0], dict) and "resourceType" in item[0] and "id" in item[0]


def merge(places: "list[Touched]") -> Evidence:
    """Return places without repetition, in the order they were met."""
    return tuple(dict.fromkeys(places))


def traced_step(inner: "Evaluator", key: "Key", *, first: bool, paths: bool) -> "Evaluator":
    """Return the evaluator for a path step whose children know where they are from.

    Without `paths` they know the resource, and the path of whatever the step began at.
    """
    from carepath.fhirpath.values.access import add_children  # noqa: PLC0415

    placed = _placed if paths else _inherited
    name = key if isinstance(key, str) else key[0]
    may_be_type = first and name[:1].isupper() and isinstance(key, str)

    def evaluate(context: "Context", this: Item) -> Items:
        found: Items = []
        for item in inner(context, this):
            if may_be_type and name in item[1].ancestors:
                found.append(item)
                continue
            children: Items = []
            add_children(item, key, children)
            found += placed(children, item, name, key)
        return found

    return evaluate


def _inherited(children: Items, parent: Item, _: str, key: "Key") -> Items:
    """Return the children with the resource they are in."""
    places = evidence_of(parent)[:1]
    if not children or parent[1].members[key][0] in (RESOURCE, RESOURCE_OF):
        return [rooted(child) for child in children]
    return [with_evidence(child, places) for child in children] if places else children


def _placed(children: Items, parent: Item, name: str, key: "Key") -> Items:
    """Return the children with the places they are at."""
    access = parent[1].members[key] if parent[1] is not MANY else (0, "", "", None)
    if access[0] in (RESOURCE, RESOURCE_OF):
        return [rooted(child) for child in children]
    places = evidence_of(parent)
    if not places:
        return children
    # A list in the JSON is numbered; one child of a single element is not.
    raw = parent[0].get(access[1]) if isinstance(parent[0], dict) else None
    return [
        with_evidence(
            child,
            tuple(
                Touched(
                    p.resource, f"{p.path}.{name}{f'[{index}]' if isinstance(raw, list) else ''}"
                )
                for p in places[:1]
            ),
        )
        for index, child in enumerate(children)
    ]


def child_of(parent: Item, name: str, child: Item) -> Item:
    """Return a child found by `children()`, with its place when the parent has one."""
    places = evidence_of(parent)
    if not places:
        return child
    if child[0].__class__ is dict and "resourceType" in child[0]:
        return rooted(child)
    return with_evidence(child, (Touched(places[0].resource, f"{places[0].path}.{name}"),))
