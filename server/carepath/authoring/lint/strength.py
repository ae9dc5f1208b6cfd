"""A rule on how strongly an action binds: as its recommendation does, and as its statements do.

https://hl7.org/fhir/R4/valueset-action-required-behavior.html
"""

from collections.abc import Iterator

from carepath.apply.compile.extensions import DIRECTION, STRENGTH, concept_codes
from carepath.authoring.lint.walk import actions
from carepath.authoring.statements import labels_of, statements_of
from carepath.issues import Issue
from carepath.knowledge import Knowledge
from carepath.resources import Resource

_NOT_BOTH = frozenset(
    {
        ("must", "weak", "for"),
        ("must", "weak", "against"),
        ("must-unless-documented", "weak", "for"),
        ("could", "strong", "for"),
        ("could", "strong", "against"),
    }
)
"""Weak advice against may hold unless an exception is documented: `not routinely` is that."""
_BINDING = frozenset({"must", "must-unless-documented"})
_CAUTIOUS = ("may", "consider", "not-routinely")
"""How the words of a statement's strength begin that leave a choice."""


def binds_as_strongly_as_it_rests(definition: Resource, knowledge: Knowledge) -> Iterator[Issue]:
    """What an action requires suits the strength of its recommendation and of its statements."""
    for path, action in actions(definition):
        required = action.get("requiredBehavior")
        strength = next(concept_codes(action, STRENGTH), "")
        direction = next(concept_codes(action, DIRECTION), "") or "for"
        if (required, strength, direction) in _NOT_BOTH:
            text = f"A recommendation {direction} it that is {strength} cannot be `{required}`."
            yield Issue("error", "business-rule", text, (f"{path}.requiredBehavior",))
        words = list(_words(action, knowledge))
        is_bold = direction == "for" and required in _BINDING
        if is_bold and words and all(word.startswith(_CAUTIOUS) for word in words):
            said = ", ".join(sorted(set(words)))
            text = f"It is `{required}`, and its statements only say {said}."
            yield Issue("error", "business-rule", text, (f"{path}.requiredBehavior",))


def _words(action: Resource, knowledge: Knowledge) -> Iterator[str]:
    """Yield how strongly each statement speaks that an action cites."""
    statements = knowledge.derived(statements_of)
    for label in sorted(labels_of(action)):
        for stated in statements.get(label, {}).get("property") or ():
            if stated.get("code") == "strength":
                yield str(stated.get("valueString", ""))
