"""The table of search parameters, by resource type and code.

A row is `[id, type, expression, targets, components]`; a component is `[id, expression]`.  The
expression keeps only the parts that concern the resource type.
"""

import re
from typing import Any

from tools.generate_r4.source import Definition, Definitions

ALL_RESOURCES = 145  # Parameters is never a target.
_URL = "http://hl7.org/fhir/SearchParameter/"
_NOT_BASE = re.compile(r"^example|-extensions-")
_START = re.compile(r"^[\s(]*([A-Z][A-Za-z]+)\b")


def table(definitions: Definitions) -> dict[str, Any]:
    """Return `{resource type: {code: row}}`; Resource and DomainResource have their own."""
    types: dict[str, dict[str, Any]] = {}
    for parameter in definitions.of_type("SearchParameter"):
        if _NOT_BASE.search(parameter["id"]):
            continue  # The specification's samples and parameters on extensions are not R4 core.
        for base in parameter["base"]:
            types.setdefault(base, {})[parameter["code"]] = _row(parameter, base)
    return {name: dict(sorted(codes.items())) for name, codes in sorted(types.items())}


def _row(parameter: Definition, base: str) -> list[Any]:
    components = [
        [component["definition"].removeprefix(_URL), component["expression"]]
        for component in parameter.get("component", ())
    ]
    return [
        parameter["url"].removeprefix(_URL),
        parameter["type"],
        _for_base(parameter.get("expression", ""), base),
        _targets(parameter),
        *([components] if components else []),
    ]


def _targets(parameter: Definition) -> list[str]:
    """Return the target types; a list of all resource types means any and is left empty."""
    targets = sorted(parameter.get("target", ()))
    return [] if len(targets) >= ALL_RESOURCES else targets


def _for_base(expression: str, base: str) -> str:
    parts = _union_members(expression)
    own = [part for part in parts if (start := _START.match(part)) and start[1] == base]
    return " | ".join(own or parts)


def _union_members(expression: str) -> list[str]:
    """Split at each `|` that is not inside parentheses."""
    members, depth, current = [], 0, ""
    for character in expression:
        depth += {"(": 1, ")": -1}.get(character, 0)
        if character == "|" and depth == 0:
            members.append(current.strip())
            current = ""
        else:
            current += character
    return [*members, current.strip()] if current.strip() else members
