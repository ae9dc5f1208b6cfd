"""The FHIRPath constraints of every type and element.

A row is `[key, severity, human, expression]`.  Constraints that a type has from its base, and
those that an element has from its type, are listed once, where they are declared.
"""

from typing import Any

from tools.generate_r4.source import ROOT, Definitions

_OF_EVERY_ELEMENT = {"ele-1", "ext-1"}
"""Repeated by the definitions on each element; declared by Element and Extension."""


def table(definitions: Definitions) -> dict[str, Any]:
    """Return `{type name or element path: [row]}`."""
    rows: dict[str, list[list[str]]] = {}
    for definition in definitions.types():
        own = ROOT + definition["type"]
        for element in definition["snapshot"]["element"]:
            for constraint in element.get("constraint", ()):
                key, is_root = constraint["key"], element["path"] == definition["type"]
                if key in _OF_EVERY_ELEMENT and not is_root:
                    continue
                if constraint.get("source", own) != own:
                    continue
                rows.setdefault(element["path"], []).append(
                    [key, constraint["severity"], constraint["human"], constraint["expression"]]
                )
    return dict(sorted(rows.items()))
