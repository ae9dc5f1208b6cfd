"""The pure-Python `jsonschema` reads the generated schema and finds the same at the same places."""

import json
import re
import sys
from collections.abc import Iterable, Iterator
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import jsonschema_rs
import pytest

from carepath import json_codec
from carepath.validation import schema

sys.path.insert(0, str(Path(__file__).parent))
from planted import BASES, CASES, planted

EXAMPLES = Path(__file__).parents[2] / "../shared/suites/fhir-r4-examples"

Errors = Iterator[jsonschema.ValidationError]


@cache
def ecma(pattern: str) -> re.Pattern[str]:
    """Compile a pattern as JSON Schema means it: Python's `$` also stands before a last newline."""
    return re.compile(re.sub(r"\$(?=$|\||\))", r"\\Z", pattern), re.ASCII)


def pattern(_validator: Any, value: str, instance: Any, _schema: Any) -> Errors:
    if isinstance(instance, str) and not ecma(value).search(instance):
        yield jsonschema.ValidationError("pattern")


def aligned(_validator: Any, value: str, instance: Any, _schema: Any) -> Errors:
    if not schema.is_aligned(instance, value):
        yield jsonschema.ValidationError("fhirAligned")


def integer(_validator: Any, _value: bool, instance: Any, _schema: Any) -> Errors:
    if not schema.is_integer_literal(instance):
        yield jsonschema.ValidationError("fhirInteger")


def is_integer(_checker: Any, value: Any) -> bool:
    """Tell what JSON Schema calls an integer: 1.0 is one."""
    if isinstance(value, bool):
        return False
    return isinstance(value, int) or (isinstance(value, (float, Decimal)) and value % 1 == 0)


@cache
def oracle() -> Any:
    formats = jsonschema.FormatChecker(formats=())
    for name, check in schema.FORMATS.items():
        formats.checks(name)(lambda value, check=check: not isinstance(value, str) or check(value))
    draft = jsonschema.Draft202012Validator
    checker = draft.TYPE_CHECKER.redefine("integer", is_integer)
    own = {"pattern": pattern, "fhirAligned": aligned, "fhirInteger": integer}
    extended = jsonschema.validators.extend(draft, own, type_checker=checker)
    return extended(json.loads(schema.schema_text()), format_checker=formats)


def test_the_schema_is_a_json_schema() -> None:
    assert jsonschema_rs.meta.is_valid(json.loads(schema.schema_text()))


@pytest.mark.skipif(not EXAMPLES.exists(), reason="the official R4 examples are not there")
def test_same_verdict_on_every_official_example() -> None:
    differ = []
    for file in sorted(EXAMPLES.glob("*.json")):
        resource = json_codec.decode(file.read_bytes())
        if oracle().is_valid(resource) != schema.is_valid(resource):
            differ.append(file.name)
    assert not differ


@pytest.mark.parametrize("name", BASES)
def test_both_accept_the_resources_that_errors_are_planted_in(name: str) -> None:
    assert oracle().is_valid(BASES[name])
    assert schema.is_valid(BASES[name])


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['base']}: {case['name']}")
def test_both_find_every_planted_error_that_a_schema_can_find(case: dict[str, Any]) -> None:
    expected = case.get("beyond_schema", False)
    assert oracle().is_valid(planted(case)) == expected
    assert schema.is_valid(planted(case)) == expected


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['base']}: {case['name']}")
def test_both_name_the_same_places_and_keywords(case: dict[str, Any]) -> None:
    resource = planted(case)
    ours = {found(error.instance_path, error.kind.name) for error in schema.errors(resource)}
    theirs = {
        found(error.absolute_path, error.validator) for error in oracle().iter_errors(resource)
    }
    assert ours == theirs


def found(path: Iterable[str | int], keyword: str | None) -> tuple[tuple[str | int, ...], str]:
    """Return place and keyword; `jsonschema` tells of the schema `false` at the owner."""
    steps = tuple(path)
    if keyword == "falseSchema":
        return steps[:-1], keyword
    return steps, keyword or "falseSchema"
