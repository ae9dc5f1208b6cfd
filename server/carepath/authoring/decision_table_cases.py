"""Which rows of the decision tables the cases show, and whether the tables say what happened."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from carepath.apply import Applied, Decision
from carepath.apply.compile.compiler import Compiler
from carepath.apply.compile.names import Fact
from carepath.apply.run.scope import FAILURES
from carepath.apply.run.session import Session
from carepath.apply.run.step import UNDETERMINED, json_value
from carepath.authoring.cases import Case, request_of
from carepath.authoring.decision_table import (
    Impossible,
    Row,
    Table,
    conditional_actions,
    is_met,
    reads_the_engine,
    tables_of,
)
from carepath.authoring.decision_table_facts import (
    Vocabulary,
    class_of,
    facts_in,
    vocabulary_of,
)
from carepath.fhirpath import Known
from carepath.knowledge import Knowledge
from carepath.resources import Resource

CANNOT_HAPPEN = "https://carepath.example/fhir/StructureDefinition/cannot-happen"

Values = Mapping[str, list[Any]]
"""The values of facts for one patient, by name; an unknown fact has none."""


@dataclass
class RowsCovered:
    """The tables of all plans, and the cases that are in each row."""

    tables: dict[str, list[Table]]
    vocabulary: Vocabulary
    impossible: tuple[Impossible, ...]
    names: dict[str, tuple[str, ...]]
    """The Libraries of the plans, with the facts that the tables read of them."""
    cases: dict[tuple[str, int], list[str]] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    """Where a table says something else than what was decided, a sentence each."""

    def note(self, case: str, applied: Applied, values: Values) -> None:
        """Add the rows that a case is in, of each plan that was applied in it."""
        decided: dict[str, dict[str, str]] = {}
        for decision in _decided_by_themselves(applied.decisions):
            decided.setdefault(decision.plan, {}).setdefault(decision.id, decision.outcome)
        for plan, outcomes in decided.items():
            for table in self.tables.get(plan, ()):
                self._note(case, table, outcomes, values)
        self.wrong.extend(
            f"{case}: `{entry.expression}` is true, which cannot happen: {entry.reason}"
            for entry in self.impossible
            if is_met(entry.expression, values)
        )

    def _note(self, case: str, table: Table, outcomes: Mapping[str, str], values: Values) -> None:
        labels = labels_of(table, values, self.vocabulary)
        lost = [name for name, label in labels.items() if not label]
        if lost:
            self.wrong.append(f"{case}: `{table.name}` has no class for {', '.join(lost)}")
            return
        for number in table.rows_at(labels):
            self.cases.setdefault((table.name, number), []).append(case)
            if table.rows[number].reason:
                self.wrong.append(f"{case}: row {number + 1} of `{table.name}` happens")
        for action, outcome in zip(table.actions, table.outcomes_at(labels), strict=True):
            if outcomes.get(action, outcome) != outcome:
                self.wrong.append(
                    f"{case}: `{table.plan}#{action}` is {outcomes[action]}, "
                    f"its table says {outcome}"
                )

    def numbers(self) -> Iterator[tuple[str, int, int, int]]:
        """Yield each plan: rows that can happen, those that a case shows, and the others."""
        for plan, tables in self.tables.items():
            rows = [(t.name, n, row) for t in tables for n, row in enumerate(t.rows)]
            possible = [(name, n) for name, n, row in rows if not row.reason]
            shown = sum(key in self.cases for key in possible)
            if rows:
                yield plan, len(possible), shown, len(rows) - len(possible)

    def uncovered(self) -> Iterator[tuple[Table, Row]]:
        """Yield the rows that can happen and that no case shows."""
        for tables in self.tables.values():
            for table in tables:
                for number, row in enumerate(table.rows):
                    if not row.reason and (table.name, number) not in self.cases:
                        yield table, row


def _decided_by_themselves(decisions: Iterable[Decision]) -> Iterator[Decision]:
    """Yield the decisions that wait for no plan around them."""
    open_plan = ""
    for decision in decisions:
        if open_plan and decision.path.startswith(open_plan):
            continue
        open_plan = f"{decision.path}/" if decision.outcome == UNDETERMINED else ""
        yield decision


def labels_of(table: Table, values: Values, vocabulary: Vocabulary) -> dict[str, str]:
    """Return the class of each column of a table for a patient's facts."""
    return {
        column.name: class_of(column, values.get(column.fact, []), vocabulary)
        for column in table.columns
    }


def rows_of(knowledge: Knowledge) -> RowsCovered:
    """Return the tables of every plan, with no case noted yet."""
    plans = knowledge.all("PlanDefinition")
    conditions = [
        text
        for plan in plans
        for action in conditional_actions(plan)
        if not reads_the_engine(action)
        for text in action.conditions
    ]
    vocabulary = vocabulary_of(knowledge, conditions)
    impossible = tuple(_impossible(knowledge))
    tables = {plan["id"]: tables_of(plan, vocabulary, impossible) for plan in plans}
    names: dict[str, dict[str, None]] = {}
    for plan in plans:
        read = [c.fact for table in tables[plan["id"]] for c in table.columns]
        for library in plan.get("library", ()):
            names.setdefault(library, {}).update(dict.fromkeys(read))
    for entry in impossible:
        for found in names.values():
            found.update(dict.fromkeys(facts_in(entry.expression)))
    listed = {library: tuple(found) for library, found in names.items() if found}
    return RowsCovered(tables, vocabulary, impossible, listed)


def _impossible(knowledge: Knowledge) -> Iterator[Impossible]:
    """Yield what the Libraries say that no patient can have."""
    for library in knowledge.all("Library"):
        for extension in library.get("extension") or ():
            if extension.get("url") == CANNOT_HAPPEN:
                value = extension["valueExpression"]
                yield Impossible(value["expression"], value["description"])


def values_of_case(case: Case, rows: RowsCovered, knowledge: Knowledge) -> dict[str, list[Any]]:
    """Return the values of the facts that the tables read, for the patient of a case."""
    found: dict[str, list[Any]] = {}
    for library, names in rows.names.items():
        request = request_of(case, _naming(library))
        plan = Compiler(knowledge, request.settings, request.language).plan(request.definition)
        session = Session(request, knowledge)
        for name in names:
            fact = plan.names.entries.get(name)
            if isinstance(fact, Fact):
                found[name] = _worked_out(fact, session)
    return found


def _worked_out(fact: Fact, session: Session) -> list[Any]:
    """Return the values of one fact; one that fails is as unknown as it is to a plan."""
    try:
        known: Known = session.scope_of(fact.home)[fact.name]
    except FAILURES:
        return []
    return [json_value(node.value) for node in known.nodes()]


def _naming(library: str) -> Resource:
    """Return a plan that does nothing but name a Library."""
    return {
        "resourceType": "PlanDefinition",
        "id": "facts-of-a-case",
        "status": "draft",
        "library": [library],
    }
