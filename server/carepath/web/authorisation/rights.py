"""What a route asks for, and what a client has: SMART scopes and the service's own rights.

https://hl7.org/fhir/smart-app-launch/STU2.1/scopes-and-launch-context.html

A scope says what may be done with a type of resource.  Some things go beyond any type: to let the
service compute what the caller wrote, or ask a server that the caller names.  These are rights of
their own, which a client has only where the registry lists them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

from carepath.web.authorisation.scopes import ANY, Scope

OF_URL = "<resource_type>"
"""Stands in a need for the resource type that the URL names."""


class Right(StrEnum):
    """What a client may do beyond its scopes; the values are the words of the registry."""

    INLINE_DEFINITIONS = "inline-definitions"
    """Send definitions along, which are applied, expanded or searched."""
    EXPRESSIONS = "expressions"
    """Let the service evaluate FHIRPath that the caller wrote."""
    DATA_ENDPOINT = "data-endpoint"
    """Let the service read from another server, one of the list or the deployment's own."""
    PROFILES = "profiles"
    """Choose what `$validate` checks against: name profiles, or send one to be checked."""
    METRICS = "metrics"
    """Read the figures of the service."""


class Need(NamedTuple):
    """What a route asks of a client: all of these scopes and rights; none: any known client."""

    scopes: tuple[Scope, ...] = ()
    rights: tuple[Right, ...] = ()
    is_open: bool = False
    """Whether nobody is asked who they are."""

    @property
    def words(self) -> str:
        """Return scopes and rights as the registry writes them."""
        return " ".join([*(f"system/{scope}" for scope in self.scopes), *self.rights])


OPEN = Need(is_open=True)
KNOWN = Need()


def need(resource_type: str, letters: str) -> Need:
    """Return the need for one scope: a resource type and letters such as `r` or `s`."""
    return Need(scopes=(Scope(resource_type, letters),))


class Rate(NamedTuple):
    """How many requests a client may send in a second, and how many at once before that counts."""

    per_second: float
    burst: int


@dataclass(frozen=True, slots=True)
class Grant:
    """Who asks, and what that client may do."""

    client: str
    scopes: tuple[Scope, ...] = ()
    rights: frozenset[Right] = frozenset()
    rate: Rate | None = None

    def lacks(self, needed: Need, arguments: Mapping[str, Any]) -> str:
        """Return the first scope or right of a need that is missing, '' when there is none.

        `arguments` are those of the URL, which may name the resource type.
        """
        for scope in needed.scopes:
            asked = scope
            if scope.resource_type == OF_URL:
                asked = scope._replace(resource_type=str(arguments.get("resource_type", ANY)))
            if not any(held.covers(asked) for held in self.scopes):
                return f"system/{asked}"
        return next((right.value for right in needed.rights if right not in self.rights), "")


NOBODY = Grant("")
"""Who asks at an open route: nobody is asked who they are."""
EVERYTHING = Grant("", (Scope(ANY, "cruds"),), frozenset(Right))
"""What everybody may do where there is no authorisation."""
