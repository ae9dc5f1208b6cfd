"""Errors say where: in the text by column, in the expression by part, in the resource by path."""

import subprocess
import sys
from datetime import UTC, datetime
from typing import Any

import pytest

from carepath.errors import EvaluationError, ExpressionSyntaxError
from carepath.fhirpath import Allowance, Environment, Expression, Limits, parse
from carepath.fhirpath.patterns import replace_all
from carepath.fhirpath.values.failure import LimitReached

NOW = datetime(2026, 3, 31, 9, 15, tzinfo=UTC)
CONDITION: dict[str, Any] = {
    "resourceType": "Condition",
    "id": "tumour",
    "code": {"coding": [{"code": "C49.2"}, {"code": "8990/3"}]},
}


def environment(**given: Any) -> Environment:
    return Environment(now=NOW, **given)


@pytest.mark.parametrize(
    ("text", "column", "expected"),
    [
        ("Patient..name", 9, "a name"),
        ("1 +", 4, "an expression"),
        ("name.where(use = 'a'", 21, "`,` or `)`"),
        ("'open", 1, "a closing quote for this string"),
        ("@2026-02-30", 1, "a date or time that exists"),
        ("1 is 2", 6, "the name of a type"),
        ("a b", 3, "an operator or the end of the expression"),
        (r"'\u12'", 2, r"a character such as `\u00e4` or `\ud83d\ude00`"),
        ("1\n+ * 2", 5, "an expression"),
    ],
)
def test_syntax_error_points_at_the_place(text: str, column: int, expected: str) -> None:
    with pytest.raises(ExpressionSyntaxError) as caught:
        parse(text)
    error = caught.value
    assert (error.expression, error.column, error.expected) == (text, column, expected)


def test_syntax_error_shows_a_caret() -> None:
    with pytest.raises(ExpressionSyntaxError) as caught:
        parse("Patient..name")
    assert str(caught.value).splitlines()[1:] == ["  Patient..name", "          ^"]


@pytest.mark.parametrize(
    ("text", "at", "element"),
    [
        ("code.coding.single().code", "code.coding.single()", "Condition.code.coding[0]"),
        ("code.coding.code.upper()", "code.coding.code.upper()", "Condition.code.coding[0].code"),
        ("1 + 2 > code", "1 + 2 > code", "Condition.code"),
        ("id.where($this < 5)", "$this < 5", "Condition.id"),
        ("id + %none", "%none", ""),
        ("id.nothing()", "id.nothing()", ""),
        ("onsetAge.value", "onsetAge.value", ""),
    ],
)
def test_evaluation_error_names_part_and_element(text: str, at: str, element: str) -> None:
    with pytest.raises(EvaluationError) as caught:
        parse(text).evaluate(CONDITION, environment())
    assert (caught.value.expression, caught.value.at, caught.value.element) == (text, at, element)


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("Condition.kode", "Condition.kode"),
        ("code.coding.where(kode = 'x')", "kode"),
        ("Patient.name", "Patient"),
        ("onsetAge.value", "onsetAge"),
        ("code.startsWith('C')", "code.startsWith('C')"),
        ("recordedDate + 7", "recordedDate + 7"),
        ("nothing()", "nothing()"),
        ("code.exists(1, 2)", "code.exists(1, 2)"),
        ("onset.ofType(Nothing)", "onset.ofType(Nothing)"),
        ("id.is(NoType)", "id.is(NoType)"),
        ("iif(id, 1)", "iif(id, 1)"),
        ("bodySite.where(text)", "bodySite.where(text)"),
        ("stage.agreed(kind)", "kind"),
        ("note.latest().kind", "note.latest().kind"),
        ("coalesce(code, severity).kind", "coalesce(code, severity).kind"),
    ],
)
def test_static_error_names_the_part(text: str, at: str) -> None:
    with pytest.raises(EvaluationError) as caught:
        parse(text, input_type="Condition")
    assert (caught.value.expression, caught.value.at) == (text, at)


