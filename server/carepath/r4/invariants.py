"""The invariants (FHIRPath constraints) of the base definitions of FHIR R4.

https://hl7.org/fhir/R4/conformance-rules.html#constraints
"""

from functools import cache
from typing import Literal, NamedTuple

from carepath.r4.data import read_table
from carepath.r4.model import type_of


class Invariant(NamedTuple):
    """A constraint that an element must meet."""

    key: str
    severity: Literal["error", "warning"]
    human: str
    expression: str


@cache
def invariants_of(type_name: str) -> tuple[Invariant, ...]:
    """Return the constraints of a type (or backbone, by path), those of its bases first."""
    found = type_of(type_name)
    if found is None:
        return ()
    inherited = invariants_of(found.base) if found.base else ()
    return (*inherited, *_declared(type_name))


@cache
def invariants_at(path: str) -> tuple[Invariant, ...]:
    """Return what an element's own definition adds to the constraints of its type.

    The path is that of the definitions, such as `SearchParameter.chain`; for a backbone, whose
    type is named by its path, `invariants_of` has them already.
    """
    return () if type_of(path) is not None else _declared(path)


@cache
def base_keys() -> frozenset[str]:
    """Return the keys of all invariants of the base definitions."""
    table = read_table("invariants.json")
    return frozenset(row[0] for rows in table.values() for row in rows)


def _declared(name: str) -> tuple[Invariant, ...]:
    return tuple(Invariant(*row) for row in read_table("invariants.json").get(name, ()))
