"""What is known of a function stands in its row, and everybody who reads expressions asks it."""

import ast
from pathlib import Path
from typing import Any

import pytest

import carepath.fhirpath
from carepath.apply.compile.formula import Formula
from carepath.apply.describe.what_is_read import Reading
from carepath.apply.languages import LANGUAGES
from carepath.errors import EvaluationError
from carepath.fhirpath import Environment, Known, parse
from carepath.fhirpath.functions import FUNCTIONS
from carepath.fhirpath.functions.row import (
    A_BOOLEAN,
    HOLDS,
    ITEMS,
    Compiler,
    Function,
    Writer,
    Written,
)
from carepath.fhirpath.functions.table import plain
from carepath.fhirpath.nodes import Call
from carepath.fhirpath.values.context import Context, Truth
from carepath.fhirpath.values.results import of_truth
from carepath.fhirpath.values.types import Item, Items

from .test_laws import NOW

ROOT = Path(carepath.fhirpath.__file__).parent
PATIENT = {"resourceType": "Patient", "id": "p", "name": [{"family": "A"}, {"family": "B"}]}
NAMES = [{"resourceType": "Patient", "id": id_} for id_ in ("a", "b", "c")]


def environment(**variables: Any) -> Environment:
    return Environment(now=NOW, variables=variables)


def _every_second(_: Context, items: Items) -> Items:
    return items[::2]


def _write_every_second(writer: Writer, node: Call, this: str) -> str:
    return writer.put("v", f"{writer.source(node, this)}[::2]")


def _some_fail(compiler: Compiler, node: Call) -> Truth:
    source, holds = compiler.source(node), compiler.in_loop(compiler.truth, node.arguments[0])

    def truth(context: Context, this: Item) -> bool | None:
        return any(holds(context, item) is False for item in source(context, this))

    return truth


