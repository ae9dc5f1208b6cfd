"""References inside of an answer: which resource refers to which, and under which name.

https://hl7.org/fhir/R4/references.html#contained
"""

from typing import Any

_REFERRING = frozenset(
    {"answerValueSet", "definitionCanonical", "resource", "valueCanonical", "valueUri"}
)
"""Elements that may name a contained resource without a Reference."""


def with_references(value: Any, renamed: dict[str, str]) -> Any:
    """Return a value in which some references are replaced; what holds none is the very same."""
    if isinstance(value, list):
        items = [with_references(item, renamed) for item in value]
        return items if any(a is not b for a, b in zip(items, value, strict=True)) else value
    if not isinstance(value, dict):
        return value
    reference = value.get("reference")
    if isinstance(reference, str) and reference in renamed:
        return {**value, "reference": renamed[reference]}
    made = {
        key: renamed.get(item, item)
        if key in _REFERRING and isinstance(item, str)
        else with_references(item, renamed)
        for key, item in value.items()
    }
    return made if any(made[key] is not value[key] for key in value) else value


def refers(value: Any, reference: str) -> bool:
    """Tell whether something refers to a contained resource."""
    if isinstance(value, dict):
        return value.get("reference") == reference or any(
            refers(item, reference) for item in value.values()
        )
    return isinstance(value, list) and any(refers(item, reference) for item in value)
