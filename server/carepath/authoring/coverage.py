"""From each clinical statement to what carries it, the cases that test it and the requests made.

The statements are the concepts of the CodeSystems of statements; an element of a definition carries
a statement when the `label` of a RelatedArtifact there (documentation, relatedArtifact) is the
statement's id, or when the requirements of a profile's constraint name it.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from carepath.apply import Applied
from carepath.authoring import decision_table_text
from carepath.authoring.cases import Case, run_case
from carepath.authoring.coverage_outcomes import can_be_undetermined, is_exempt, never_empty
from carepath.authoring.decision_table_cases import RowsCovered, rows_of, values_of_case
from carepath.authoring.lint.walk import actions
from carepath.authoring.statements import cited_in, is_statement_system, statements_of
from carepath.knowledge import Knowledge
from carepath.resources import Resource, identity

_TYPES = (
    "PlanDefinition",
    "ActivityDefinition",
    "Library",
    "ValueSet",
    "CodeSystem",
    "StructureDefinition",
)


@dataclass(frozen=True)
class Carrier:
    """An element that carries a statement; `action` is the id of a plan's action, or empty."""

    artifact: str
    element: str
    action: str = ""


@dataclass
class Row:
    """What is known of one statement."""

    id: str
    about: str
    carriers: list[Carrier] = field(default_factory=list)
    cases: set[str] = field(default_factory=set)
    requests: set[str] = field(default_factory=set)

    @property
    def is_executable(self) -> bool:
        """Tell whether some action of a plan rests on the statement."""
        return any(carrier.action for carrier in self.carriers)

    def as_json(self) -> dict[str, Any]:
        """Return the row for the JSON report."""
        return {
            "statement": self.id,
            "about": self.about,
            "executable": self.is_executable,
            "carriers": [
                {"artifact": c.artifact, "element": c.element, "action": c.action or None}
                for c in self.carriers
            ],
            "cases": sorted(self.cases),
            "requests": sorted(self.requests),
        }


@dataclass
class Coverage:
    """The report: rows by statement, actions that cite nothing, outcomes seen for each action.

    `expected` holds the outcomes that each action must have in some case, `exempt` the actions of
    which the plan says that they are never left open, `tables` the decision tables of all plans
    with the cases in each row.
    """

    rows: dict[str, Row]
    silent_actions: list[str]
    outcomes: dict[str, set[str]]
    expected: dict[str, tuple[str, ...]]
    exempt: tuple[str, ...]
    tables: RowsCovered

    @property
    def failures(self) -> list[str]:
        """Return why the report fails, a sentence each."""
        rows = self.rows.values()
        return [
            *(f"`{row.id}` has no carrier" for row in rows if not row.carriers),
            *(f"`{row.id}` is executable and has no case" for row in rows if _untested(row)),
            *(f"the action `{action}` cites no statement" for action in self.silent_actions),
            *(
                f"the action `{action}` is never {outcome} in a case"
                for action, seen in self.outcomes.items()
                for outcome in self.expected[action]
                if outcome not in seen
            ),
            *(
                f"the action `{action}` is undetermined in a case, though it never should be"
                for action in self.exempt
                if "undetermined" in self.outcomes.get(action, ())
            ),
            *self.tables.wrong,
        ]

    @property
    def summary(self) -> str:
        """Return the closing line."""
        rows = self.rows.values()
        carried = sum(bool(row.carriers) for row in rows)
        executable = [row for row in rows if row.is_executable]
        tested = sum(bool(row.cases) for row in executable)
        return (
            f"{carried} of {len(self.rows)} statements carried, "
            f"{len(executable)} executable, {tested} tested; "
            f"{decision_table_text.summary(self.tables)}"
        )


def measure(knowledge: Knowledge, cases: Iterable[Case]) -> Coverage:
    """Run the cases and return the report."""
    statements = statements_of(knowledge)
    rows = {id_: Row(id_, concept["display"]) for id_, concept in statements.items()}
    for statement, carrier in _all_carriers(knowledge, rows):
        rows[statement].carriers.append(carrier)
    outcomes: dict[str, set[str]] = defaultdict(set)
    expected = dict(_expected_outcomes(knowledge))
    for action in expected:
        outcomes[action] = set()
    tables = rows_of(knowledge)
    for case in cases:
        applied = run_case(case, knowledge)
        _note(case, applied, rows, outcomes)
        tables.note(case.name, applied, values_of_case(case, tables, knowledge))
    silent = list(_silent_actions(knowledge, rows))
    exempt = tuple(name for name, action in _actions(knowledge) if is_exempt(action))
    return Coverage(rows, silent, dict(outcomes), expected, exempt, tables)


def _untested(row: Row) -> bool:
    return row.is_executable and not row.cases


