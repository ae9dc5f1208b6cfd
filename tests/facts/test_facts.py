"""Each fact of the Library, by cases: resources of a patient in, values and evidence out.

The cases are the JSON files of `cases/`: `given` resources, perhaps `parameters` and `now`, and
the `facts` expected; an empty list is an unknown fact.  `evidence` names resources that must be
behind a fact.
"""

import json
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parent / "cases"
WorkOut = Callable[..., dict[str, Any]]


def all_cases() -> list[Any]:
    """Return every case of every file, named for both."""
    return [
        pytest.param(case, id=f"{path.stem}: {case['case']}")
        for path in sorted(FOLDER.glob("*.json"))
        for case in json.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)["cases"]
    ]


def as_list(value: Any) -> list[Any]:
    """Return a value as the list of values that it stands for."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


@pytest.mark.parametrize("case", all_cases())
def test_fact(case: dict[str, Any], work_out: WorkOut) -> None:
    options = {"now": datetime.fromisoformat(case["now"])} if "now" in case else {}
    found = work_out(case["facts"], case["given"], case.get("parameters"), **options)
    values = {name: as_list(fact["value"]) for name, fact in found.items()}
    assert values == {name: as_list(value) for name, value in case["facts"].items()}
    for name, resources in case.get("evidence", {}).items():
        assert set(resources) <= set(found[name]["evidence"]), name


def test_every_fact_has_a_case_with_a_value_and_one_without(main_facts: set[str]) -> None:
    with_value: set[str] = set()
    without: set[str] = set()
    for parameter in all_cases():
        for name, value in parameter.values[0]["facts"].items():
            (with_value if as_list(value) else without).add(name)
    never_unknown = {"biopsy", "recurrence", "priorChemo", "priorRT", "priorTKI"}
    assert main_facts - with_value == set()
    assert main_facts - without == never_unknown
