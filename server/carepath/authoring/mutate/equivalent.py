"""Mutants that no patient could tell from the content, each with its reason."""

from typing import Any

from carepath.errors import InvalidContent


def equivalents_in(content: Any, source: str) -> frozenset[str]:
    """Return the mutants that a list of `{"mutant": ..., "reason": ...}` names.

    Raises InvalidContent, naming the element, for anything else and for one without a reason.
    """
    if not isinstance(content, list):
        raise InvalidContent(source, "file", 'it must hold a list of {"mutant": "", "reason": ""}')
    for index, entry in enumerate(content):
        for name in ("mutant", "reason"):
            value = entry.get(name) if isinstance(entry, dict) else None
            if not isinstance(value, str) or not value.strip():
                raise InvalidContent(source, f"[{index}].{name}", "it must be a text")
    return frozenset(entry["mutant"] for entry in content)
