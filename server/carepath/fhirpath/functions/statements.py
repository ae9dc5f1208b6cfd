"""What a record states of somebody: when it was, what it is about, and which statement holds.

Functions of Carepath's own, beside those of the specification (https://hl7.org/fhirpath/ allows an
implementation more).  They say in one word what FHIR defines in several elements of each resource
type, so that an expression need not: docs/fhirpath.md has a page on them.
"""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from carepath.fhirpath.functions.references import resolved
from carepath.fhirpath.functions.row import (
    A_STRING,
    EACH,
    ITEMS,
    Compiler,
    Function,
    Result,
    Table,
    Writer,
    Written,
)
from carepath.fhirpath.functions.table import looped, plain
from carepath.fhirpath.nodes import Call
from carepath.fhirpath.values.comparison import key_of
from carepath.fhirpath.values.context import Context, Evaluator
from carepath.fhirpath.values.evidence import evidence_of, with_evidence
from carepath.fhirpath.values.failure import Failure
from carepath.fhirpath.values.results import EMPTY, text
from carepath.fhirpath.values.types import Item, Items, fhir_type
from carepath.resources import Resource, codings

_Conditions = Mapping[int, Mapping[str, Any]]
"""Conditions by the `id()` of what was sent for them."""
_YES = text("yes")
_NAMING = ("focus", "reasonReference", "addresses")
"""Elements that say which Condition a resource is about."""
_RELATED = ("condition-related", "mcode-related-condition", "related-primary-cancer-condition")
"""Ends of the URLs of the extensions that say it."""


def _time_of(resource: Resource) -> Any:
    from carepath.record.when import time_of  # noqa: PLC0415 - costs as much as the engine itself

    return time_of(resource)


def _latest_among(resources: list[Any]) -> list[Any]:
    from carepath.record.when import latest  # noqa: PLC0415 - as above

    return latest(resources)


def _occurred(_: Context, items: Items) -> Items:
    """Return when each resource took place, as a Period; what has no time gives nothing."""
    found: Items = []
    for item in items:
        period = _time_of(item[0]) if isinstance(item[0], dict) else None
        if period is not None:
            made: Item = (period, fhir_type("Period"))
            evidence = evidence_of(item)
            found.append(with_evidence(made, evidence) if evidence else made)
    return found


def _concerns(context: Context, items: Items, conditions: Items) -> Items:
    """Return `yes`, `no` or `open` for what one resource says it is about; empty if it says none.

    `open`: it names a Condition that is not here.
    """
    if len(items) != 1 or not isinstance(items[0][0], dict):
        return EMPTY
    resource = items[0][0]
    wanted = {id(each[0]): each[0] for each in conditions if isinstance(each[0], dict)}
    found = {_meaning(context, named, within, wanted) for named, within in _all(context, resource)}
    return next((text(word) for word in ("yes", "open", "no") if word in found), EMPTY)


def _all(
    context: Context, resource: Mapping[str, Any]
) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """Yield what a resource says it is about, and where it says so: in itself, else in its order.

    Only of a Procedure: it is done for the reason that it was ordered for.  An image or a
    measurement may be ordered for a complaint and show the tumour.
    """
    own = list(_named(resource))
    yield from ((reference, resource) for reference in own)
    if own or resource.get("reasonCode") or resource.get("resourceType") != "Procedure":
        return
    orders = resource.get("basedOn")
    for order in orders if isinstance(orders, list) else ():
        target = resolved(context, order) if isinstance(order, dict) else None
        if target is not None:
            yield from ((reference, target) for reference in _named(target))


def _meaning(
    context: Context, reference: Mapping[str, Any], within: Mapping[str, Any], wanted: _Conditions
) -> str:
    """Return what one reference says: `yes`, `no`, `open`, or nothing if it names no Condition."""
    literal = reference.get("reference")
    if isinstance(literal, str) and literal.startswith("#"):
        return _meaning_of_contained(literal[1:], within, wanted)
    target = resolved(context, reference)
    if target is None:
        named = str(reference.get("reference") or reference.get("type") or "Condition/")
        return "open" if "Condition" in named or named.startswith("urn:") else ""
    if id(target) in wanted:
        return "yes"
    return "no" if target.get("resourceType") == "Condition" else ""


