"""Whether a resource of the patient may be used, and as what: a rule of the specification a row.

https://hl7.org/fhir/R4/extensibility.html and https://hl7.org/fhir/R4/lifecycle.html
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from carepath.issues import Severity
from carepath.record.certainty import with_certainty
from carepath.record.codes import with_canonical_codes
from carepath.record.span import Span
from carepath.record.traits import Traits
from carepath.record.understood import may_deny, not_understood
from carepath.record.when import is_later
from carepath.resources import Resource, codings


class Reading(NamedTuple):
    """What a rule makes of a resource: the one to use, or None, and what is to be told of it.

    `told` is half a sentence, of which the resource is the subject, or a full sentence when the
    resource stays in use.
    """

    resource: Resource | None
    told: str = ""
    severity: Severity = "warning"
    code: str = "business-rule"
    is_unread: bool = False
    """The resource says something that nobody here can read: what it tells is unknown, not no."""


class Asked(NamedTuple):
    """What is known beside the resource: its traits, the moment, doubts about owner and itself."""

    traits: Traits
    now: Span | None = None
    other_person: str = ""
    is_stray: bool = False
    doubt: str | None = None
    """Why nobody knows what it says; empty when that was told before."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A row of the table: its name, the paragraph it follows, and what it does.

    The test gives None for a resource that stays as it is, of which there is nothing to tell.
    """

    name: str
    url: str
    test: Callable[[Resource, Asked], Reading | None]


def _of_this_person(_resource: Resource, asked: Asked) -> Reading | None:
    if not asked.other_person:
        return None
    if asked.is_stray:
        return Reading(None, asked.other_person, "information", "not-found")
    return Reading(None, asked.other_person)


def _not_in_error(resource: Resource, _asked: Asked) -> Reading | None:
    statuses = (resource.get("status"), resource.get("verificationStatus"))
    for status in statuses:
        if status is not None and "entered-in-error" in _codes(status):
            return Reading(None, "it was entered in error", "information", "informational")
    return None


def _understood(resource: Resource, asked: Asked) -> Reading | None:
    if asked.traits.has_modifiers or may_deny(resource):
        reason = not_understood(resource)
        if reason is not None:
            return Reading(None, f"it {reason}", code="extension", is_unread=True)
    if asked.doubt is not None:
        return Reading(None, asked.doubt, code="extension", is_unread=True)
    return None


def _not_in_the_future(resource: Resource, asked: Asked) -> Reading | None:
    if asked.now is not None and is_later(resource, asked.now):
        return Reading(None, "it is said to have happened, at a time that lies in the future")
    return None


def _certainty(resource: Resource, asked: Asked) -> Reading | None:
    if not asked.traits.may_be_marked:
        return None
    made, sentence = with_certainty(resource)
    return Reading(made, sentence or "", "information", "informational")


def _canonical(resource: Resource, asked: Asked) -> Reading | None:
    # What certainty puts in is canonical, too.
    if asked.traits.is_canonical:
        return None
    return Reading(with_canonical_codes(resource))


_R4 = "https://hl7.org/fhir/R4/"
_CERTAINTY = "https://ig.fhir.de/basisprofile-de/"

RULES: tuple[Rule, ...] = (
    Rule("another person", f"{_R4}observation-definitions.html#Observation.focus", _of_this_person),
    Rule("entered in error", f"{_R4}lifecycle.html", _not_in_error),
    Rule("not understood", f"{_R4}extensibility.html#modifierExtension", _understood),
    Rule("future", f"{_R4}event.html#statemachine", _not_in_the_future),
    Rule("certainty", _CERTAINTY, _certainty),
    Rule("codes", f"{_R4}terminologies-systems.html", _canonical),
)
"""In this order, each on what the one before made: certainty reads marks that codes lose."""


def _codes(status: Any) -> set[Any]:
    """Return the codes of a status, a code itself or a CodeableConcept."""
    if isinstance(status, str):
        return {status.strip()}
    return {c["code"] for c in codings(status) if isinstance(c.get("code"), str)}