@pytest.fixture
def everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Add two functions where functions stand, and nowhere else."""
    chosen = plain(
        _every_second, gives=ITEMS, needs_order=True, written=Written(_write_every_second)
    )
    asked = Function(
        lambda compiler, node: (
            lambda context, this: of_truth(_some_fail(compiler, node)(context, this))
        ),
        (HOLDS,),
        1,
        A_BOOLEAN,
        truth=_some_fail,
    )
    monkeypatch.setitem(FUNCTIONS, "everySecond", chosen)
    monkeypatch.setitem(FUNCTIONS, "someFail", asked)


@pytest.mark.usefixtures("everywhere")
def test_a_function_is_evaluated_in_both_forms() -> None:
    text = "name.everySecond().family | name.someFail(family = 'A').toString()"
    plain_form, quick = parse(text), parse(text)
    quick.prepare()
    assert quick._quick_items is not None
    results = [e.evaluate(PATIENT, environment()) for e in (plain_form, quick)]
    assert results == [["A", "true"], ["A", "true"]]
    assert quick._quick_items.__code__.co_filename == "<fhirpath>"


@pytest.mark.usefixtures("everywhere")
def test_a_function_that_has_a_truth_makes_a_condition() -> None:
    condition = parse("name.someFail(family = 'A')")
    assert condition.is_condition
    assert condition.decide(Known.of(PATIENT), environment()) is True


@pytest.mark.usefixtures("everywhere")
@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("name.everySecond().kind", "name.everySecond().kind"),
        ("name.someFail(kind = 'A')", "kind"),
        ("name.someFail(given)", "name.someFail(given)"),
        ("name.someFail(family = 'A').family", "name.someFail(family = 'A').family"),
        ("name.everySecond(1)", "name.everySecond(1)"),
    ],
)
def test_the_static_check_knows_a_function(text: str, at: str) -> None:
    with pytest.raises(EvaluationError) as caught:
        parse(text, input_type="Patient")
    assert caught.value.at == at


@pytest.mark.usefixtures("everywhere")
def test_the_static_check_knows_what_needs_an_order() -> None:
    expression = parse("descendants().everySecond()")
    with pytest.raises(EvaluationError, match="order"):
        carepath.fhirpath.check(expression, "Patient", strict_order=True)


@pytest.mark.usefixtures("everywhere")
def test_tracing_takes_the_items_a_function_chose_as_their_own_evidence() -> None:
    expression = parse("%patients.everySecond().everySecond()")
    expression.prepare()
    traced = expression.trace(PATIENT, environment(patients=NAMES), paths=False)
    assert [place.resource for place in traced.evidence] == ["Patient/a"]


def read_by(text: str) -> Reading:
    reading = Reading()
    reading.expression(parse(text).ast, ())
    return reading


@pytest.mark.usefixtures("everywhere")
def test_what_is_read_goes_on_after_a_function() -> None:
    reading = read_by("%patient.contact.everySecond().relationship.memberOf('http://x/vs')")
    assert reading.value_sets == {("Patient", "contact.relationship"): {"http://x/vs": None}}


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("%patient.contact.latest().relationship", "contact.relationship"),
        ("%patient.contact.agreed(relationship)", "contact.relationship"),
        ("%patient.contact.defineVariable('c').relationship", "contact.relationship"),
        ("%patient.coalesce({}, contact.relationship)", "contact.relationship"),
        ("%patient.contact.iif(gender.exists(), relationship)", "contact.relationship"),
        ("%patient.name.combine(contact.relationship)", "contact.relationship name"),
        ("%patient.contact.repeatAll(relationship)", "contact.relationship"),
        ("%patient.link.other.resolve()", "link.other"),
        ("%patient.contact.relationship.ofType(CodeableConcept)", "contact.relationship"),
        ("%patient.contact.relationship.is(CodeableConcept)", ""),
        ("%patient.contact.count()", ""),
    ],
)
def test_where_the_value_of_an_expression_comes_from(text: str, places: str) -> None:
    reading = read_by(f"({text}).memberOf('http://x/vs')")
    assert sorted(path for _, path in reading.value_sets) == places.split()


@pytest.mark.parametrize(
    ("text", "is_so"),
    [
        ("%a", True),
        ("%a.where(value > 1)", True),
        ("%a.where($this > %b).exists()", True),
        ("%a.count() + now().yearOf()", True),
        ("iif(%a.exists(), %b, {})", True),
        ("coalesce(%a, %b)", True),
        ("%a.ofType(Patient)", True),
        ("%a.union(name)", False),
        ("%a.where(subject.resolve().exists())", False),
        ("%a.subject.resolve()", False),
        ("name", False),
        ("exists()", False),
        ("iif($this.exists(), %a)", False),
        ("coalesce(%a, name)", False),
    ],
)
def test_whether_an_expression_rests_on_variables_only(text: str, is_so: bool) -> None:
    formula = Formula({"language": "text/fhirpath", "expression": text}, LANGUAGES)
    assert formula.reads_variables_only is is_so


IN_THE_GRAMMAR = {"as", "contains", "is", "sort"}
"""Operators of the same name; `asc` and `desc` are read inside `sort()` only."""
OF_ELEMENTS = {"code", "id", "string", "type", "Quantity"}
"""Words that name elements and types as well."""


def words_of(path: Path) -> set[str]:
    nodes = ast.walk(ast.parse(path.read_text("utf-8")))
    return {n.value for n in nodes if isinstance(n, ast.Constant) and isinstance(n.value, str)}


def test_no_module_beside_the_rows_names_a_function() -> None:
    rooms = {"functions", "values"}
    readers = [
        *(p for p in ROOT.rglob("*.py") if p.relative_to(ROOT).parts[0] not in rooms),
        ROOT.parent / "apply/describe/what_is_read.py",
    ]
    assert len(readers) > 20
    names = FUNCTIONS.keys() - IN_THE_GRAMMAR - OF_ELEMENTS
    assert {p.name: found for p in readers if (found := words_of(p) & names)} == {}
