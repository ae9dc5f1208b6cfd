"""Rules that keep content safe: no dose anywhere, proposals only.

docs/clinical-safety.md says why.
"""

import re
from collections.abc import Iterator

from carepath.apply.compile.modifiers import modifiers
from carepath.authoring.lint.walk import actions, elements
from carepath.issues import Issue
from carepath.knowledge import Knowledge
from carepath.resources import Resource

_DOSE_KEYS = {
    "dosage",
    "dosageInstruction",
    "doseAndRate",
    "doseQuantity",
    "doseRange",
    "maxDosePerPeriod",
}
_DOSE_TEXT = re.compile(
    r"\b\d+(?:[.,]\d+)?\s?(?:mg|µg|mcg|g/m2|mg/m2|mg/m²|mg/kg|IU|Gy|cGy|fractions?)\b",
    re.IGNORECASE,
)
_APPLIED = frozenset({"ActivityDefinition", "Library", "PlanDefinition"})
_INTENTS = {"proposal", "option"}


def has_no_dose(definition: Resource, knowledge: Knowledge) -> Iterator[Issue]:
    """No dose element and no dose in a text; no source gives one."""
    for path, key, value in elements(definition, definition["resourceType"]):
        if key in _DOSE_KEYS and definition["resourceType"] != "StructureDefinition":
            yield Issue(
                "error", "business-rule", "A dose stands here; there must be none.", (path,)
            )
        elif isinstance(value, str) and _DOSE_TEXT.search(value):
            yield Issue(
                "error", "business-rule", "The text names a dose; there must be none.", (path,)
            )


def proposes_only(definition: Resource, knowledge: Knowledge) -> Iterator[Issue]:
    """An ActivityDefinition makes proposals, never orders."""
    if definition["resourceType"] != "ActivityDefinition":
        return
    has_intent = definition.get("kind") not in ("CommunicationRequest", "Appointment")
    if definition.get("intent", None if has_intent else "proposal") not in _INTENTS:
        yield Issue(
            "error",
            "business-rule",
            "The intent should be proposal.",
            ("ActivityDefinition.intent",),
        )


def is_understood(definition: Resource, knowledge: Knowledge) -> Iterator[Issue]:
    """No modifier extension or implicit rules stand anywhere: none is understood."""
    parts = [(definition["resourceType"], definition), *actions(definition)]
    for path, part in parts if definition["resourceType"] in _APPLIED else ():
        for name in modifiers(part):
            text = f"{name} is not understood, so what has it is not applied; leave it out."
            yield Issue("error", "not-supported", text, (path,))
