"""Cases as witnesses: what each of them says of some content, and which facts it rests on.

A witness keeps the facts that were worked out for it, so that a changed fact can be tried there by
itself: most changes make no difference to most cases.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from carepath.apply.compile.names import Fact
from carepath.apply.run.scope import FAILURES, Application, Scope
from carepath.authoring.cases import Case, differences, run_case
from carepath.errors import CarepathError
from carepath.fhirpath import Expression, Known
from carepath.knowledge import Knowledge

Action = tuple[str, str]
"""The id of a plan and of an action in it."""

FactKey = tuple[str, str]
"""The url of a Library, or its id without one, and the name of a fact in it."""


@dataclass(frozen=True)
class Seen:
    """A fact as it was worked out for a case: its value, and the scope it was worked out in.

    One that failed has no value.
    """

    known: Known | None
    scope: Scope
    session: Application
    """The application, which a scope does not keep."""

    def differs(self, expression: Expression) -> bool:
        """Tell whether another expression gives something else in its place."""
        try:
            other = expression.evaluate_known(self.session.focus, self.scope.environment)
        except FAILURES:
            return True
        return self.known is None or not _are_same(self.known, other)


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
    seen: Mapping[FactKey, Sequence[Seen]]
    """The facts that were worked out for it."""
    wrong: tuple[str, ...]
    """What is not as it expects before any change."""
    actions: frozenset[Action] = field(default=frozenset())
    """The actions that are decided in it, where it looks at actions."""

    def differs(self, fact: FactKey, expression: Expression) -> bool:
        """Tell whether a fact would have another value here if this were its expression."""
        return any(seen.differs(expression) for seen in self.seen.get(fact, ()))

    def notices(self, knowledge: Knowledge) -> bool:
        """Tell whether the case does not hold with this content; an error is noticed, too."""
        try:
            return bool(self.says(knowledge))
        except CarepathError:
            return True


def witness_of(case: Case, knowledge: Knowledge) -> Witness:
    """Return a case as a witness; raises InvalidContent where it cannot be run."""

    def says(content: Knowledge) -> list[str]:
        return differences(case, run_case(case, content))

    applied = run_case(case, knowledge)
    # What is compared is worked out first: it may read facts that no condition reads.
    wrong = tuple(differences(case, applied))
    actions = frozenset((decision.plan, decision.id) for decision in applied.decisions)
    seen: dict[FactKey, list[Seen]] = {}
    for fact, known in applied.session.facts_worked_out():
        scope = applied.session.scope_of(fact.home)
        seen.setdefault(key_of(fact), []).append(Seen(known, scope, applied.session))
    named = frozenset(case.expect.get("facts", ()))
    return Witness(case.name, 1, says, named, seen, wrong, actions)


def key_of(fact: Fact) -> FactKey:
    """Return what names a fact, whichever version of its Library is read."""
    return fact.home.owner, fact.name


def _are_same(one: Known, other: Known) -> bool:
    if len(one.items) != len(other.items):
        return False
    return all(a[0] is b[0] or a[0] == b[0] for a, b in zip(one.items, other.items, strict=True))