def _meaning_of_contained(id_: str, within: Mapping[str, Any], wanted: _Conditions) -> str:
    """Return what a contained Condition says: it is a copy of the one that has its code."""
    contained = within.get("contained")
    parts = contained if isinstance(contained, list) else ()
    target = next((p for p in parts if isinstance(p, dict) and p.get("id") == id_), None)
    if target is None:
        return "open"
    if target.get("resourceType") != "Condition":
        return ""
    codes = _codes(target)
    if codes & {code for condition in wanted.values() for code in _codes(condition)}:
        return "yes"
    return "no" if codes else "open"


def _codes(condition: Mapping[str, Any]) -> set[tuple[str, str]]:
    """Return system and code of each coding of a Condition."""
    return {(str(c.get("system")), str(c.get("code"))) for c in codings(condition.get("code"))}


def _named(resource: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the references of a resource that may name a Condition that it is about."""
    for name in _NAMING:
        value = resource.get(name)
        for reference in value if isinstance(value, list) else (value,):
            if isinstance(reference, dict):
                yield reference
    extensions = resource.get("extension")
    for extension in extensions if isinstance(extensions, list) else ():
        reference = extension.get("valueReference") if isinstance(extension, dict) else None
        if isinstance(reference, dict) and str(extension.get("url")).endswith(_RELATED):
            yield reference


def _latest(context: Context, items: Items, conditions: Items = EMPTY) -> Items:
    """Return the statements that may be the latest, for each of several Conditions on its own.

    Of several only those count that name one.  Empty when one of them has no statement: what is
    not said of all of them is not known.
    """
    context.spend_on(len(items))
    if len(conditions) < 2:  # noqa: PLR2004 - one thing that all statements are about
        return _latest_of(items)
    found: dict[int, Item] = {}
    for condition in conditions:
        group = [item for item in items if _concerns(context, [item], [condition]) == _YES]
        if not group:
            return EMPTY
        found.update({id(item[0]): item for item in _latest_of(group)})
    return list(found.values())


def _latest_of(items: Items) -> Items:
    if len(items) < 2:  # noqa: PLR2004 - nothing to compare
        return items
    resources = [item[0] for item in items if isinstance(item[0], dict)]
    kept = {id(resource) for resource in _latest_among(resources)}
    # What is no resource has no date, and stays as a resource without one does.
    return [item for item in items if id(item[0]) in kept or not isinstance(item[0], dict)]


def _agreed(context: Context, items: Items, reading: Evaluator) -> Items:
    """Return the value that every item gives; empty when one gives none or another."""
    context.spend(len(items))
    values: dict[object, Item] = {}
    for context.index, item in enumerate(items):
        found = reading(context, item)
        if not found:
            return EMPTY
        values.update({key_of(each): each for each in found})
    return list(values.values()) if len(values) == 1 else EMPTY


def _build_agreed(compiler: Compiler, node: Call) -> Evaluator:
    """Compile the call; a value rests on the statement it was read from, which need not be traced.

    Statements without evidence of their own are traced through, and so are all for paths.
    """
    traced = looped(_agreed)(compiler, node)
    if not compiler.traced or compiler.paths:
        return traced
    source = compiler.source(node)
    reading = compiler.unobserved_items(node.arguments[0])

    def reading_with_evidence(context: Context, item: Item) -> Items:
        evidence = evidence_of(item)
        return [with_evidence(each, evidence) for each in reading(context, item)]

    def evaluate(context: Context, this: Item) -> Items:
        items = source(context, this)
        if all(map(evidence_of, items)):
            index = context.index
            with suppress(Failure):
                return _agreed(context, items, reading_with_evidence)
            context.index = index
        return traced(context, this)

    return evaluate


def _write_agreed(writer: Writer, node: Call, this: str) -> str:
    """Write the search for the one value that every item gives."""
    source = writer.source(node, this)
    writer.spend(source)
    values, key = writer.put("d", "dict()"), writer.constant(key_of)
    with writer.loop(source) as item:
        found = writer.items(node.arguments[0], item)
        with writer.block(f"if not {found}:"):
            writer.line(f"{values} = dict()")
            writer.line("break")
        writer.line(f"for each in {found}: {values}[{key}(each)] = each")
    return writer.put("v", f"list({values}.values()) if len({values}) == 1 else EMPTY")


FUNCTIONS: Table = {
    "occurred": plain(_occurred, gives=Result("FHIR.Period")),
    "concerns": plain(_concerns, 1, gives=A_STRING),
    "latest": plain(_latest, 0, 1, gives=ITEMS),
    "agreed": Function(
        _build_agreed, (EACH,), 1, Result(of="arguments"), written=Written(_write_agreed)
    ),
}
