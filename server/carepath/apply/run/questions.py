"""Which of the missing facts to ask for now, which later, and in which order.

https://hl7.org/fhir/R4/task-definitions.html#Task.input

A fact is asked for when some value of it, the other facts being as they are, would change the plan:
an action that nobody can decide would apply.  Where several facts must be known before an action
can apply, the first of them that leaves it possible is asked for, and the others come later.  What
hangs on an undetermined group is asked when the group has been decided.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from carepath.apply.compile.formula import Formula
from carepath.apply.compile.names import Fact
from carepath.apply.compile.possible_values import possible_values
from carepath.apply.run.scope import Application, Scope
from carepath.apply.run.step import Step
from carepath.apply.run.supposition import Suppositions
from carepath.fhirpath import Known, Node


@dataclass(slots=True, eq=False)
class Undecided:
    """An action that nobody can decide, in no group of which that is true."""

    step: Step
    below: tuple[Step, ...]
    """What waits with it: the actions below it that are not certainly not met."""
    hides_next: bool = False
    """Whether the actions after it wait for it, so that a no would change the plan as well."""


class Questions(NamedTuple):
    """What to ask for now, what opens most first, and what to ask for later."""

    now: Known
    later: Known
    opens: Mapping[str, "Opened"]
    """What waits for each fact that is asked for now, by its name."""


class Opened(NamedTuple):
    """What waits for a fact: the titles of the actions, and how many decisions there are in all."""

    titles: tuple[str, ...]
    decisions: int


NO_QUESTIONS = Questions(Known([]), Known([]), {})
_NOTHING = Opened((), 0)


def questions(undecided: list[Undecided], session: Application) -> Questions:
    """Sort the facts that are missing for some actions into those to ask for now and later.

    Each becomes a Task.input: `id` is the name of the fact, `type.text` what people call it and
    `valueString` how it is recorded.
    """
    suppositions = Suppositions(session)
    opened: dict[str, Opened] = {}
    facts: dict[str, Fact | None] = {}
    for action in undecided:
        for step in (action.step, *action.below):
            for name in step.missing:
                facts.setdefault(name, _fact(step.scope, name))
        for name in _to_ask(action, suppositions):
            titles, count = opened.get(name, _NOTHING)
            more = (*titles, action.step.action.title)
            opened[name] = Opened(more, count + 1 + len(action.below))
    now = sorted(opened, key=lambda name: -opened[name].decisions)
    suppositions.release()
    later = [name for name in facts if name not in opened]
    return Questions(_inputs(now, facts), _inputs(later, facts), opened)


def _to_ask(undecided: Undecided, suppositions: Suppositions) -> tuple[str, ...]:
    """Return the facts to ask for so that an action can be decided: one at least, if any lacks."""
    outcomes = {name: _outcomes(undecided, name, suppositions) for name in undecided.step.missing}
    changing = {True, False} if undecided.hides_next else {True}
    opening = tuple(name for name, found in outcomes.items() if found & changing)
    if opening or not outcomes:
        return opening
    possible = (name for name, found in outcomes.items() if None in found)
    return (next(possible, undecided.step.missing[0]),)


def _outcomes(undecided: Undecided, name: str, suppositions: Suppositions) -> set[bool | None]:
    """Return what the conditions of an action could give, for each value of one missing fact."""
    scope, action = undecided.step.scope, undecided.step.action
    fact = _fact(scope, name)
    if fact is None:
        return {None}
    resting = suppositions.resting_on(name, scope)
    found: set[bool | None] = set()
    formulas = tuple(_formulas(action.conditions, scope, resting))
    for value in possible_values(fact, formulas):
        supposed = suppositions.that(fact, value)
        found.add(supposed.truth(action.conditions, scope, is_any=action.any_condition))
        if True in found and not undecided.hides_next:
            break
    return found


def _formulas(
    conditions: tuple[Formula, ...], scope: Scope, resting: frozenset[str]
) -> Iterator[Formula]:
    """Yield conditions, and the expressions of the facts between them and the one they rest on."""
    waiting = list(conditions)
    seen: set[str] = set()
    while waiting:
        formula = waiting.pop()
        yield formula
        for name in resting.intersection(formula.variables) - seen:
            seen.add(name)
            fact = _fact(scope, name)
            if fact is not None:
                waiting.append(fact.formula)


def _fact(scope: Scope, name: str) -> Fact | None:
    """Return the fact that a name stands for in a scope."""
    found = scope.definition(name)
    return found if isinstance(found, Fact) else None


def _inputs(names: list[str], facts: dict[str, Fact | None]) -> Known:
    """Return the questions for some facts."""
    return Known.of([Node(_input(name, facts[name]), "Task.input") for name in names])


def _input(name: str, fact: Fact | None) -> dict[str, Any]:
    """Return one question; the words are those of the Library."""
    words = name if fact is None else fact.words
    how = "" if fact is None else fact.recording or fact.description
    return {"id": name, "type": {"text": words}, "valueString": how or words}
