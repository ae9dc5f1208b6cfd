"""Everything that can notice a change of the content: fact cases, plan cases and record cases.

A witness is one case, whatever its form.  It keeps the facts that were worked out for it, so that
a changed fact can be tried there by itself: most changes make no difference to most cases.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest import MonkeyPatch

from carepath.apply.compile.names import Fact
from carepath.apply.run.scope import FAILURES, Application, Scope
from carepath.authoring.cases import Case, differences, read_cases, run_case
from carepath.authoring.fact_cases import FactCase, fact_differences, read_fact_cases
from carepath.errors import CarepathError
from carepath.fhirpath import Expression, Known
from carepath.knowledge import Knowledge
from records.comparing import differences as record_differences
from records.reading import RecordCase, fact_names, read_record_cases
from records.run import answer_to
from records.run import with_questions as with_questions_of

TESTS = Path(__file__).parents[1] / "tests"

Action = tuple[str, str]
"""The id of a plan and of an action in it."""


@dataclass(frozen=True)
class Seen:
    """A fact as it was worked out for a case: its value, and the scope it was worked out in."""

    known: Known
    scope: Scope
    session: Application
    """The application, which a scope does not keep."""

    def value_of(self, expression: Expression) -> Known | None:
        """Return what another expression gives in its place, None when it fails."""
        try:
            return expression.evaluate_known(self.session.focus, self.scope.environment)
        except FAILURES:
            return None


@dataclass(frozen=True)
class Witness:
    """One case: what it costs to ask it (0 is cheap), and what it says of some content.

    `says` returns what is not as the case expects, a sentence each.
    """

    name: str
    cost: int
    says: Callable[[Knowledge], list[str]]
    named: frozenset[str]
    """The facts that the case itself expects to have a value."""
    seen: Mapping[str, Seen]
    """The facts that were worked out for it."""
    holds: bool
    """Whether it holds before any change."""
    actions: frozenset[Action] = frozenset()
    """The actions that are decided in it, where it looks at actions."""

    def differs(self, fact: str, expression: Expression) -> bool:
        """Tell whether a fact would have another value here if this were its expression."""
        seen = self.seen.get(fact)
        return seen is not None and not _are_same(seen.known, seen.value_of(expression))

    def notices(self, knowledge: Knowledge) -> bool:
        """Tell whether the case does not hold with this content; an error is noticed, too."""
        try:
            return bool(self.says(knowledge))
        except CarepathError:
            return True


def with_questions(knowledge: Knowledge) -> Knowledge:
    """Return the content together with the plan that the record cases apply."""
    return with_questions_of(knowledge, read_record_cases())


def witnesses(knowledge: Knowledge) -> Iterator[Witness]:
    """Yield all cases, the cheap ones first; `knowledge` is the content before any change."""
    for fact_case in read_fact_cases(TESTS / "facts" / "cases"):
        yield _of_fact_case(fact_case, knowledge)
    for case in read_cases(TESTS / "cases"):
        yield _of_case(case, knowledge)
    for record_case in read_record_cases():
        if not record_case.is_unclear:
            yield _of_record(record_case, knowledge)


def _of_fact_case(case: FactCase, knowledge: Knowledge) -> Witness:
    def says(content: Knowledge) -> list[str]:
        return fact_differences(case, content)

    with _noting() as seen:
        wrong = says(knowledge)
    return Witness(case.name, 0, says, frozenset(case.facts), seen, not wrong)


def _of_case(case: Case, knowledge: Knowledge) -> Witness:
    def says(content: Knowledge) -> list[str]:
        return differences(case, run_case(case, content))

    with _noting() as seen:
        applied = run_case(case, knowledge)
    actions = frozenset((decision.plan, decision.id) for decision in applied.decisions)
    holds = not differences(case, applied)
    return Witness(case.name, 1, says, frozenset(), seen, holds, actions)


def _of_record(case: RecordCase, knowledge: Knowledge) -> Witness:
    def says(content: Knowledge) -> list[str]:
        return record_differences(answer_to(case, content), case.expect)

    with _noting() as seen:
        wrong = says(knowledge)
    named = frozenset(fact_names(case.expect))
    return Witness(case.name, 2, says, named, seen, not wrong)


@contextmanager
def _noting() -> Iterator[dict[str, Seen]]:
    """Note each fact that is worked out meanwhile, and keep what it was worked out in."""
    found: dict[str, Seen] = {}
    work_out = Scope._work_out

    def noted(self: Scope, fact: Fact) -> Any:
        known = work_out(self, fact)
        found[fact.name] = Seen(known, self, self.session)
        return known

    with MonkeyPatch.context() as patch:
        patch.setattr(Scope, "_work_out", noted)
        yield found


def _are_same(one: Known, other: Known | None) -> bool:
    if other is None or len(one.items) != len(other.items):
        return False
    return all(a[0] is b[0] or a[0] == b[0] for a, b in zip(one.items, other.items, strict=True))
