"""Decision tables of a plan, made from its conditions.

https://www.omg.org/spec/DMN/1.3/ (chapter 8)

A row is a combination of what the conditions can tell apart, and the outcome of each action there:
met, not met or undetermined.  Together the rows are all combinations there are; where two overlap
they agree (the hit policy `any`).  A plan has one table when that has few rows; else each action
has its own, because the product of independent actions tells a reader nothing.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from itertools import product
from typing import Any

from carepath.apply.compile.names import OF_GAPS
from carepath.apply.run.step import MET, NOT_MET, UNDETERMINED
from carepath.authoring.decision_diagram import Cube, Diagrams, TooLarge, cubes, value_at
from carepath.authoring.decision_table_facts import (
    Column,
    Vocabulary,
    columns_of,
    facts_in,
)
from carepath.fhirpath import Environment, Known, parse
from carepath.resources import Resource

MOST_ROWS = 40
"""A table of the whole plan that would have more is made for each action by itself."""
_MOST_WAYS = 20_000
_MOST_NODES = 5_000
_NO_TIME = datetime(2000, 1, 1, tzinfo=UTC)
"""Conditions of plans read facts, and no clock."""

_OF_THE_ENGINE = OF_GAPS | {"unread"}


@dataclass(frozen=True)
class Conditional:
    """An action with the texts of its conditions and of those of the groups that it is in."""

    id: str
    conditions: tuple[str, ...]


@dataclass(frozen=True)
class Row:
    """One row: the classes by column, and the outcomes by action.

    `reason` says why it cannot happen, and is empty where it can.
    """

    cube: Cube
    outcomes: tuple[str, ...]
    reason: str = ""


@dataclass(frozen=True, eq=False)
class Table:
    """A decision table: `actions` are its outcome columns, `columns` what they hang on."""

    plan: str
    actions: tuple[str, ...]
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    diagram: Any

    @property
    def name(self) -> str:
        """Return the plan, or the plan and the only action."""
        return f"{self.plan}#{self.actions[0]}" if len(self.actions) == 1 else self.plan

    def outcomes_at(self, labels: Mapping[str, str]) -> tuple[str, ...]:
        """Return the outcome of each action for a patient whose class in each column is given."""
        found: tuple[str, ...] = value_at(self.diagram, self._choice(labels))
        return found

    def rows_at(self, labels: Mapping[str, str]) -> list[int]:
        """Return the numbers of the rows that such a patient is in; there is at least one."""
        choice = self._choice(labels)
        return [
            number
            for number, row in enumerate(self.rows)
            if all(choice[column] in classes for column, classes in row.cube.items())
        ]

    def _choice(self, labels: Mapping[str, str]) -> dict[int, int]:
        return {
            index: [c.label for c in column.classes].index(labels[column.name])
            for index, column in enumerate(self.columns)
        }

    def described(self, row: Row) -> dict[str, list[str]]:
        """Return the classes of a row by the names of the columns, where not any class does."""
        return {
            self.columns[index].name: [
                self.columns[index].classes[choice].label for choice in sorted(classes)
            ]
            for index, classes in sorted(row.cube.items())
        }


@dataclass(frozen=True)
class Impossible:
    """A condition that no patient meets, and why."""

    expression: str
    reason: str


def conditional_actions(plan: Resource) -> list[Conditional]:
    """Return the actions of a plan that hang on conditions, in plan order."""
    return list(_conditionals(plan.get("action", ()), ()))


def _conditionals(actions: Iterable[Resource], above: tuple[str, ...]) -> Iterator[Conditional]:
    for action in actions:
        own = [
            (c.get("expression") or {}).get("expression", "") for c in action.get("condition", ())
        ]
        conditions = (*above, *own)
        if own:
            yield Conditional(str(action.get("id", "?")), conditions)
        yield from _conditionals(action.get("action", ()), conditions)


def reads_the_engine(action: Conditional) -> bool:
    """Tell whether an action hangs on what earlier actions left open: it has no table of facts."""
    return any(not _OF_THE_ENGINE.isdisjoint(facts_in(text)) for text in action.conditions)


def tables_of(
    plan: Resource, vocabulary: Vocabulary, impossible: Iterable[Impossible] = ()
) -> list[Table]:
    """Return the table of a plan, or one for each of its actions where one would be too large."""
    actions = [action for action in conditional_actions(plan) if not reads_the_engine(action)]
    impossible = tuple(impossible)
    if len(actions) > 1:
        try:
            return [_table(plan["id"], actions, vocabulary, impossible, MOST_ROWS)]
        except TooLarge:
            pass
    return [_table(plan["id"], [one], vocabulary, impossible, _MOST_WAYS) for one in actions]


def _table(
    plan: str,
    actions: list[Conditional],
    vocabulary: Vocabulary,
    impossible: tuple[Impossible, ...],
    most: int,
) -> Table:
    """Return the table of some actions; raises TooLarge when it has more rows than `most`."""
    texts = list(dict.fromkeys(text for action in actions for text in action.conditions))
    columns = columns_of(texts, vocabulary)
    diagrams = Diagrams([len(column.classes) for column in columns], _MOST_NODES)
    truths = {
        text: _diagram_of(text, columns, diagrams, {c.name for c in columns_of([text], vocabulary)})
        for text in texts
    }
    whole: Any = ()
    for action in actions:
        outcome: Any = MET
        for text in action.conditions:
            outcome = diagrams.combined(_all, outcome, truths[text])
        whole = diagrams.combined(_beside, whole, outcome)
    found = cubes(whole, diagrams.sizes, _MOST_WAYS if len(actions) == 1 else 10 * most)
    if len(found) > most:
        raise TooLarge
    rows = tuple(
        Row(cube, outcomes, _reason(cube, columns, impossible)) for cube, outcomes in found
    )
    return Table(plan, tuple(action.id for action in actions), columns, rows, whole)


def _all(one: Any, other: Any) -> str:
    """Join the verdicts on two conditions that must both hold."""
    if NOT_MET in (one, other):
        return NOT_MET
    return UNDETERMINED if UNDETERMINED in (one, other) else MET


def _beside(one: Any, other: Any) -> tuple[str, ...]:
    return (*one, other)


def _diagram_of(text: str, columns: tuple[Column, ...], diagrams: Diagrams, names: set[str]) -> Any:
    """Return the diagram of one condition, which reads the columns with these names."""
    verdict = _verdicts(text)
    variables = [index for index, column in enumerate(columns) if column.name in names]

    def value(choice: Mapping[int, int]) -> str:
        return verdict(_variables(columns, choice))

    return diagrams.of(variables, value)


def _variables(columns: tuple[Column, ...], choice: Mapping[int, int]) -> dict[str, list[Any]]:
    """Return what each fact of a choice of classes is: of a class, its first value."""
    found: dict[str, list[Any]] = {}
    for index, chosen in choice.items():
        column = columns[index]
        values = column.classes[chosen].values[:1]
        found.setdefault(column.fact, []).extend(values)
    return found


@cache
def _verdicts(text: str) -> Callable[[Mapping[str, list[Any]]], str]:
    """Return a function from the values of facts to the outcome of a condition."""
    expression = parse(text).compile()
    focus = Known.of({})
    known: dict[Any, str] = {}

    def verdict(variables: Mapping[str, list[Any]]) -> str:
        key = tuple((name, *map(repr, values)) for name, values in variables.items())
        if key not in known:
            given = {name: Known.of(list(values)) for name, values in variables.items()}
            values = expression.evaluate(focus, Environment(_NO_TIME, given))
            known[key] = (
                _OUTCOMES.get(values[0], UNDETERMINED) if len(values) == 1 else UNDETERMINED
            )
        return known[key]

    return verdict


_OUTCOMES = {True: MET, False: NOT_MET}


def _reason(cube: Cube, columns: tuple[Column, ...], impossible: Iterable[Impossible]) -> str:
    """Return why no patient is in a row, empty when there can be one."""
    names = {columns[index].fact for index in cube}
    for entry in impossible:
        read = set(facts_in(entry.expression))
        if read <= names and _always(entry.expression, read, cube, columns):
            return entry.reason
    return ""


def _always(text: str, read: set[str], cube: Cube, columns: tuple[Column, ...]) -> bool:
    """Tell whether a condition is met for each choice of values that a row holds."""
    verdict = _verdicts(text)
    used = [index for index in cube if columns[index].fact in read]
    each = [
        [
            (columns[index].fact, values)
            for choice in cube[index]
            for values in ([[v] for v in columns[index].classes[choice].values] or [[]])
        ]
        for index in used
    ]
    for chosen in product(*each):
        variables: dict[str, list[Any]] = {}
        for fact, values in chosen:
            variables.setdefault(fact, []).extend(values)
        if verdict(variables) != MET:
            return False
    return True


def is_met(text: str, values: Mapping[str, list[Any]]) -> bool:
    """Tell whether a condition is true for these values of facts."""
    read = {name: list(values.get(name, ())) for name in facts_in(text)}
    return bool(_verdicts(text)(read) == MET)
