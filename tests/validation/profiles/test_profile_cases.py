"""Every file in profile_cases/ is a profile, resources, and what the profile objects to in each.

`expect` holds `severity code expression` for each error and warning; informational issues and dom-6
(no narrative) do not count.  Profiles come from the file itself, from profile_definitions/ (two
definitions of HL7, CC0, without their texts) and from what the project ships.
"""

import json
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from carepath.formats.json import decode
from carepath.knowledge import Knowledge
from carepath.validation import validate

HERE = Path(__file__).parents[1]
NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)
FILES = sorted((HERE / "profile_cases").glob("*.json"))
CASES = [
    pytest.param(path.stem, number, id=f"{path.stem}: {case['about']}")
    for path in FILES
    for number, case in enumerate(json.loads(path.read_text("utf-8"))["cases"])
]


@cache
def file_of(name: str) -> dict[str, Any]:
    content: dict[str, Any] = decode((HERE / f"profile_cases/{name}.json").read_bytes())
    return content


@cache
def known(name: str) -> Knowledge:
    standard = [decode(path.read_bytes()) for path in (HERE / "profile_definitions").glob("*.json")]
    definitions = (*standard, *file_of(name).get("definitions", ()))
    return Knowledge.shipped().with_definitions(definitions)


@pytest.mark.parametrize(("name", "number"), CASES)
def test_case(name: str, number: int) -> None:
    case = file_of(name)["cases"][number]
    profile = file_of(name)["profile"]
    issues = validate(
        case["resource"], definitions=known(name), profiles=[profile], now=NOW, mode="profile"
    )
    found = [
        f"{issue.severity} {issue.code} {issue.expression[0]}"
        for issue in issues
        if issue.severity != "information" and not issue.diagnostics.startswith("dom-6: ")
    ]
    assert sorted(found) == sorted(case["expect"]), [issue.diagnostics for issue in issues]


def test_each_shipped_profile_has_cases() -> None:
    shipped = {
        definition["url"]
        for definition in Knowledge.shipped().all("StructureDefinition")
        if definition["kind"] == "resource"
    }
    assert shipped <= {file_of(path.stem)["profile"] for path in FILES}


def test_each_file_has_a_case_that_passes_and_one_that_does_not() -> None:
    for path in FILES:
        expected = [bool(case["expect"]) for case in file_of(path.stem)["cases"]]
        assert {True, False} == set(expected), path.stem
