"""SMART scopes: what may be done with which type of resource, as a text and as a value.

https://hl7.org/fhir/smart-app-launch/STU2.1/scopes-and-launch-context.html

`system/PlanDefinition.rs` is read and search of PlanDefinitions, `system/*.r` read of everything.
The words of the first version (`read`, `write`, `*`) are understood.  A scope with a query
(`?category=...`) narrows what this service cannot narrow, and gives nothing; so does `patient/`.
"""

import re
from collections.abc import Iterable
from typing import NamedTuple

from carepath.r4.model import RESOURCE_TYPES

ANY = "*"
LETTERS = "cruds"
_SCOPE = re.compile(r"(?:system|user)/(\*|[A-Za-z]+)\.(read|write|\*|c?r?u?d?s?)", re.ASCII)
_FIRST_VERSION = {"read": "rs", "write": "cud", ANY: LETTERS}


class Scope(NamedTuple):
    """A resource type (`*` for all) and what may be done with it, by the letters of `cruds`."""

    resource_type: str
    letters: str

    def covers(self, other: "Scope") -> bool:
        """Tell whether who has this scope may do what the other one says."""
        is_type = self.resource_type in (ANY, other.resource_type)
        return is_type and set(other.letters) <= set(self.letters)

    def __str__(self) -> str:
        return f"{self.resource_type}.{self.letters}"


def scope_of(text: str) -> Scope | None:
    """Return the scope that a text says, None for one that gives nothing here."""
    found = _SCOPE.fullmatch(text)
    if found is None or not found[2]:
        return None
    if found[1] != ANY and found[1] not in RESOURCE_TYPES:
        return None
    return Scope(found[1], _FIRST_VERSION.get(found[2], found[2]))


def scopes_of(text: str) -> tuple[Scope, ...]:
    """Return the scopes in a text that lists them; words that give nothing here are left out."""
    return tuple(scope for word in text.split() if (scope := scope_of(word)) is not None)


def common(asked: Iterable[Scope], held: Iterable[Scope]) -> tuple[Scope, ...]:
    """Return what is both asked for and held: the types in both, with the letters in both."""
    found: dict[str, set[str]] = {}
    held = tuple(held)
    for one in asked:
        for other in held:
            types = {one.resource_type, other.resource_type} - {ANY} or {ANY}
            letters = set(one.letters) & set(other.letters)
            if len(types) == 1 and letters:
                found.setdefault(types.pop(), set()).update(letters)
    return tuple(Scope(name, _ordered(letters)) for name, letters in found.items())


def text_of(scopes: Iterable[Scope]) -> str:
    """Return scopes as a text that lists them."""
    return " ".join(f"system/{scope}" for scope in scopes)


def _ordered(letters: set[str]) -> str:
    return "".join(letter for letter in LETTERS if letter in letters)
