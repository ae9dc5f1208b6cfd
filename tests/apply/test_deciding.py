"""Which facts decided: every row is a condition, what the facts are, and the facts that count."""

from typing import Any

import pytest
from small import applied, fact, library, plan, when

FACTS = {
    "yes": "true",
    "no": "false",
    "one": "'one'",
    "gone": "{}",
    "also": "true",
    "nay": "false",
}

ROWS = (
    ("%yes and %also", "met", ["yes", "also"]),
    ("%yes or %also", "met", ["yes"]),
    ("%no or %also", "met", ["also"]),
    ("%gone or %also", "met", ["also"]),
    ("%one or %no", "met", ["one"]),
    ("iif(%no, true) | %yes", "met", ["yes"]),
    ("%no and %yes", "not-met", ["no"]),
    ("%yes and %no", "not-met", ["no"]),
    ("%no or %nay", "not-met", ["no", "nay"]),
    ("%no implies %yes", "met", ["no"]),
    ("%yes implies %also", "met", ["also"]),
    ("(%no or %yes).not()", "not-met", ["yes"]),
    ("(%no and %gone).not()", "met", ["no"]),
    ("%yes xor %no", "met", ["yes", "no"]),
    ("iif(%yes, %also, %no)", "met", ["yes", "also"]),
    ("iif(%no, %also, %yes)", "met", ["no", "yes"]),
    ("(%one | %gone).exists()", "met", ["one"]),
    ("%gone.exists($this = %one).not() and %yes", "met", ["yes"]),
    ("%one.exists($this = %yes).not()", "met", ["one", "yes"]),
    ("(%one = 'x' or %yes) and %gone.exists($this = %one).not()", "met", ["yes"]),
    ("%one = 'one' and (%no or %one.exists())", "met", ["one"]),
)


@pytest.mark.parametrize(("text", "outcome", "names"), ROWS, ids=[row[0] for row in ROWS])
def test_facts_that_decided(text: str, outcome: str, names: list[str]) -> None:
    told = _because(text, outcome)
    found = [name for name in FACTS if f"{name} is " in told]
    assert sorted(found) == sorted(names), told


def test_a_helping_fact_tells_only_what_decided_it() -> None:
    """What stands in for an auxiliary fact is what decided that one."""
    helper = fact("helper", "%no or %also", auxiliary=True)
    told = _because("%yes and %helper", "met", helper)
    assert [name for name in FACTS if f"{name} is " in told] == ["yes", "also"]


def test_of_several_conditions_only_those_that_say_no_are_told() -> None:
    action = {"id": "a", "title": "A", "condition": [*when("%yes"), *when("%no")]}
    result = _applied(action)
    assert result.decisions[0].because == "Does not apply because no is no."


def _because(text: str, outcome: str, *more: Any) -> str:
    (decision,) = _applied({"id": "a", "title": "A", "condition": when(text)}, *more).decisions
    assert decision.outcome == outcome
    return decision.because


def _applied(action: dict[str, Any], *more: Any) -> Any:
    facts = [fact(name, expression) for name, expression in FACTS.items()]
    held = library(*facts, *more)
    return applied([plan(action, library=[held["url"]]), held])
