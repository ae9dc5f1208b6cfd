"""Evidence: which resources and elements a result was computed from.

A traced item carries its evidence as fourth entry.  A child is its own evidence.  An item that
a function hands on (`where`, `first`) keeps its evidence; one that is computed (`exists`, `>`)
takes that of everything its operands gave, which the wrapper of each evaluator collects.
"""

from carepath.deadline import paced
from carepath.fhirpath.values.access import Key, add_children
from carepath.fhirpath.values.context import Context, Evaluator
from carepath.fhirpath.values.evidence import Touched, evidence_of, merge, rooted, with_evidence
from carepath.fhirpath.values.failure import Failure
from carepath.fhirpath.values.types import MANY, RESOURCE, RESOURCE_OF, Item, Items


def traced(evaluator: Evaluator) -> Evaluator:
    """Return the evaluator that collects evidence around another."""

    def evaluate(context: Context, this: Item) -> Items:
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


def chosen(plain: Evaluator, evaluator: Evaluator) -> Evaluator:
    """Return the evaluator for a choice among the items of a variable.

    Resources are their own evidence however they were chosen: only other items need the tracing.
    """

    def evaluate(context: Context, this: Item) -> Items:
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


def traced_step(inner: Evaluator, key: Key, *, first: bool, paths: bool) -> Evaluator:
    """Return the evaluator for a path step whose children know where they are from.

    Without `paths` they know the resource, and the path of whatever the step began at.
    """
    placed = _placed if paths else _inherited
    name = key if isinstance(key, str) else key[0]
    may_be_type = first and name[:1].isupper() and isinstance(key, str)

    def evaluate(context: Context, this: Item) -> Items:
        found: Items = []
        for item in paced(inner(context, this)):
            if may_be_type and name in item[1].ancestors:
                found.append(item)
                continue
            children: Items = []
            add_children(item, key, children)
            found += placed(children, item, name, key)
        return found

    return evaluate


def _inherited(children: Items, parent: Item, _: str, key: Key) -> Items:
    """Return the children with the resource they are in."""
    places = evidence_of(parent)[:1]
    if not children or parent[1].members[key][0] in (RESOURCE, RESOURCE_OF):
        return [rooted(child) for child in children]
    return [with_evidence(child, places) for child in paced(children)] if places else children


def _placed(children: Items, parent: Item, name: str, key: Key) -> Items:
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
        for index, child in enumerate(paced(children))
    ]
