"""What an expression may know beside its focus: the moment, variables, resolvers, terminology.

https://hl7.org/fhirpath/#environment-variables and https://hl7.org/fhir/R4/fhirpath.html#variables
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any, Protocol


class Terminology(Protocol):
    """What `memberOf()`, `subsumes()` and `%terminologies` ask."""

    def member_of(self, coding: Mapping[str, Any], value_set: str) -> bool | None:
        """Tell whether a coding is in a value set; None when the value set is not known."""

    def expand(self, value_set: str) -> Mapping[str, Any] | None:
        """Return the expanded ValueSet, or None when it is not known."""

    def subsumes(self, system: str, code_a: str, code_b: str) -> str | None:
        """Return `equivalent`, `subsumes`, `subsumed-by` or `not-subsumed`; None if unknown."""

    def validate_code(self, value_set: str, coding: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """Return the Parameters of `$validate-code`, or None when the value set is not known."""

    def translate(self, concept_map: str, coding: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """Return the Parameters of `$translate`, or None when the ConceptMap is not known."""

    def lookup(self, system: str, code: str) -> Mapping[str, Any] | None:
        """Return the Parameters of `$lookup`, or None when the code is not known."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds that keep an expression from taking the process with it."""

    steps: int = 1_000_000
    """Items that all loops of one evaluation may look at together."""
    items: int = 200_000
    """Items in one collection."""
    text: int = 1_000_000
    """Characters in one string."""
    characters: int = 20_000_000
    """Characters in all strings together that one evaluation makes."""


class Allowance:
    """The characters of all strings that several evaluations may make together."""

    __slots__ = ("characters", "left")

    def __init__(self, characters: int) -> None:
        self.characters = characters
        self.left = characters


@dataclass(frozen=True)
class Environment:
    """The surroundings of an evaluation; `now` is always aware and never read from a clock."""

    now: datetime
    variables: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    """Read only when `%name` is; any Mapping, so it may compute its values when asked."""
    resource: Any = None
    """`%resource`; the focus when absent."""
    root_resource: Any = None
    """`%rootResource`; `%resource` when absent."""
    context: Any = None
    """`%context`; the focus when absent."""
    resolver: Callable[[Any], Mapping[str, Any] | None] | None = None
    """Finds what `resolve()` does not find in the Bundle or the contained resources.

    It is given the text of a reference, or a Reference that has an identifier only.
    """
    holder: Callable[[dict[str, Any]], Mapping[str, Any] | None] | None = None
    """Tells which resource holds a Reference to something contained, for `resolve()`.

    Asked where nothing that was handed in holds it, as for one that another expression found.
    """
    terminology: Terminology | None = None
    conforms_to: Callable[[Mapping[str, Any], str], bool | None] | None = None
    """Tells whether a resource conforms to a profile; None when it does not know the profile."""
    on_trace: Callable[[str, list[Any]], None] | None = None
    """Is told what passes `trace()`."""
    cuts_seconds: bool = False
    """Whether a part of a second is dropped from what is added to a moment.

    The official suite for R4 wants it (testPlusDate19), the specification and the suite for R5 not.
    """
    limits: Limits = field(default_factory=Limits)
    allowance: Allowance | None = None
    """What is left for all evaluations that share it, besides what each may use alone."""
