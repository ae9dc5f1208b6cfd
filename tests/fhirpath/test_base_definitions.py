"""Every expression of the base definitions parses, fits its type and is evaluated."""

from datetime import UTC, datetime

import pytest

from carepath.errors import EvaluationError
from carepath.fhirpath import Environment, parse
from carepath.r4.invariants import invariants_of
from carepath.r4.model import RESOURCE_TYPES, type_names
from carepath.r4.search import search_parameters

ENVIRONMENT = Environment(now=datetime(2026, 3, 31, 9, 15, tzinfo=UTC))
# ChargeItemDefinition of R4 has a constraint on an element it does not have.
BROKEN = {("ChargeItemDefinition", "cid-0")}
INVARIANTS = sorted(
    {(name, i.key, i.expression) for name in type_names() for i in invariants_of(name)}
)


def test_invariants_pass_the_static_check() -> None:
    refused = set()
    for name, key, text in INVARIANTS:
        try:
            parse(text, input_type=name)
        except EvaluationError:
            refused.add((name, key))
    assert refused == BROKEN
    assert len(INVARIANTS) > 1000


@pytest.mark.parametrize("resource_type", sorted(RESOURCE_TYPES))
def test_search_parameters_pass_the_static_check(resource_type: str) -> None:
    resource = {"resourceType": resource_type, "id": "x"}
    for parameter in search_parameters(resource_type).values():
        if parameter.expression:
            expression = parse(parameter.expression, input_type=resource_type)
            values = expression.evaluate(resource, ENVIRONMENT)
            assert all(value in ("x", False, resource) for value in values)
