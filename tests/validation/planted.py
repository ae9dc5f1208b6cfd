"""The table of planted errors: a valid resource, a change to it, and what must be found."""

import copy
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

_TABLE = json.loads(
    Path(__file__).with_name("planted_errors.json").read_text("utf-8"), parse_float=Decimal
)
BASES: dict[str, Any] = _TABLE["bases"]
CASES: list[dict[str, Any]] = _TABLE["cases"]


def planted(case: dict[str, Any]) -> dict[str, Any]:
    """Return the base of a case with its changes made."""
    resource: dict[str, Any] = copy.deepcopy(BASES[case["base"]])
    for path, value in case["changes"].items():
        *steps, last = (int(step) if step.isdigit() else step for step in path.split("."))
        owner: Any = resource
        for step in steps:
            owner = owner[step]
        if value == _TABLE["remove"]:
            del owner[last]
        elif isinstance(owner, list) and last == len(owner):
            owner.append(value)
        else:
            owner[last] = value
    return resource
