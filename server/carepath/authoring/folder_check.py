"""All checks of one folder of content: its definitions, its cases, what they show and what not."""

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from carepath.authoring.cases import Case, differences, odd_data, run_case
from carepath.authoring.coverage import Coverage, measure
from carepath.authoring.decision_table import Table
from carepath.authoring.decision_table_text import row_text
from carepath.authoring.reach import reached_from
from carepath.authoring.statements import is_statement_system
from carepath.knowledge import Knowledge
from carepath.resources import Resource


@dataclass(frozen=True)
class Told:
    """One sentence about a folder; an error fails the check."""

    severity: Literal["error", "warning"]
    sentence: str

    def __str__(self) -> str:
        return f"{self.severity}: {self.sentence}"


@dataclass(frozen=True)
class CasesChecked:
    """What the cases of a folder show: sentences, and the decision tables of its plans."""

    told: tuple[Told, ...]
    tables: tuple[str, ...] = field(default=())
    """The lines of the tables, each row with the cases that are in it."""


def check_cases(
    definitions: Iterable[Resource], cases: Iterable[Case], knowledge: Knowledge
) -> CasesChecked:
    """Run cases on definitions of a folder, and measure what they show of its plans alone.

    Each plan is measured by itself, with what it leads to: two Libraries may have facts of one
    name.  Raises InvalidContent for a case of a plan that there is not.
    """
    own, cases = list(definitions), tuple(cases)
    wrong = [
        f"{case.name}: {text}"
        for case in cases
        for text in differences(case, run_case(case, knowledge))
    ]
    plans = {str(d.get("id")): d for d in own if d["resourceType"] == "PlanDefinition"}
    measured = [
        measure(_near(plan, own, knowledge), _cases_of(plan, cases, knowledge))
        for plan in _applied(plans.values(), cases, knowledge)
    ]
    faults = dict.fromkeys(text for coverage in measured for text in coverage.tables.wrong)
    gaps = [text for case in cases for text in odd_data(case)]
    gaps += [*_outcomes_not_shown(measured, plans), *_statements_not_shown(measured)]
    told = [
        *(Told("error", text) for text in (*wrong, *faults)),
        *(Told("warning", g) for g in gaps),
    ]
    return CasesChecked(tuple(told), tuple(_tables(measured, plans)))


def _applied(
    own: Iterable[Resource], cases: Iterable[Case], knowledge: Knowledge
) -> list[Resource]:
    """Return the plans of a folder, and the others that cases are about, each once."""
    about = (knowledge.plan(name) for name in dict.fromkeys(case.pathway for case in cases))
    return list({id(plan): plan for plan in (*own, *about)}.values())


def _cases_of(plan: Resource, cases: Iterable[Case], knowledge: Knowledge) -> list[Case]:
    return [case for case in cases if knowledge.plan(case.pathway) is plan]


def _near(plan: Resource, own: Iterable[Resource], knowledge: Knowledge) -> Knowledge:
    """Return a plan with all that it leads to, and what expressions may ask for by any url."""
    reached = reached_from([plan], knowledge)
    asked = (d for t in _ASKED for d in knowledge.all(t) if not is_statement_system(d))
    systems = (d for d in own if is_statement_system(d))
    return Knowledge.of([*reached, *asked, *systems])


_ASKED = ("CodeSystem", "ConceptMap", "StructureDefinition", "ValueSet")


def _outcomes_not_shown(measured: Iterable[Coverage], plans: Container[str]) -> Iterator[str]:
    """Yield the outcomes of the folder's actions that no case shows."""
    expected: dict[str, tuple[str, ...]] = {}
    seen: dict[str, set[str]] = {}
    for coverage in measured:
        expected |= coverage.expected
        for action, outcomes in coverage.outcomes.items():
            seen.setdefault(action, set()).update(outcomes)
    for action, wanted in expected.items():
        lacking = [outcome for outcome in wanted if outcome not in seen.get(action, ())]
        if action.partition("#")[0] in plans and lacking:
            yield f"The action `{action}` is never {' or '.join(lacking)} in a case; write one."


def _statements_not_shown(measured: Sequence[Coverage]) -> Iterator[str]:
    """Yield the statements of the folder that nothing carries, or that no case shows."""
    for name in dict.fromkeys(name for coverage in measured for name in coverage.rows):
        rows = [coverage.rows[name] for coverage in measured if name in coverage.rows]
        if not any(row.carriers for row in rows):
            yield f"No plan of the folder rests on the statement `{name}`."
        elif any(row.is_executable for row in rows) and not any(row.cases for row in rows):
            yield f"No case shows an action that rests on the statement `{name}`."


def _tables(measured: Iterable[Coverage], plans: Iterable[str]) -> Iterator[str]:
    """Yield the decision tables of plans as lines, with the cases from whatever plan they begin."""
    found: dict[str, Table] = {}
    cases: dict[tuple[str, int], list[str]] = {}
    for coverage in measured:
        for plan in plans:
            found |= {table.name: table for table in coverage.tables.tables.get(plan, ())}
        for key, names in coverage.tables.cases.items():
            cases.setdefault(key, []).extend(names)
    for table in found.values():
        yield f"{table.name}:"
        yield from (f"  {line}" for line in _rows(table, cases))


def _rows(table: Table, cases: Mapping[tuple[str, int], Sequence[str]]) -> Iterator[str]:
    for number, row in enumerate(table.rows):
        names = ", ".join(dict.fromkeys(cases.get((table.name, number), ())))
        shown = f"cannot happen: {row.reason}" if row.reason else names or "no case"
        yield f"{row_text(table, row)} [{shown}]"