@pytest.mark.parametrize(
    "text",
    [
        "code.coding.where(system = %sct).code",
        "subject.resolve().ofType(Patient).birthDate <= today() - 18 years",
        "onset.ofType(Age) > 18 years or onset.ofType(dateTime) < now()",
        "descendants().ofType(Coding).code",
        "extension.value.ofType(Coding).code",
        "repeat(stage).assessment.resolve().value",
        "%facts.anything.at.all",
        "stage.select(summary.coding | type.coding).code",
        "defineVariable('c', code).select(%c.coding)",
        "note.time.where($this > @2026).sort().first()",
        "stage.agreed(summary).coding",
        "stage.first().iif(summary.exists(), summary.text)",
        "identifier.trace(id, value)",
        "%terminologies.subsumes(%sct, 'a', 'b').length() > 0",
    ],
)
def test_static_check_lets_what_may_be_right_pass(text: str) -> None:
    assert parse(text, input_type="Condition").text == text


def test_unknown_input_type_is_refused() -> None:
    with pytest.raises(EvaluationError) as caught:
        parse("id", input_type="Tumour")
    assert caught.value.at == "Tumour"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("(1 | 2 | 3).repeatAll($this + 1)", "more than 100 items"),
        ("(1 | 2).repeat($this + 1).where(false)", "more than"),
        ("descendants().where(%c.descendants().where(%c.descendants().empty()))", "200 steps"),
        ("(1 | 2).repeatAll($this | ($this + 1))", "more than"),
        ("(1 | 2).aggregate($total & $total & 'x')", None),
        ("'aaaaaaaaaa'.toChars().aggregate($total & $total & 'xxxxxxxxxx', '')", "characters"),
        ("'aaaaaaaa'.replace('', 'bbbbbbbbbbbbbbbb')", "characters"),
        ("(1 | 2 | 3).select(%c.descendants()).select(%c.descendants())", "more than"),
    ],
)  # fmt: skip
def test_limits_end_what_would_not_end(text: str, reason: str | None) -> None:
    limits = Limits(steps=200, items=100, text=100)
    small = environment(limits=limits, variables={"c": CONDITION})
    if reason is None:
        assert parse(text).evaluate(CONDITION, small) == ["xxx"]
        return
    with pytest.raises(EvaluationError) as caught:
        parse(text).evaluate(CONDITION, small)
    assert reason in caught.value.reason


_ONE = "a string has more than 100 characters"
_TOGETHER = "its strings have more than 1000 characters"


@pytest.mark.parametrize("form", ["closures", "written"])
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("'aaaaaaaa'.replace('', 'bbbbbbbbbbbbbbbb').exists()", _ONE),
        ("'aaaaaaaaaa'.replaceMatches('a', 'bbbbbbbbbbbbbbbb').exists()", _ONE),
        ("'aaaaaaaaaaaa'.replaceMatches('.+', '$0$0$0$0$0$0$0$0$0').exists()", _ONE),
        ("%many.join('').exists()", _ONE),
        ("%many.select('').join('a').exists()", "true"),
        ("%many.select('').join('aaa').exists()", _ONE),
        ("'a'.repeat($this & 'b').exists()", _TOGETHER),
        ("%many.select($this.substring(1)).exists()", _TOGETHER),
        ("%many.select($this.substring(1, 2)).exists()", "true"),
        ("%many.select($this.split('b')).exists()", _TOGETHER),
        ("%many.select($this.toChars().count()).exists()", _TOGETHER),
        ("%many.select($this & 'b').exists()", _TOGETHER),
        ("%many.select($this + 'b').exists()", _TOGETHER),
        ("%many.select($this.upper()).exists()", _TOGETHER),
        ("%many.select($this.encode('hex')).exists()", _TOGETHER),
        ("%many.select($this.replace('a', 'b')).exists()", _TOGETHER),
        ("%many.select($this.replaceMatches('a', 'b')).exists()", _TOGETHER),
    ],
)
def test_strings_have_a_bound_each_and_together(text: str, expected: str, form: str) -> None:
    limits = Limits(text=100, characters=1_000)
    small = environment(limits=limits, variables={"many": ["a" * 23] * 50})
    expression = parse(text)
    if form == "written":
        expression.prepare()
    assert _answer(expression, small) == expected


@pytest.mark.parametrize(("substitution", "made"), [("bbbb", "b" * 12), ("$0$0$0", "a" * 9)])
def test_a_replacement_ends_before_it_is_made(substitution: str, made: str) -> None:
    """Asked afterwards, how long it is, it would lie in the memory already."""
    assert replace_all("a", "aaa", substitution, "", 30) == made
    with pytest.raises(LimitReached):
        replace_all("a", "a" * 1000, substitution, "", 30)


