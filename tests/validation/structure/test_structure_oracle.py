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

from carepath.formats import json as json_codec
from carepath.validation.structure import schema

from ...suites import EXAMPLES, needs

sys.path.insert(0, str(Path(__file__).parents[1]))
from planted import BASES, CASES, planted

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


@needs(EXAMPLES)
def test_same_verdict_on_every_official_example() -> None:
    differ = []
    for file in sorted(EXAMPLES.glob("*.json")):
        resource = json_codec.decode(file.read_bytes())
        if oracle().is_valid(resource) != schema.is_valid(resource):
            differ.append(file.name)
    assert not differ


def test_both_accept_the_resources_that_errors_are_planted_in() -> None:
    verdicts = {name: verdict(resource) for name, resource in BASES.items()}
    assert verdicts == dict.fromkeys(BASES, (True, True))


def test_both_find_every_planted_error_that_a_schema_can_find() -> None:
    verdicts = {title(case): verdict(planted(case)) for case in CASES}
    expected = {title(case): (case.get("beyond_schema", False),) * 2 for case in CASES}
    assert differences(verdicts, expected) == {}


def test_both_name_the_same_places_and_keywords() -> None:
    ours = {title(case): places(planted(case)) for case in CASES}
    theirs = {title(case): places_of_the_oracle(planted(case)) for case in CASES}
    assert differences(ours, theirs) == {}


def title(case: dict[str, Any]) -> str:
    return f"{case['base']}: {case['name']}"


def verdict(resource: Any) -> tuple[bool, bool]:
    """Return whether the oracle and the fast validator call a resource valid."""
    return oracle().is_valid(resource), schema.is_valid(resource)


def differences(found: dict[str, Any], expected: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    return {n: (found[n], expected[n]) for n in expected if found[n] != expected[n]}


def places(resource: Any) -> set[Any]:
    return {found(error.instance_path, error.kind.name) for error in schema.errors(resource)}


def places_of_the_oracle(resource: Any) -> set[Any]:
    errors = oracle().iter_errors(resource)
    return {found(error.absolute_path, error.validator) for error in errors}


def found(path: Iterable[str | int], keyword: str | None) -> tuple[tuple[str | int, ...], str]:
    """Return place and keyword; `jsonschema` tells of the schema `false` at the owner."""
    steps = tuple(path)
    if keyword == "falseSchema":
        return steps[:-1], keyword
    return steps, keyword or "falseSchema"
