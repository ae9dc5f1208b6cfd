"""What an ActivityDefinition gives to the request made from it, element by element.

https://hl7.org/fhir/R4/activitydefinition.html#12.17.3.3
"""

from collections.abc import Iterator, Mapping
from typing import Any

from carepath.issues import Issue
from carepath.r4.codes import codes_of
from carepath.r4.model import type_of
from carepath.resources import Resource, concept_text

DATA_ABSENT = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
ABSENT: Mapping[str, Any] = {"extension": [{"url": DATA_ABSENT, "valueCode": "unknown"}]}
"""What stands where FHIR requires a value and the definition has none."""

_CARRIED = (
    "code",
    "productReference",
    "productCodeableConcept",
    "quantity",
    "dosage",
    "timingTiming",
    "timingDateTime",
    "timingAge",
    "timingPeriod",
    "timingRange",
    "timingDuration",
    "location",
    "bodySite",
    "specimenRequirement",
    "observationRequirement",
    "observationResultRequirement",
    "transform",
)
_WEIGHTY = frozenset({"transform"})
"""What would have made another request: that it is left out is a warning."""


class Source:
    """An ActivityDefinition whose elements are taken one by one; what nobody takes is reported."""

    def __init__(self, activity: Resource, kind: str) -> None:
        self.activity = activity
        self.kind = kind
        self._left = {name for name in _CARRIED if name in activity}
        self._roles_left: tuple[Any, ...] = tuple(self._roles())

    def take(self, name: str) -> Any:
        """Return an element, None when the definition does not have it."""
        self._left.discard(name)
        return self.activity.get(name)

    def issues(self) -> list[Issue]:
        """Return what the request has no place for."""
        name = self.activity.get("url") or self.activity.get("id") or "the ActivityDefinition"
        left = [element for element in _CARRIED if element in self._left]
        if self._roles_left:
            left.append(f"participant ({'; '.join(map(concept_text, self._roles_left))})")
        return [
            Issue(
                "warning" if element in _WEIGHTY else "information",
                "not-supported",
                f"`{element}` of `{name}` has no place in a {self.kind} and was left out.",
            )
            for element in left
        ]

    def put(self, target: Resource, name: str, element: str, *, as_list: bool = False) -> None:
        """Take an element and put it under a name, when it is there."""
        value = self.take(element)
        if value is not None:
            target[name] = [value] if as_list else value

    def occurrence(self, target: Resource) -> None:
        """Put the timing where it fits: dateTime, Period and Timing; others have no place in R4."""
        found = type_of(self.kind)
        for timing in ("DateTime", "Period", "Timing"):
            name = f"occurrence{timing}"
            if found is not None and name in found.elements:
                self.put(target, name, f"timing{timing}")

    def roles(self) -> list[Any]:
        """Return the roles of the participants; one without a role gives its type as text."""
        self._roles_left = ()
        return list(self._roles())

    def role(self) -> Any:
        """Return the role of the first participant, None without one; the others are left."""
        found = list(self._roles())
        self._roles_left = tuple(found[1:])
        return found[0] if found else None

    def _roles(self) -> Iterator[Any]:
        for participant in self.activity.get("participant") or ():
            if participant.get("type") != "patient":
                yield participant.get("role") or {"text": str(participant.get("type"))}

    @property
    def has_patient(self) -> bool:
        """Tell whether the patient is among the participants."""
        participants = self.activity.get("participant") or ()
        return any(participant.get("type") == "patient" for participant in participants)

    def text(self) -> str:
        """Return the words of the definition for people: description, title or name."""
        for name in ("description", "title", "name"):
            if self.activity.get(name):
                return str(self.activity[name])
        return ""


def allowed_code(kind: str, element: str, code: str) -> bool:
    """Tell whether R4 lets an element of a request hold a code."""
    found = type_of(kind)
    binding = found.elements[element].binding if found and element in found.elements else ""
    codes = codes_of(binding) if binding else None
    return codes is None or code in codes
