"""From each clinical statement to what carries it, the cases that test it and the requests made.

The statements are the concepts of CodeSystem `mst-statements`; an element of a definition carries
a statement when the `label` of a RelatedArtifact there (documentation, relatedArtifact) is the
statement's id, or when the requirements of a profile's constraint name it.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from carepath.apply import Applied
from carepath.cases import Case, run_case
from carepath.coverage_outcomes import NEVER_UNDETERMINED, can_be_undetermined
from carepath.knowledge import Knowledge
from carepath.resources import Resource, identity

STATEMENTS = "https://carepath.example/fhir/CodeSystem/mst-statements"
_STATEMENT_ID = re.compile(r"\bS\d-\d{2}\b")
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

    `expected` holds the outcomes that each action must have in some case.
    """

    rows: dict[str, Row]
    silent_actions: list[str]
    outcomes: dict[str, set[str]]
    expected: dict[str, tuple[str, ...]]

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
                for action in NEVER_UNDETERMINED
                if "undetermined" in self.outcomes.get(action, ())
            ),
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
            f"{len(executable)} executable, {tested} tested"
        )


def measure(knowledge: Knowledge, cases: Iterable[Case]) -> Coverage:
    """Run the cases and return the report."""
    rows = {row.id: row for row in _statements(knowledge)}
    for statement, carrier in _all_carriers(knowledge):
        if statement in rows:
            rows[statement].carriers.append(carrier)
    outcomes: dict[str, set[str]] = defaultdict(set)
    expected = dict(_expected_outcomes(knowledge))
    for action in expected:
        outcomes[action] = set()
    for case in cases:
        _note(case, run_case(case, knowledge), rows, outcomes)
    return Coverage(rows, list(_silent_actions(knowledge)), dict(outcomes), expected)


def _untested(row: Row) -> bool:
    return row.is_executable and not row.cases


def _statements(knowledge: Knowledge) -> Iterator[Row]:
    """Yield an empty row for each statement of the code system."""
    for concept in knowledge.definition("CodeSystem", STATEMENTS)["concept"]:
        yield Row(concept["code"], concept["display"])


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


def _all_carriers(knowledge: Knowledge) -> Iterator[tuple[str, Carrier]]:
    """Yield each statement that an element of a shipped definition names, with the element."""
    for resource_type in _TYPES:
        for definition in knowledge.all(resource_type):
            if definition.get("url") != STATEMENTS:
                yield from _carriers(definition, definition, "", "")


def _carriers(
    definition: Resource, node: Any, element: str, action: str
) -> Iterator[tuple[str, Carrier]]:
    """Walk an element and yield the statements named in it."""
    if isinstance(node, list):
        for index, item in enumerate(node):
            yield from _carriers(definition, item, f"{element}[{index}]", action)
    elif isinstance(node, dict):
        for key, value in node.items():
            if key in ("label", "requirements") and isinstance(value, str):
                for statement in _STATEMENT_ID.findall(value):
                    yield statement, Carrier(identity(definition), element, action)
            elif key == "action" and isinstance(value, list):
                for index, item in enumerate(value):
                    inner = f"{element}.action[{index}]".lstrip(".")
                    yield from _carriers(definition, item, inner, item.get("id", inner))
            else:
                yield from _carriers(definition, value, f"{element}.{key}".lstrip("."), action)


def _actions(knowledge: Knowledge) -> Iterator[tuple[str, Resource]]:
    """Yield `plan#action` and the action, for every action of every shipped plan."""

    def inside(plan: Resource, actions: Iterable[Resource]) -> Iterator[tuple[str, Resource]]:
        for action in actions:
            yield f"{plan['id']}#{action.get('id', '?')}", action
            yield from inside(plan, action.get("action", ()))

    for plan in knowledge.all("PlanDefinition"):
        yield from inside(plan, plan.get("action", ()))


def _silent_actions(knowledge: Knowledge) -> Iterator[str]:
    """Yield the actions that cite no statement."""
    for name, action in _actions(knowledge):
        labels = [str(artifact.get("label", "")) for artifact in action.get("documentation", ())]
        if not any(_STATEMENT_ID.fullmatch(label) for label in labels):
            yield name


def _expected_outcomes(knowledge: Knowledge) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield each action that has a condition, with the outcomes that cases must show."""
    for name, action in _actions(knowledge):
        conditions = [c["expression"].get("expression", "") for c in action.get("condition", ())]
        if conditions:
            decided = ("met", "not-met")
            is_open = name not in NEVER_UNDETERMINED and can_be_undetermined(conditions)
            yield name, (*decided, "undetermined") if is_open else decided


def as_json(coverage: Coverage) -> dict[str, Any]:
    """Return the report as data."""
    return {
        "summary": coverage.summary,
        "statements": [row.as_json() for row in coverage.rows.values()],
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
