"""Which resources there are, whose they are and whether they may be used: cases as data.

A case of `cases/*.json` is what was `given`, perhaps the `subject` and the moment `now`, and what a
record makes of it: the resources of the `type` (Observation) that are `used`, by reference, all
`remarks`, those `unread`, why it is `closed`, its `subjects`; or the sentence that `refused` it.
"""

import copy
import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from carepath.errors import InputError
from carepath.record import Record

CASES = [
    pytest.param(case, id=f"{path.stem}: {case['about']}")
    for path in sorted(Path(__file__).with_name("cases").glob("*.json"))
    for case in json.loads(path.read_text("utf-8"))
]


def view_of(case: dict[str, Any]) -> Record:
    record = Record.of(case["given"], case.get("subject"))
    return record.as_of(datetime.fromisoformat(case["now"])) if "now" in case else record


def seen(case: dict[str, Any]) -> dict[str, Any]:
    """Return what a record makes of a case, in the words of the case."""
    try:
        record = view_of(case)
    except InputError as error:
        return {"refused": str(error)}
    resources = record.resources(case.get("type", "Observation"))
    found = {
        "used": [record.reference_to(resource) for resource in resources],
        "remarks": [issue.diagnostics for issue in record.issues()],
        "unread": [record.reference_to(resource) for resource in record.unread()],
        "closed": record.closed.diagnostics if record.closed else None,
    }
    more = {
        "subjects": list(record.subjects),
        "value": [resource.get("valueInteger") for resource in resources],
        "code": [resource.get("code") for resource in resources],
    }
    return found | {name: more[name] for name in more if name in case}


@pytest.mark.parametrize("case", CASES)
def test_a_record_is_read_truly(case: dict[str, Any]) -> None:
    before = copy.deepcopy(case)
    asked = {"about", "given", "subject", "now", "type"}
    said = {name: value for name, value in case.items() if name not in asked}
    empty = {"used": [], "remarks": [], "unread": [], "closed": None}
    assert seen(case) == (said if "refused" in case else empty | said)
    assert case == before


def test_what_cannot_be_told_apart_has_no_subject() -> None:
    """Contained patients without a common identifier are several."""
    one, other = (
        {
            "resourceType": "Observation",
            "id": id_,
            "subject": {"reference": "#c"},
            "contained": [{"resourceType": "Patient", "id": "c", "birthDate": id_}],
        }
        for id_ in ("1961", "1962")
    )
    assert Record.of([one, other]).subject is None
    assert Record.of([one, one]).subject is one["contained"][0]
