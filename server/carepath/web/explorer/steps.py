"""The steps of one application as a page shows them: state, reason, facts, evidence, sources.

A step is met, not met or undetermined, as the operation decides it, or done: not met because what
it asks for is on record.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from carepath.apply import Applied
from carepath.apply.compile.names import Fact
from carepath.apply.drawing import Marks, Outline, in_words
from carepath.apply.explain.because import called, facts_told, shown
from carepath.apply.explain.deciding import truth_of
from carepath.apply.explain.decision import decision_of
from carepath.apply.explain.done import is_done
from carepath.apply.explain.elements import elements_of
from carepath.apply.run.evidence import evidence_of_fact
from carepath.apply.run.scope import FactValue
from carepath.apply.run.step import Step
from carepath.web.explorer.json_lines import JsonLine, json_lines
from carepath.web.explorer.plans import Plans, Statement

DONE = "done"
WORDS: Mapping[str, str] = {
    "met": "\N{CHECK MARK} met",
    "not-met": "\N{EN DASH} not met",
    "undetermined": "? undetermined",
    DONE: "\N{BLACK CIRCLE} done",
}
_TRUTHS = {True: "yes", False: "no", None: "unknown"}


@dataclass(frozen=True, slots=True)
class Evidence:
    """A resource behind a fact, and the elements of it that the fact was read from."""

    reference: str
    anchor: str
    elements: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ToldFact:
    """A fact that decided a step."""

    name: str
    label: str
    value: str
    is_assumed: bool
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition, and whether it holds for this patient: yes, no or unknown."""

    text: str
    expression: str
    truth: str


@dataclass(frozen=True, slots=True)
class ShownStep:
    """One step of an application."""

    path: str
    anchor: str
    title: str
    text: str
    depth: int
    state: str
    because: str
    makes: str
    conditions: tuple[Condition, ...]
    is_any: bool
    facts: tuple[ToldFact, ...]
    missing: tuple[tuple[str, str], ...]
    """Name and label of the facts that are needed."""
    sources: tuple[Statement, ...]
    conflicts: tuple[str, ...]

    @property
    def words(self) -> str:
        """Return the state in words, with a sign."""
        return WORDS[self.state]


@dataclass(frozen=True, slots=True)
class ShownResource:
    """A resource of the record with the elements marked that facts were read from."""

    reference: str
    anchor: str
    lines: tuple[JsonLine, ...]


@dataclass(frozen=True, slots=True)
class Drawn:
    """The picture of one plan with the states of its steps; `anchor` is that of its own step."""

    outline: Outline
    marks: Marks
    anchor: str
    state: str


@dataclass
class Shown:
    """All steps of an application, the resources behind them, and the pictures."""

    steps: list[ShownStep] = field(default_factory=list)
    resources: list[ShownResource] = field(default_factory=list)
    pictures: list[Drawn] = field(default_factory=list)


def states_of(applied: Applied) -> dict[str, str]:
    """Return the state of each step by its path."""
    return {step.path: _state(step) for step in applied.steps}


def shown_of(applied: Applied, plans: Plans, plan: dict[str, Any]) -> Shown:
    """Return an application as its page shows it."""
    made = _Showing(plans)
    made.shown.steps = [made.step(number, step) for number, step in enumerate(applied.steps)]
    made.shown.resources = list(made.resources(applied))
    made.shown.pictures = list(_pictures(applied.steps, made.shown.steps, plans, plan))
    return made.shown


def _state(step: Step) -> str:
    return DONE if is_done(step) else step.outcome


@dataclass(frozen=True, slots=True)
class _Behind:
    """A resource behind facts: where it stands on the page, and what was read of it so far."""

    anchor: str
    elements: dict[str, None] = field(default_factory=dict)