def _note(
    case: Case,
    applied: Applied,
    rows: Mapping[str, Row],
    outcomes: Mapping[str, set[str]],
) -> None:
    """Add what one case shows: statements that were decided, requests made, outcomes seen."""
    for decision in applied.decisions:
        action = f"{decision.plan}#{decision.id}"
        if action in outcomes:
            outcomes[action].add(decision.outcome)
        for statement in decision.statements:
            if statement in rows and decision.outcome == "met":
                rows[statement].cases.add(case.name)
                if decision.request and decision.definition:
                    tail = decision.definition.partition("|")[0].rpartition("/")[2]
                    rows[statement].requests.add(f"{decision.request} {tail}")


def _all_carriers(knowledge: Knowledge, known: Mapping[str, Row]) -> Iterator[tuple[str, Carrier]]:
    """Yield each statement that an element of a shipped definition names, with the element."""
    for resource_type in _TYPES if known else ():
        for definition in knowledge.all(resource_type):
            if not is_statement_system(definition):
                for element, action, node in _elements(definition, "", ""):
                    for statement in cited_in(node, known):
                        yield statement, Carrier(identity(definition), element, action)


def _elements(node: Any, element: str, action: str) -> Iterator[tuple[str, str, Resource]]:
    """Yield every object in a definition with its place and the action that it stands in."""
    if isinstance(node, list):
        for index, item in enumerate(node):
            yield from _elements(item, f"{element}[{index}]", action)
    elif isinstance(node, dict):
        yield element, action, node
        for key, value in node.items():
            inside = f"{element}.{key}".lstrip(".")
            if key == "action" and isinstance(value, list):
                for index, item in enumerate(value):
                    place = f"{inside}[{index}]"
                    yield from _elements(item, place, item.get("id", place))
            else:
                yield from _elements(value, inside, action)


def _actions(knowledge: Knowledge) -> Iterator[tuple[str, Resource]]:
    """Yield `plan#action` and the action, for every action of every shipped plan."""
    for plan in knowledge.all("PlanDefinition"):
        for _, action in actions(plan):
            yield f"{plan['id']}#{action.get('id', '?')}", action


def _silent_actions(knowledge: Knowledge, known: Mapping[str, Row]) -> Iterator[str]:
    """Yield the actions that cite no statement."""
    for name, action in _actions(knowledge):
        if not any(artifact.get("label") in known for artifact in action.get("documentation", ())):
            yield name


def _expected_outcomes(knowledge: Knowledge) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield each action that has a condition, with the outcomes that cases must show."""
    decided = never_empty(knowledge)
    for name, action in _actions(knowledge):
        conditions = [
            (c.get("expression") or {}).get("expression", "") for c in action.get("condition", ())
        ]
        if conditions:
            is_open = not is_exempt(action) and can_be_undetermined(conditions, decided)
            yield name, ("met", "not-met", "undetermined") if is_open else ("met", "not-met")


def as_json(coverage: Coverage) -> dict[str, Any]:
    """Return the report as data."""
    return {
        "summary": coverage.summary,
        "statements": [row.as_json() for row in coverage.rows.values()],
        "decisionTables": decision_table_text.as_json(coverage.tables),
    }


def as_markdown(coverage: Coverage) -> str:
    """Return the report as a page."""
    lines = [
        "# Coverage of the clinical statements",
        "",
        "Made by `carepath coverage`; do not edit. A statement is *executable* when an action of a",
        "plan rests on it; cases and requests are those in which such an action was met.",
        "",
        f"{coverage.summary}.",
        "",
        f"{_outcomes_shown(coverage)}.",
        "",
        "| statement | about | carried by | cases | requests |",
        "|---|---|---|---|---|",
    ]
    for row in coverage.rows.values():
        carried = "<br>".join(dict.fromkeys(_place(carrier) for carrier in row.carriers))
        cases = _some(sorted(row.cases))
        lines.append(
            f"| {row.id} | {row.about} | {carried} | {cases} | {_some(sorted(row.requests))} |"
        )
    lines += ["", *decision_table_text.as_markdown(coverage.tables)]
    return "\n".join(lines) + "\n"


def _outcomes_shown(coverage: Coverage) -> str:
    """Return how many outcomes of conditional actions some case shows."""
    shown = [
        outcome in coverage.outcomes[action]
        for action, outcomes in coverage.expected.items()
        for outcome in outcomes
    ]
    return (
        f"{len(coverage.expected)} actions have a condition; cases show {sum(shown)} of the "
        f"{len(shown)} outcomes (met, not met, undetermined) that they can have"
    )


def _place(carrier: Carrier) -> str:
    """Return a carrier as a reader wants it."""
    name = carrier.artifact.partition("/")[2]
    return f"{name}: {carrier.action}" if carrier.action else carrier.artifact


def _some(names: list[str], most: int = 3) -> str:
    """Return the first few names and how many more there are."""
    shown = "<br>".join(names[:most])
    return f"{shown}<br>and {len(names) - most} more" if len(names) > most else shown
