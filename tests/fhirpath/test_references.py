"""What `resolve()` finds, a file for each setting: focus, variables, expressions and their values.

https://hl7.org/fhir/R4/references.html#contained
"""

import json
from pathlib import Path
from typing import Any

import pytest

from carepath.fhirpath import Environment, Limits, parse
from carepath.record.record import Record

from .test_laws import NOW

SETTINGS = sorted((Path(__file__).parent / "references").glob("*.json"))
MEDICATION = {"resourceType": "Medication", "id": "med"}


def request(number: int, drug: str) -> dict[str, Any]:
    return {
        "resourceType": "MedicationRequest",
        "id": f"m{number}",
        "contained": [{**MEDICATION, "code": {"text": drug}}],
        "medicationReference": {"reference": "#med"},
    }


@pytest.mark.parametrize("file", SETTINGS, ids=[file.stem for file in SETTINGS])
def test_setting(file: Path) -> None:
    setting = json.loads(file.read_text("utf-8"))
    environment = Environment(now=NOW, variables=setting["variables"])
    given = {each["expression"]: each["gives"] for each in setting["expressions"]}
    for values in (_values, _quick_values, _traced_values):
        found = {text: values(text, setting["focus"], environment) for text in given}
        assert found == given


def _values(text: str, focus: Any, environment: Environment) -> list[Any]:
    return parse(text).evaluate(focus, environment)


def _quick_values(text: str, focus: Any, environment: Environment) -> list[Any]:
    expression = parse(text)
    expression.prepare()
    return expression.evaluate(focus, environment)


def _traced_values(text: str, focus: Any, environment: Environment) -> list[Any]:
    return parse(text).trace(focus, environment).values


def test_a_reference_that_another_expression_found_is_asked_of_the_holder() -> None:
    drugs = {"m1": request(1, "ibuprofen"), "m2": request(2, "morphine")}
    record = Record.of([{"resourceType": "Patient", "id": "p"}, *drugs.values()])
    reference = drugs["m2"]["medicationReference"]
    variables = {"found": parse("medication").evaluate_nodes(drugs["m2"], Environment(now=NOW))}
    found = parse("%found.resolve().code.text")
    assert found.evaluate([], Environment(now=NOW, variables=variables)) == []
    known = Environment(now=NOW, variables=variables, holder=record.holder)
    assert found.evaluate([], known) == ["morphine"]
    assert record.holder(reference) is drugs["m2"]
    assert record.holder({**reference}) is None


def test_many_holders_cost_what_they_are_and_not_their_square() -> None:
    requests = [request(n, f"drug {n}") for n in range(500)]
    environment = Environment(now=NOW, limits=Limits(steps=20_000))
    drugs = parse("medication.resolve().code.text").evaluate(requests, environment)
    assert drugs == [f"drug {n}" for n in range(500)]
