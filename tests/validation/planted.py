"""The tables of planted errors: a valid resource, a change to it, and what must be found.

`planted_errors.json` grew with the check; `planted_errors_by_kind.json` was written without it.  A
case that has `validate` breaks an invariant, which the structure check leaves to `validate`.
"""

import copy
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

_REMOVE = "__remove__"
_TABLES = [
    json.loads(path.read_text("utf-8"), parse_float=Decimal)
    for path in sorted(Path(__file__).parent.glob("planted_errors*.json"))
]
BASES: dict[str, Any] = {name: base for table in _TABLES for name, base in table["bases"].items()}
_ALL: list[dict[str, Any]] = [case for table in _TABLES for case in table["cases"]]
CASES = [case for case in _ALL if "validate" not in case]
FOR_VALIDATE = [case for case in _ALL if "validate" in case]


def planted(case: dict[str, Any]) -> dict[str, Any]:
    """Return the base of a case with its changes made."""
    resource: dict[str, Any] = copy.deepcopy(BASES[case["base"]])
    for path, value in case["changes"].items():
        *steps, last = (int(step) if step.isdigit() else step for step in path.split("."))
        owner: Any = resource
        for step in steps:
            owner = owner[step]
        if value == _REMOVE:
            del owner[last]
        elif isinstance(owner, list) and last == len(owner):
            owner.append(value)
        else:
            owner[last] = value
    return resource
