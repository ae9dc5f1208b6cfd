"""What only a caller or an odd resource can bring, in both forms of an expression."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from carepath.errors import EvaluationError
from carepath.fhirpath import Environment, Expression, Known, Limits, parse

NOW = datetime(2026, 3, 31, 9, 15, tzinfo=UTC)
EXTENSION = {"extension": [{"url": "http://x", "valueBoolean": True}]}
PATIENT = {
    "resourceType": "Patient",
    "name": [
        {"given": ["Ada"], "_given": [None, EXTENSION], "_family": EXTENSION},
        {"given": ["Bea", None, "Cleo"]},
    ],
    "_deceasedBoolean": EXTENSION,
    "extension": [{"url": "http://y", "valueDuration": {"value": 3, "code": "a"}}],
}
OBSERVATION = {
    "resourceType": "Observation",
    "valueQuantity": {"value": 5, "unit": "mm", "comparator": "<"},
    "component": [
        {"valueQuantity": {"value": 5, "code": "a", "system": "http://x"}},
        {"valueQuantity": {"value": float("nan"), "code": "mm"}},
        {"valueCodeableConcept": {"text": "x"}},
    ],
}
INTEGER = {"namespace": "System", "name": "Integer", "baseType": "System.Any"}
TWINS = [
    {"resourceType": "Condition", "id": "c", "note": [{"text": "old"}]},
    {"resourceType": "Condition", "id": "c", "note": [{"text": "new"}]},
]
VARIABLES = {
    "integer": INTEGER,
    "twins": TWINS,
    "old": TWINS[:1],
    "new": TWINS[1:],
    "many": list(range(100)),
    "short": {"a": ["x"]},
    "long": {"a": ["x", "y"]},
    "turned": {"a": ["Y", "X"]},
}


def forms(text: str) -> tuple[Expression, Expression]:
    """Return an expression by closures and one by its written function."""
    quick = parse(text)
    quick.prepare()
    return parse(text), quick


@pytest.mark.parametrize(
    ("focus", "text", "expected"),
    [
        (PATIENT, "name.given.count()", 4),
        (PATIENT, "name.given.extension.count()", 1),
        (PATIENT, "name.family.extension.value", True),
        (PATIENT, "deceased.extension.value", True),
        (PATIENT, "name[1].given.count()", 2),
        (PATIENT, "name.last().given.join('+')", "Bea+Cleo"),
        (OBSERVATION, "(value < 6 'mm').empty()", True),
        (OBSERVATION, "value.exists()", True),
        (OBSERVATION, "(component[0].value = 5 'a').empty()", False),
        (OBSERVATION, "(component[1].value > 1 'mm').empty()", True),
        (OBSERVATION, "component.value.ofType(CodeableConcept).text", "x"),
        (OBSERVATION, "(component[0].value = 5 years).empty()", True),
        (PATIENT, "extension.value.ofType(Quantity).value", 3),
        (PATIENT, "%short ~ %long", False),
        (PATIENT, "%long ~ %turned", True),
        (PATIENT, "%integer = 1.type()", False),
        (PATIENT, "1.type() = 2.type()", True),
        (PATIENT, "%twins.distinct().count()", 2),
        (PATIENT, "%old.combine(%old).distinct().count()", 1),
        (PATIENT, "%twins.exclude(%old).note.text", "new"),
        (PATIENT, "%twins.exclude(%new).note.text", "old"),
        (PATIENT, "%old.exclude(%twins).count()", 0),
        (PATIENT, "%new.intersect(%twins).note.text", "new"),
        (PATIENT, "%old in %twins", True),
        (PATIENT, "%many.where($this in %many).count()", 100),
        (PATIENT, "1.combine('1').select($this is String).where($this).count()", 1),
        ([1, 2], "$this.count()", 2),
        ([], "$this.count()", 0),
    ],
)
def test_odd_values(focus: Any, text: str, expected: Any) -> None:
    environment = Environment(now=NOW, variables=VARIABLES)
    for form in forms(text):
        assert form.evaluate(focus, environment) == [expected]


@pytest.mark.parametrize(
    "text",
    [
        "%many.where(true)",
        "%many.select($this)",
        "%many.exists($this < 0)",
        "%many.all($this >= 0)",
        "%many.agreed(1)",
        "%many.aggregate(1)",
        "%many.sort($this)",
        "%many.repeat({})",
        "%many.select(%many.count())",
        "%many ~ %many",
    ],
)
def test_each_loop_spends_its_steps(text: str) -> None:
    """A costly expression ends, whichever form it runs in."""
    enough = Environment(now=NOW, variables=VARIABLES, limits=Limits(steps=20_000))
    too_few = Environment(now=NOW, variables=VARIABLES, limits=Limits(steps=99))
    for form in forms(text):
        form.evaluate(PATIENT, enough)
        with pytest.raises(EvaluationError, match="99 steps"):
            form.evaluate(PATIENT, too_few)
        with pytest.raises(EvaluationError, match="99 steps"):
            form.decide(Known.of(PATIENT), too_few)


@pytest.mark.parametrize(
    "text", ["1.trace('seen') + 1", "(1 | 2).trace('seen').single()", "2.trace('seen')"]
)
def test_a_trace_is_told_as_often_in_both_forms(text: str) -> None:  # fmt: skip
    told: list[list[Any]] = []
    for form in forms(text):
        seen: list[Any] = []
        told.append(seen)

        def tell(label: str, values: list[Any], seen: list[Any] = seen) -> None:
            seen.append((label, values))

        environment = Environment(now=NOW, on_trace=tell)
        try:
            form.evaluate(PATIENT, environment)
        except EvaluationError as error:
            seen.append(str(error))
    assert told[0] == told[1] != []


class Changing(Mapping[str, Any]):
    """A variable that is another one each time it is read."""

    def __init__(self) -> None:
        self.values: Iterator[Any] = iter([[1, 2], ["a"]])

    def __getitem__(self, name: str) -> Any:
        return next(self.values)

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


def test_what_is_told_of_a_failure_is_what_happened_first() -> None:
    with pytest.raises(EvaluationError) as caught:
        parse("%x + 1").evaluate(PATIENT, Environment(now=NOW, variables=Changing()))
    assert caught.value.reason == "expected one item, found 2"


@pytest.mark.parametrize(
    ("focus", "expected"),
    [([{"x": 1}, {"x": 1}], 1), ([{"x": 1}, {"x": 2}], None), ([{"x": 1}, {}], None)],
)
def test_values_that_do_not_agree_are_none(focus: Any, expected: int | None) -> None:
    for form in forms("$this.agreed(x)"):
        found = form.evaluate(focus, Environment(now=NOW))
        assert found == ([] if expected is None else [expected])
