"""The figures of a summary, in the order of reading: phases, actions, what is missing.

Phases stand in the order of the plan where that is given; actions in the order of the plan, each
below the group it is in; missing facts by how many patients they block.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

from carepath.apply.compile.extensions import OWN, extensions_at, parts_of
from carepath.apply.run.step import MET, NOT_MET, UNDETERMINED
from carepath.knowledge import Knowledge
from carepath.population.counts import Counts
from carepath.population.decisions import DONE
from carepath.resources import canonical_of

OUTCOMES = (MET, DONE, UNDETERMINED, NOT_MET)
Phases = Mapping[str, Sequence[str]]
"""The titles of the phases of care of each plan, in its order."""


@dataclass(frozen=True, slots=True)
class PhaseFigure:
    """One phase of care: how many patients are in it, and how many in it or past it."""

    title: str
    patients: int
    reached: int


@dataclass(frozen=True, slots=True)
class ActionFigure:
    """One action: for how many patients it has which outcome, in the order of OUTCOMES."""

    path: str
    title: str
    depth: int
    outcomes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class MissingFigure:
    """One missing fact: how many patients it blocks, and how many of their actions."""

    fact: str
    patients: int
    actions: int


@dataclass(frozen=True, slots=True)
class PlanFigures:
    """All figures about one plan."""

    plan: str
    patients: int
    phases: tuple[PhaseFigure, ...]
    elsewhere: int
    """How many patients are in none of the phases: the plan does not concern them."""
    actions: tuple[ActionFigure, ...]
    missing: tuple[MissingFigure, ...]


def figures(counts: Counts, phases: Phases) -> tuple[PlanFigures, ...]:
    """Return the figures of each plan that was applied, in the order of their canonicals."""
    return tuple(_plan(plan, counts, phases.get(plan, ())) for plan in sorted(counts.plans))


def phases_of(knowledge: Knowledge) -> Phases:
    """Return the titles of the phases of care of all plans that name some."""
    return {
        canonical_of(p): found for p in knowledge.all("PlanDefinition") if (found := _titles(p))
    }


def _titles(plan: Mapping[str, object]) -> tuple[str, ...]:
    parts = map(parts_of, extensions_at(dict(plan), OWN + "care-phase"))
    return tuple(str(part.get("title", {}).get("valueString", "")) for part in parts)


def _plan(plan: str, counts: Counts, titles: Sequence[str]) -> PlanFigures:
    return PlanFigures(
        plan,
        counts.plans[plan],
        tuple(_phases(_of(plan, counts.phases), titles)),
        counts.phases.get((plan, ""), 0),
        tuple(_actions(plan, counts)),
        tuple(_missing(plan, counts)),
    )


def _of(plan: str, found: Mapping[tuple[str, str], int]) -> dict[str, int]:
    """Return what is counted of one plan, by action, phase or fact."""
    return {name: value for (of, name), value in sorted(found.items()) if of == plan}


def _phases(patients: Mapping[str, int], titles: Sequence[str]) -> Iterator[PhaseFigure]:
    """Yield the phases: those that the plan names, then any others that a patient is in."""
    order = list(dict.fromkeys((*titles, *filter(None, patients))))
    here = [patients.get(title, 0) for title in order]
    reached = list(accumulate(reversed(here)))[::-1]
    yield from map(PhaseFigure, order, here, reached)


def _actions(plan: str, counts: Counts) -> Iterator[ActionFigure]:
    """Yield the actions of a plan as a tree: each after the group that it is in."""
    places = _of(plan, counts.places)
    parents = {path: path.rpartition("/")[0] for path in places}

    def order(path: str) -> tuple[tuple[int, str], ...]:
        place = (places[path], path)
        return (*order(parents[path]), place) if parents[path] in places else (place,)

    for path in sorted(places, key=order):
        found = tuple(counts.outcomes.get((plan, path, outcome), 0) for outcome in OUTCOMES)
        yield ActionFigure(path, counts.titles[plan, path], len(order(path)) - 1, found)


def _missing(plan: str, counts: Counts) -> Iterator[MissingFigure]:
    patients, actions = _of(plan, counts.blocked), _of(plan, counts.open_actions)
    for fact in sorted(patients, key=lambda name: (-patients[name], name)):
        yield MissingFigure(fact, patients[fact], actions[fact])
