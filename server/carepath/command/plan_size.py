"""How much a CarePlan asks its readers to take in: requests, bytes, lines of text.

https://hl7.org/fhir/R4/careplan.html
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from carepath.command.plan_text import care_plan_text
from carepath.formats.json import encode

_NO_REQUESTS = {"RequestGroup", "Goal", "OperationOutcome"}


class Size(NamedTuple):
    """What was counted: resources that ask for something, bytes of JSON, lines of the narrative."""

    requests: int
    bytes: int
    lines: int


def size_of(care_plan: Mapping[str, Any]) -> Size:
    """Count what a CarePlan holds."""
    kinds = [resource["resourceType"] for resource in care_plan.get("contained", ())]
    requests = sum(kind not in _NO_REQUESTS for kind in kinds)
    text = care_plan_text(care_plan) if "text" in care_plan else ""
    lines = sum(bool(line.strip()) for line in text.splitlines())
    return Size(requests, len(encode(dict(care_plan))), lines)


def plan_size(care_plan: Mapping[str, Any]) -> str:
    """Return one line that tells the size of a CarePlan and of what it contains, by type."""
    size = size_of(care_plan)
    of_type: dict[str, int] = {}
    for resource in care_plan.get("contained", ()):
        kind = resource["resourceType"]
        of_type[kind] = of_type.get(kind, 0) + len(encode(resource))
    parts = [f"{kind} {count} bytes" for kind, count in of_type.items()]
    parts.append(f"narrative {len(encode(care_plan.get('text', {})))} bytes")
    total = f"{size.requests} requests, {size.bytes} bytes of JSON, {size.lines} lines of text"
    return total + "\n" + "".join(f"  {part}\n" for part in parts)
