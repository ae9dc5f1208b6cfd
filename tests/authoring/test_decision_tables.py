"""Decision tables: what they are made of, and that their rows hold every choice."""

from typing import Any

import pytest

from carepath.authoring.decision_diagram import Diagrams, TooLarge, cubes, value_at
from carepath.authoring.decision_table import Impossible, Table, is_met, tables_of
from carepath.authoring.decision_table_facts import columns_of, vocabulary_of
from carepath.authoring.decision_table_text import row_text
from carepath.knowledge import Knowledge

KNOWLEDGE = Knowledge.shipped()


def plan_with(*conditions: str, inner: str = "") -> dict[str, Any]:
    """Return a plan with one action, and one in it when there is a condition for it."""

    def stated(texts: tuple[str, ...]) -> list[dict[str, Any]]:
        return [
            {
                "kind": "applicability",
                "expression": {"language": "text/fhirpath", "expression": text},
            }
            for text in texts
        ]

    action: dict[str, Any] = {"id": "a", "condition": stated(conditions)}
    if inner:
        action["action"] = [{"id": "b", "condition": stated((inner,))}]
    return {"resourceType": "PlanDefinition", "id": "p", "action": [action]}


def rows(plan: dict[str, Any], *impossible: Impossible) -> list[str]:
    texts = [
        c["expression"]["expression"]
        for action in (*plan["action"], *plan["action"][0].get("action", ()))
        for c in action["condition"]
    ]
    vocabulary = vocabulary_of(KNOWLEDGE, texts)
    return [
        row_text(table, row) + (f" ({row.reason})" if row.reason else "")
        for table in tables_of(plan, vocabulary, impossible)
        for row in table.rows
    ]


@pytest.mark.parametrize(
    ("conditions", "inner", "expected"),
    [
        (("%resected",), "", ["a met: resected = yes", "a not-met: resected = no"]),
        (
            ("%grade = 'high'",),
            "",
            ["a met: grade = high", "a not-met: grade = low or intermediate"],
        ),
        (
            ("%sizeCm < 2.0",),
            "",
            ["a met: sizeCm = < 2.0", "a not-met: sizeCm = 2.0 or > 2.0"],
        ),
        (
            ("%sizeCm >= 8",),
            "",
            ["a not-met: sizeCm = < 8", "a met: sizeCm = 8 or > 8"],
        ),
        (
            ("%imaging contains 'ct'",),
            "",
            [
                "a met: imaging contains ct = yes",
                "a not-met: imaging contains ct = no",
            ],
        ),
        (("%sourceS1",), "", ["a met: sourceS1 = yes", "a not-met: sourceS1 = no"]),
    ],
)
def test_classes(conditions: tuple[str, ...], inner: str, expected: list[str]) -> None:
    found = [row for row in rows(plan_with(*conditions, inner=inner)) if "undetermined" not in row]
    assert [row.replace("low | intermediate", "low or intermediate") for row in found] == expected


def test_conditions_are_joined_as_the_engine_joins_them() -> None:
    assert rows(plan_with("%resected", "%confirmed")) == [
        "a met: resected = yes; confirmed = yes",
        "a not-met: confirmed = no",
        "a undetermined: resected = yes or unknown; confirmed = unknown",
        "a not-met: resected = no",
        "a undetermined: resected = unknown; confirmed = yes or unknown",
    ]


def test_an_action_in_a_group_hangs_on_the_group() -> None:
    assert rows(plan_with("%sourceS1", inner="%sourceS2")) == [
        "a met, b met: sourceS1 = yes; sourceS2 = yes",
        "a met, b not-met: sourceS1 = yes; sourceS2 = no",
        "a not-met, b not-met: sourceS1 = no",
    ]


def test_a_row_that_cannot_happen_has_its_reason() -> None:
    no = Impossible("%resected and %confirmed = false", "what is removed was examined")
    plan = plan_with("%resected", "%confirmed.not()")
    assert [row for row in rows(plan, no) if row.endswith(")")] == [
        "a met: resected = yes; confirmed = no (what is removed was examined)"
    ]


def test_a_plan_that_reads_what_is_open_has_no_table() -> None:
    assert rows(plan_with("%gaps.exists()")) == []


@pytest.mark.parametrize(
    ("values", "expected"), [({"m": [1]}, True), ({"m": [0]}, False), ({}, False)]
)
def test_a_condition_on_values(values: dict[str, list[Any]], expected: bool) -> None:
    assert is_met("%m = 1", values) is expected


def test_rows_hold_every_choice_with_its_outcome() -> None:
    """Each choice has a row, and all its rows have the outcome of the diagram."""
    for table in some_tables():
        choice = dict.fromkeys(range(len(table.columns)), 0)
        for column, made in enumerate(table.columns):
            for number in range(len(made.classes)):
                here = {**choice, column: number}
                labels = {c.name: c.classes[here[i]].label for i, c in enumerate(table.columns)}
                outcomes = {table.rows[n].outcomes for n in table.rows_at(labels)}
                assert outcomes == {value_at(table.diagram, here)}


def some_tables() -> list[Table]:
    """Return the tables of one plan with many actions."""
    plan = KNOWLEDGE.plan("mst-recurrence")
    texts = [c["expression"]["expression"] for a in plan["action"] for c in a.get("condition", ())]
    return tables_of(plan, vocabulary_of(KNOWLEDGE, texts))


def test_a_diagram_that_grows_too_large_is_given_up() -> None:
    diagrams = Diagrams([2] * 10, 5)
    with pytest.raises(TooLarge):
        diagrams.of(range(10), lambda choice: sum(choice.values()))


def test_too_many_ways_are_given_up() -> None:
    diagrams = Diagrams([2] * 4, 100)
    diagram = diagrams.of(range(4), lambda choice: sum(choice.values()) % 2)
    with pytest.raises(TooLarge):
        cubes(diagram, diagrams.sizes, 3)


def test_columns_come_in_the_order_they_are_read() -> None:
    texts = ["%m = 1 and %resected", "%imaging contains 'ct' and %m = 0"]
    columns = columns_of(texts, vocabulary_of(KNOWLEDGE, texts))
    assert [column.name for column in columns] == ["m", "resected", "imaging contains ct"]
