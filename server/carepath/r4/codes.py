"""The codes of the value sets that R4 elements are bound to with strength `required`.

https://hl7.org/fhir/R4/terminologies.html#required
"""

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from carepath.r4.data import read_table


@cache
def codes_of(value_set: str) -> frozenset[str] | None:
    """Return the codes of a value set; None when they are not enumerated (MIME types)."""
    codings = codings_of(value_set)
    return None if codings is None else frozenset().union(*codings.values())


@cache
def codings_of(value_set: str) -> Mapping[str, frozenset[str]] | None:
    """Return the codes of a value set by code system; None when they are not enumerated."""
    entry = read_table("codes.json").get(value_set)
    if entry is None:
        return None
    return MappingProxyType({system: frozenset(codes) for system, codes in entry["codes"].items()})


def name_of(value_set: str) -> str:
    """Return the name of a value set (`AdministrativeGender`), or its URL when not known."""
    entry = read_table("codes.json").get(value_set)
    return value_set if entry is None else str(entry["name"])


def value_sets() -> tuple[str, ...]:
    """Return the URLs of all value sets whose codes are known here."""
    return tuple(read_table("codes.json"))
