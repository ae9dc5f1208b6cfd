"""What a result rests on: the elements it came from, not those that were looked at in vain."""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from carepath.fhirpath import Environment, Node, Touched, parse

NOW = datetime(2026, 3, 31, 9, 15, tzinfo=UTC)
RESOURCES = Path(__file__).parent / "resources"
BUNDLE = json.loads((RESOURCES / "bundle.json").read_text("utf-8"))
OBSERVATIONS = [
    e["resource"] for e in BUNDLE["entry"] if e["resource"]["resourceType"] == "Observation"
]
SIZE = "%observations.where(code.coding.exists(code = '21889-1'))"


def evidence(text: str, **variables: Any) -> list[tuple[str, str]]:
    given = {"observations": OBSERVATIONS, **variables}
    return [tuple(t) for t in parse(text).trace(BUNDLE, Environment(now=NOW, variables=given))[1]]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"{SIZE}.value.value", [("Observation/size", "Observation.value.value")]),
        (f"{SIZE}.value > 5 'cm'", [("Observation/size", "Observation.value")]),
        (f"{SIZE}.value = {SIZE}.value", [("Observation/size", "Observation.value")]),
        (f"{SIZE}.exists()", [("Observation/size", "Observation")]),
        ("%observations.exists(value is integer)", [("Observation/ecog", "Observation")]),
        ("%observations.exists(status = 'amended')", []),
        (
            f"iif({SIZE}.value > 5 'cm', 'large', 'small')",
            [("Observation/size", "Observation.value")],
        ),
        (
            "%observations.where(status = 'final').value.ofType(Quantity).select(value * 2)",
            [
                ("Observation/size", "Observation.value.value"),
                ("Observation/weight", "Observation.value.value"),
            ],
        ),
        (
            "entry.resource.ofType(Condition).code.coding.where(code = '8990/3').code",
            [("Condition/tumour", "Condition.code.coding[1].code")],
        ),
        ("1 + 1", []),
        ("%observations.where(false)", []),
        (
            "entry.resource.ofType(Condition).subject.resolve().gender",
            [("Patient/p1", "Patient.gender")],
        ),
        (
            "entry.resource.ofType(Patient).extension('http://example.org/StructureDefinition/"
            "nickname').value & '!'",
            [("Patient/p1", "Patient.extension.value")],
        ),
        (
            "%observations.exists(value is integer) and "
            "entry.resource.ofType(Condition).onset > 60 years",
            [("Observation/ecog", "Observation"), ("Condition/tumour", "Condition.onset")],
        ),
    ],
)
def test_evidence(text: str, expected: list[tuple[str, str]]) -> None:
    assert evidence(text) == expected


def test_a_variable_hands_on_its_own_evidence() -> None:
    fact = Node(72, "System.Integer", evidence=(Touched("Observation/size", "Observation.value"),))
    assert evidence("%size > 50 and %observations.exists(value is integer)", size=fact) == [
        ("Observation/size", "Observation.value"),
        ("Observation/ecog", "Observation"),
    ]


def test_nodes_of_a_traced_result_are_such_variables() -> None:
    environment = Environment(now=NOW, variables={"observations": OBSERVATIONS})
    nodes = parse(f"{SIZE}.value").trace(BUNDLE, environment).nodes
    assert evidence("%size > 5 'cm'", size=nodes) == [("Observation/size", "Observation.value")]


class Facts(Mapping[str, Any]):
    """Facts that are computed when they are read, and may read each other."""

    def __init__(self, **texts: str) -> None:
        self.texts = texts
        self.read: list[str] = []

    def __getitem__(self, name: str) -> Any:
        if name == "observations":
            return OBSERVATIONS
        self.read.append(name)
        expression = parse(self.texts[name])
        return expression.trace(BUNDLE, Environment(now=NOW, variables=self)).nodes

    def __iter__(self) -> Iterator[str]:
        return iter(self.texts)

    def __len__(self) -> int:
        return len(self.texts)


def test_facts_are_read_only_when_named_and_pass_evidence_on() -> None:
    facts = Facts(size=f"{SIZE}.value", large="%size > 5 'cm'", never="1 / 'x'")
    traced = parse("%large and true").trace(BUNDLE, Environment(now=NOW, variables=facts))
    assert traced.values == [True]
    assert facts.read == ["large", "size"]
    assert traced.evidence == (Touched("Observation/size", "Observation.value"),)


def test_variables_are_told_before_evaluation() -> None:
    text = "%a + defineVariable('b', 1).select(%b) + %`c-d` + %ucum & %`vs-x` & %resource.id"
    assert parse(text).variables == {"a", "c-d"}
