"""What `validate` says of small resources, one JSON file for each family of rules.

A case is a resource and all that is said of it: severity, code and element; that
a narrative would be good (dom-6) is left out.
"""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from carepath.formats import json as json_codec
from carepath.knowledge import Knowledge
from carepath.validation import validate

FOLDER = Path(__file__).with_name("rule_cases")
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def cases() -> list[Any]:
    """Return every case with its name."""
    found = []
    for path in sorted(FOLDER.glob("*.json")):
        for case in json_codec.decode(path.read_bytes()):
            found.append(pytest.param(case, id=f"{path.stem}: {case['about']}"))
    return found


@pytest.mark.parametrize("case", cases())
def test_case(case: dict[str, Any]) -> None:
    issues = validate(case["resource"], definitions=Knowledge.shipped(), now=NOW)
    said = [
        f"{issue.severity} {issue.code} {issue.expression[0]}"
        for issue in issues
        if not issue.diagnostics.startswith("dom-6")
    ]
    assert sorted(said) == sorted(case["expect"]), [issue.diagnostics for issue in issues]


def test_each_case_is_told_in_words_of_its_own() -> None:
    names = [json.dumps([path.stem, case["about"]]) for path, case in _told()]
    assert len(names) == len(set(names))


def _told() -> list[tuple[Path, dict[str, Any]]]:
    return [(p, case) for p in FOLDER.glob("*.json") for case in json_codec.decode(p.read_bytes())]