class _Showing:
    """One page while it is made: what is worked out for a fact is kept for the next step."""

    def __init__(self, plans: Plans) -> None:
        self.shown = Shown()
        self._plans = plans
        self._facts: dict[int, ToldFact] = {}
        self._behind: dict[str, _Behind] = {}

    def step(self, number: int, step: Step) -> ShownStep:
        """Return one step."""
        decision = decision_of(step)
        statements = self._plans.statements
        return ShownStep(
            path=step.path,
            anchor=f"step-{number}",
            title=decision.title or decision.id,
            text=str((step.action.source or {}).get("description") or ""),
            depth=min(step.depth, 5),
            state=_state(step),
            because=decision.because,
            makes=decision.request or "",
            conditions=tuple(_conditions(step)),
            is_any=step.action.any_condition,
            facts=tuple(self._fact(value) for value in facts_told(step).values()),
            missing=tuple((name, called(step, name)) for name in step.missing),
            sources=tuple(
                statements.get(id_) or Statement(id_, "", "") for id_ in decision.statements
            ),
            conflicts=step.action.conflicts,
        )

    def _fact(self, value: FactValue) -> ToldFact:
        found = self._facts.get(id(value))
        if found is None:
            words, name = value.fact.words, value.fact.name
            evidence = tuple(self._evidence(value))
            made = ToldFact(name, words, shown(value), value.is_assumed, evidence)
            found = self._facts[id(value)] = made
        return found

    def _evidence(self, value: FactValue) -> Iterator[Evidence]:
        places = elements_of(value)
        for reference in evidence_of_fact(value):
            paths = tuple(place.path for place in places if place.resource == reference)
            new = _Behind(f"resource-{len(self._behind)}")
            behind = self._behind.setdefault(reference, new)
            behind.elements.update(dict.fromkeys(paths))
            yield Evidence(reference, behind.anchor, paths)

    def resources(self, applied: Applied) -> Iterator[ShownResource]:
        """Yield the resources behind the facts, in the order in which they were met."""
        for reference, behind in self._behind.items():
            resource = applied.steps[0].scope.session.record.cited(reference) or {}
            lines = tuple(json_lines(resource, behind.elements))
            yield ShownResource(reference, behind.anchor, lines)


def _conditions(step: Step) -> Iterator[Condition]:
    """Yield the conditions of a step, with what they are called and whether they hold."""
    elements = [
        condition.get("expression") or {}
        for condition in step.action.source.get("condition") or ()
        if condition.get("kind") == "applicability"
    ]
    for element, formula in zip(elements, step.action.conditions, strict=True):
        facts = ((name, step.scope.definition(name)) for name in formula.variables)
        words = {n: f.description.rstrip(".") for n, f in facts if isinstance(f, Fact)}
        text = str(element.get("description") or in_words(formula.text, words))
        yield Condition(text, formula.text, _TRUTHS[truth_of(formula, step.scope)])


def _pictures(
    steps: Iterable[Step], shown: Iterable[ShownStep], plans: Plans, plan: dict[str, Any]
) -> Iterator[Drawn]:
    """Yield the picture of the plan, then those of the plans that it leads to for this patient."""
    by_plan: dict[str, list[ShownStep]] = {}
    roots: dict[str, tuple[dict[str, Any], ShownStep | None]] = {"": (plan, None)}
    homes: dict[str, str] = {}
    for step, one in zip(steps, shown, strict=True):
        above = step.path.rpartition("/")[0]
        homes[step.path] = above if above in roots else homes.get(above, "")
        by_plan.setdefault(homes[step.path], []).append(one)
        if step.action.plan is not None:
            roots[step.path] = (step.action.plan.source, one)
    for root, found in by_plan.items():
        source, own = roots[root]
        length = len(root or found[0].path.partition("/")[0]) + 1
        keyed = {one.path[length:]: one for one in found}
        marks = Marks(
            {path: one.state for path, one in keyed.items()},
            {path: one.words for path, one in keyed.items()},
            {path: f"#{one.anchor}" for path, one in keyed.items()},
        )
        anchor, state = (own.anchor, own.state) if own is not None else ("", "")
        yield Drawn(plans.outline(source), marks, anchor, state)