def test_strings_of_several_evaluations_have_a_bound_together() -> None:
    shared = environment(allowance=Allowance(10))
    expression = parse("'aaa' & 'bb'")
    too_many = "the strings of all expressions have more than 10 characters"
    answers = [_answer(expression, shared) for _ in range(3)]
    assert answers == ["aaabb", "aaabb", too_many]


def _answer(expression: Expression, around: Environment) -> str:
    """Return the one value as text, or the reason why there is none."""
    try:
        [value] = expression.evaluate(None, around)
    except EvaluationError as error:
        return error.reason
    return str(value).lower() if isinstance(value, bool) else str(value)


@pytest.mark.parametrize(
    "text",
    ["(" * 200 + "1" + ")" * 200, "-" * 500 + "1", "+".join(["1"] * 1000), "a" + ".b" * 1000,
     "a" + "[0]" * 1000, "1" + " is Integer" * 1000, "x" * 200_000, "9" * 5000,
     "(" * 20 + "1" + "+1" * 10 + ")+1+1+1+1+1+1+1+1" * 20],
    ids=["parentheses", "signs", "sum", "path", "indexers", "types", "length", "digits", "tree"],
)  # fmt: skip
def test_deep_nesting_is_a_syntax_error(text: str) -> None:
    with pytest.raises(ExpressionSyntaxError) as caught:
        parse(text)
    assert "at most" in caught.value.expected


def test_the_deepest_expression_there_may_be_is_evaluated() -> None:
    text = "+".join(["1"] * 148)
    assert parse(text).evaluate(CONDITION, environment()) == [148]
    assert parse("(" * 90 + "1" + ")" * 90).evaluate(CONDITION, environment()) == [1]
    nested = "1.select(" * 90 + "$this" + ")" * 90
    assert parse(nested).trace(CONDITION, environment()).values == [1]


@pytest.mark.parametrize(
    "text",
    [
        "%many.aggregate($total | $this)",
        "%many ~ %many",
        "%many.where($this in %many)",
        "%many.select(%many.distinct().count())",
    ],
)
def test_work_that_grows_with_the_square_is_counted(text: str) -> None:
    many = environment(variables={"many": list(range(3000))}, limits=Limits(steps=100_000))
    with pytest.raises(EvaluationError) as caught:
        parse(text).evaluate(CONDITION, many)
    assert "100000 steps" in caught.value.reason


def test_no_step_is_lost_or_won_where_the_clock_is_looked_at() -> None:
    text, variables = "%many.where($this > 0).where($this > 1).where(true)", [*range(2500)]
    counts = {}
    for steps in (7_496, 7_497):  # 2500, then 2499, then 2498
        few = environment(variables={"many": variables}, limits=Limits(steps=steps))
        try:
            counts[steps] = len(parse(text).evaluate(CONDITION, few))
        except EvaluationError as error:
            counts[steps] = error.reason
    assert counts == {7_496: "it takes more than 7496 steps", 7_497: 2498}


@pytest.mark.parametrize("text", ["matches(%p)", "matchesFull(%p)", "replaceMatches(%p, 'x')"])
def test_a_large_pattern_on_a_long_text_is_refused(text: str) -> None:
    """At worst one search of this kind takes ten seconds; each alone is welcome."""
    large = "[ab]*a[ab]{300}c"

    def reason(pattern: str, value: str) -> str:
        given = environment(variables={"p": pattern, "t": value})
        try:
            parse(f"%t.{text}").evaluate(CONDITION, given)
        except EvaluationError as error:
            return error.reason
        return ""

    refused = "its pattern and its text together are too large to search"
    assert reason(large, "b" * 900_000) == refused
    assert (reason(large, "b" * 900), reason("[ab]*ac", "b" * 900_000)) == ("", "")


def test_importing_the_engine_loads_nothing_heavy() -> None:
    code = (
        "import sys, carepath.fhirpath;"
        "heavy = {'pint', 're2', 'msgspec', 'json', 'html', 'carepath.r4.model', 'click', 'flask'};"
        "print(sorted(heavy & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("[]\n", "")


def test_regular_expressions_cannot_blow_up() -> None:
    text = "'" + "a" * 5000 + "!'" + ".matches('^(a+)+$')"
    assert parse(text).evaluate(CONDITION, environment()) == [False]
