"""What a reference means: in the resource that holds it, in its Bundle, or for the resolver.

https://hl7.org/fhir/R4/references.html#contained and https://hl7.org/fhir/R4/bundle.html#references

A value does not know what it was reached through.  So the resources in hand are asked which of
them holds this very reference: what was handed in, the variables that were read so far, and what
was resolved before.  That is done only for a reference that depends on its holder.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from carepath.fhirpath.functions.row import Result, Table
from carepath.fhirpath.functions.table import plain
from carepath.fhirpath.values.access import spread
from carepath.fhirpath.values.context import Context
from carepath.fhirpath.values.evidence import rooted
from carepath.fhirpath.values.known import items_of
from carepath.fhirpath.values.types import Items, resource_type

Resource = Mapping[str, Any]
_FOUND = "resolve()"
"""Under this name the context remembers what was resolved."""


def _resolve(context: Context, items: Items) -> Items:
    found = []
    for item in items:
        resource = resolved(context, item[0])
        if isinstance(resource, dict):
            target = (resource, resource_type(resource))
            context.roots.setdefault(_FOUND, []).append(target)
            found.append(rooted(target) if context.traced else target)
    return found


def resolved(context: Context, reference: Any) -> Any:
    """Return what a Reference, or its text, means; None when nobody knows it.

    The contained resources and the Bundle come first, then the resolver of the environment.
    """
    resolver = context.environment.resolver
    literal = reference.get("reference") if isinstance(reference, dict) else reference
    if isinstance(literal, str):
        if literal.startswith("#"):
            return _in_holder(context, reference, literal[1:])
        found = _in_bundles(context, reference, literal)
        return resolver(literal) if found is None and resolver is not None else found
    # A business identifier: only whoever holds the record can look it up.
    by_identifier = isinstance(reference, dict) and "identifier" in reference
    return resolver(reference) if resolver is not None and by_identifier else None


def _in_holder(context: Context, reference: Any, id_: str) -> Any:
    """Return the resource of this id in the resource that holds the reference.

    A reference that was made by an expression has no holder: it means what `%resource` contains,
    or else the only resource in hand that contains something of the id.
    """
    hand = _Hand.of(context)
    holders = hand.holders.get(id(reference), [])
    tell = context.environment.holder
    if not holders and tell is not None and isinstance(reference, dict):
        given = tell(reference)
        holders = [] if given is None else [given]
    for possible in (holders,) if holders else (_given(context), hand.containers):
        found = [each for holder in possible for each in _contained(holder, id_)]
        if found:
            return found[0] if all(each == found[0] for each in found) else None
    return None


class _Hand:
    """The resources in hand in one evaluation, and which of them holds which reference."""

    def __init__(self) -> None:
        self.holders: dict[int, list[Resource]] = {}
        """By the identity of a Reference, or of its text, to something contained."""
        self.containers: list[Resource] = []
        self.bundles: list[Resource] = []
        self._in_bundles: dict[int, Resource] | None = None
        self._seen: set[int] = set()
        self._read: dict[str, int] = {}

    @classmethod
    def of(cls, context: Context) -> "_Hand":
        """Return what is in hand now: what was read since the last time is looked at now."""
        hand = context.cache.get(_HAND)
        if hand is None:
            hand = context.cache[_HAND] = cls()
            for resource in _given(context):
                hand._take(context, resource)
        for name, items in context.roots.items():
            for item in items[hand._read.get(name, 0) :]:
                if isinstance(item[0], dict) and "resourceType" in item[0]:
                    hand._take(context, item[0])
            hand._read[name] = len(items)
        found: _Hand = hand
        return found

    def _take(self, context: Context, resource: Resource) -> None:
        if id(resource) in self._seen:
            return
        context.spend(1)
        self._seen.add(id(resource))
        if "contained" in resource:
            self.containers.append(resource)
            self._index(context, resource)
        carrier = _CARRIERS.get(str(resource.get("resourceType")))
        if carrier == "entry":
            self.bundles.append(resource)
            self._in_bundles = None
        parts = resource.get(carrier) if carrier else None
        for part in parts if isinstance(parts, list) else ():
            carried = part.get("resource") if isinstance(part, dict) else None
            if isinstance(carried, dict):
                self._take(context, carried)

    def _index(self, context: Context, resource: Resource) -> None:
        for part in _parts(context, resource):
            literal = part.get("reference") if isinstance(part, dict) else part
            if isinstance(literal, str) and literal.startswith("#"):
                self.holders.setdefault(id(part), []).append(resource)

    def bundle_of(self, context: Context, reference: Any) -> Resource | None:
        """Return the Bundle that holds a Reference; of one in hand nobody has to ask."""
        if len(self.bundles) < 2:  # noqa: PLR2004
            return None
        if self._in_bundles is None:
            self._in_bundles = {
                id(part): bundle
                for bundle in self.bundles
                for part in _parts(context, bundle)
                if isinstance(part, dict) and "reference" in part
            }
        return self._in_bundles.get(id(reference))


_HAND = id(_Hand)
_CARRIERS = {"Bundle": "entry", "Parameters": "parameter"}
"""Where a resource carries others that are resources of their own."""


def _parts(context: Context, resource: Resource) -> Iterator[Any]:
    """Yield everything in a resource."""
    stack: list[Any] = list(resource.values())
    while stack:
        context.spend(1)
        value = stack.pop()
        yield value
        if isinstance(value, dict):
            stack.extend(value.values())
        elif isinstance(value, list):
            stack.extend(value)


def _given(context: Context) -> Iterator[Resource]:
    """Yield the resources that the evaluation was begun with."""
    environment = context.environment
    begun = (*items_of(environment.root_resource), *items_of(environment.resource))
    for item in (*begun, *spread(context.focus)):
        if isinstance(item[0], dict):
            yield item[0]


def _contained(holder: Resource, id_: str) -> Iterator[Resource]:
    if not id_:
        yield holder
    contained = holder.get("contained")
    for each in contained if isinstance(contained, list) else ():
        if isinstance(each, dict) and each.get("id") == id_:
            yield each


def _in_bundles(context: Context, reference: Any, literal: str) -> Any:
    """Return the entry that a reference means: in its own Bundle, if several are in hand."""
    target = literal.partition("#")[0].partition("/_history/")[0]
    hand = _Hand.of(context)
    own = hand.bundle_of(context, reference)
    for bundle in sorted(hand.bundles, key=lambda each: each is not own):
        entries = bundle.get("entry")
        for entry in entries if isinstance(entries, list) else ():
            if isinstance(entry, dict) and _is_target(entry, target):
                return entry["resource"]
    return None


def _is_target(entry: Mapping[str, Any], target: str) -> bool:
    resource, full_url = entry.get("resource"), entry.get("fullUrl")
    if not isinstance(resource, dict):
        return False
    if full_url == target:
        return True
    local = f"{resource.get('resourceType')}/{resource.get('id')}"
    if isinstance(full_url, str) and "/" in full_url and not target.startswith(("http", "urn:")):
        return local == target or full_url.endswith(f"/{target}")
    return local == target


FUNCTIONS: Table = {
    "resolve": plain(_resolve, gives=Result(of="targets"))._replace(follows=True),
}
