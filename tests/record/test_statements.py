"""`occurred`, `concerns`, `latest` and `agreed`: each case of `statements.json` is an expression.

`%all` are the resources that were given, whose references are found by `Type/id`; `gives` is what
the expression is, by the closures and by the function that is written for it alike.
"""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from carepath.fhirpath import Environment, compile_expression

CASES = json.loads(Path(__file__).with_name("statements.json").read_text("utf-8"))
NOW = datetime(2026, 11, 27, 9, tzinfo=UTC)


def environment(given: list[dict[str, Any]]) -> Environment:
    by_name = {f"{resource['resourceType']}/{resource['id']}": resource for resource in given}

    def resolver(reference: Any) -> dict[str, Any] | None:
        return by_name.get(reference) if isinstance(reference, str) else None

    return Environment(NOW, {"all": given}, resolver=resolver)


@pytest.mark.parametrize("prepared", [False, True])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case["about"])
def test_what_is_stated_of_somebody(case: dict[str, Any], prepared: bool) -> None:
    expression = compile_expression(case["expression"])
    if prepared:
        expression.prepare()
    assert expression.evaluate({}, environment(case["given"])) == case["gives"]
