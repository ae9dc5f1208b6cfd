"""Comparing a value with `fixed[x]` and `pattern[x]`.

https://hl7.org/fhir/R4/elementdefinition-definitions.html#ElementDefinition.pattern_x_
"""

from typing import Any


def equals(value: Any, fixed: Any) -> bool:
    """Tell whether a value is exactly the fixed one, nothing more and nothing less."""
    if isinstance(value, bool) or isinstance(fixed, bool):
        return value is fixed
    if isinstance(value, dict) and isinstance(fixed, dict):
        return value.keys() == fixed.keys() and all(equals(value[k], fixed[k]) for k in fixed)
    if isinstance(value, list) and isinstance(fixed, list):
        pairs = zip(value, fixed, strict=False)
        return len(value) == len(fixed) and all(equals(one, other) for one, other in pairs)
    return bool(value == fixed)


def matches(value: Any, pattern: Any) -> bool:
    """Tell whether a value has all that the pattern has; it may have more."""
    if isinstance(pattern, dict):
        return isinstance(value, dict) and all(
            name in value and matches(value[name], part) for name, part in pattern.items()
        )
    if isinstance(pattern, list):
        return isinstance(value, list) and all(
            any(matches(one, part) for one in value) for part in pattern
        )
    return equals(value, pattern)


def shown(value: Any) -> str:
    """Return a fixed value or pattern as a message names it: the codes in it, or the value."""
    if isinstance(value, dict):
        parts = (shown(part) for name, part in value.items() if name != "display")
        return "|".join(part for part in parts if part)
    if isinstance(value, list):
        return ", ".join(shown(part) for part in value)
    return str(value).lower() if isinstance(value, bool) else str(value)
