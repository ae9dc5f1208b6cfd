"""Sets of types that a part of an expression may have, before anything is evaluated.

https://hl7.org/fhirpath/#type-safety-and-strict-evaluation
"""

from typing import NamedTuple

from carepath.fhirpath.functions.row import Function
from carepath.fhirpath.values.types import SYSTEM, TypeInfo, fhir_type, fits, is_type, model

Types = frozenset[str] | None
"""Full names such as `FHIR.Patient`; None: anything."""


ANY_RESOURCE = frozenset({"Resource", "DomainResource"})
BOOLEAN_RESULT = frozenset({"System.Boolean"})


class Kinds(NamedTuple):
    """What is known about the result of a node."""

    types: Types
    single: bool = True
    ordered: bool = True


ANYTHING = Kinds(None, False)


def info(name: str) -> TypeInfo:
    space, _, bare = name.partition(".")
    return SYSTEM[bare] if space == "System" else fhir_type(bare)


def only_kind(kinds: Kinds) -> int | None:
    found = {info(name).kind for name in kinds.types or ()}
    return found.pop() if len(found) == 1 else None


def children_of(owner: str, name: str) -> tuple[frozenset[str] | None, bool]:
    """Return the types of an element and whether it repeats; None for types not known."""
    if owner.startswith("System."):
        return (None, False) if owner in _WITH_MEMBERS else (frozenset(), False)
    bare = owner.removeprefix("FHIR.")
    if bare in ANY_RESOURCE:
        return None, True
    type_ = model().type_of(bare)
    if type_ is None:
        return None, True
    if type_.kind == "primitive" and name == "value":
        return None, False
    if name in type_.choices:
        return frozenset(f"FHIR.{e.type}" for e in type_.choices[name]), False
    element = type_.elements.get(name)
    if element is None or element.choice:
        return frozenset(), False
    return frozenset({f"FHIR.{element.type}"}), element.is_list


_WITH_MEMBERS = frozenset({"System.Quantity", "System.TypeInfo"})


def narrowed(types: Types, wanted: str) -> Types:
    """Return those of the types that `as` and `ofType` let pass, narrowed to what is wanted."""
    namespace, _, bare = wanted.rpartition(".")
    in_fhir = namespace != "System" and model().type_of(bare) is not None
    full = f"FHIR.{bare}" if in_fhir else f"System.{bare}"
    if types is None:
        return None if in_fhir and bare in SYSTEM else frozenset({full})
    found = set()
    for name in types:
        if fits(info(name), wanted):
            found.add(name)
        elif in_fhir and is_type(fhir_type(bare), name):
            found.add(full)
    return frozenset(found)


def result_of(function: Function, source: Kinds, given: list[Kinds]) -> Kinds:
    """Return what a function gives: from its row, its input and its arguments."""
    gives = function.gives
    if gives.type:
        return Kinds(frozenset({gives.type}))
    if gives.of == "items":
        return source._replace(single=source.single or gives.is_single)
    if gives.of == "arguments":
        return _of_arguments(function, source, given)
    return ANYTHING._replace(ordered=gives.is_ordered)


def _of_arguments(function: Function, source: Kinds, given: list[Kinds]) -> Kinds:
    """Return what the arguments give that are no conditions, for one item or for each."""
    pairs = [
        (row, kinds)
        for row, kinds in zip(function.arguments, given, strict=False)
        if not row.is_condition
    ]
    if any(row.on == "each" for row, _ in pairs):
        (_, inner) = pairs[0]
        return Kinds(inner.types, source.single and inner.single, source.ordered and inner.ordered)
    return either([kinds for _, kinds in pairs])


def either(branches: list[Kinds]) -> Kinds:
    if any(branch.types is None for branch in branches):
        return ANYTHING
    types = frozenset[str]().union(*(branch.types or () for branch in branches))
    return Kinds(types, all(b.single for b in branches), all(b.ordered for b in branches))


def listed(types: frozenset[str]) -> str:
    names = sorted(types)
    return ", ".join(names[:4]) + (", …" if len(names) > 4 else "")  # noqa: PLR2004


def unknown_member(name: str, types: frozenset[str]) -> str:
    for owner in sorted(types):
        type_ = model().type_of(owner.removeprefix("FHIR."))
        element = type_.elements.get(name) if type_ else None
        if element is not None and element.choice:
            return f"`{name}` is written `{element.choice}.ofType({element.type})` in FHIRPath"
    return f"{listed(types)} has no element `{name}`"
