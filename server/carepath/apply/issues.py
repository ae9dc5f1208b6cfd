"""The issues that an application can raise, each a sentence without patient data."""

from carepath.errors import (
    CarepathError,
    CyclicDefinition,
    ExpressionSyntaxError,
    UnresolvedCanonical,
    UnsupportedFeature,
)
from carepath.issues import Issue

_CODES: tuple[tuple[type[CarepathError], str], ...] = (
    (UnsupportedFeature, "not-supported"),
    (ExpressionSyntaxError, "invalid"),
    (UnresolvedCanonical, "not-found"),
    (CyclicDefinition, "processing"),
)


def issue_of(error: Exception) -> Issue:
    """Return the issue for an error that concerns a part of the plan only."""
    if isinstance(error, RecursionError):
        return Issue("error", "too-costly", "The expression or the data nest too deeply.")
    if isinstance(error, ArithmeticError):
        return Issue(
            "error", "exception", "A number in the expression or the data is out of range."
        )
    code = next((code for kind, code in _CODES if isinstance(error, kind)), "exception")
    return Issue("error", code, str(error))
