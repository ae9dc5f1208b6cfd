"""What would be decided if one fact had a value that it does not have: nothing is changed by it.

https://hl7.org/fhir/R4/plandefinition-definitions.html#PlanDefinition.action.condition

Facts that rest on the supposed one are worked out again, all others are as they are for the
patient.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from carepath import deadline
from carepath.apply.compile.formula import Formula
from carepath.apply.compile.names import Fact, Names
from carepath.apply.run.scope import FAILURES, Application, Scope
from carepath.fhirpath import Environment, Known


class Suppositions:
    """All suppositions about one application: what was worked out for one question is kept."""

    def __init__(self, session: Application) -> None:
        self.session = session
        self._made: dict[tuple[Fact, type, Any], Supposition] = {}
        self._resting: dict[tuple[str, int], frozenset[str]] = {}

    def that(self, fact: Fact, value: Any) -> "Supposition":
        """Return the supposition that a fact has a value."""
        key = (fact, type(value), value)
        found = self._made.get(key)
        if found is None:
            found = self._made[key] = Supposition(self, fact, value)
        return found

    def resting_on(self, name: str, scope: Scope) -> frozenset[str]:
        """Return the names that change with a fact, itself among them, as a scope sees them."""
        key = (name, id(scope))
        found = self._resting.get(key)
        if found is None:
            found = self._resting[key] = _resting_on(name, scope)
        return found

    def release(self) -> None:
        """Let go of everything, when nobody will ask again."""
        for supposition in self._made.values():
            supposition.release()
        self._made.clear()


class Supposition:
    """One fact with one value, seen from any scope of an application."""

    def __init__(self, suppositions: Suppositions, fact: Fact, value: Any) -> None:
        self.suppositions = suppositions
        self.session = suppositions.session
        self.fact = fact
        self.value = Known.of(value)
        self._scopes: dict[int, SupposedScope] = {}

    def at(self, scope: Scope) -> "SupposedScope":
        """Return the variables of a scope as they would be."""
        found = self._scopes.get(id(scope))
        if found is None:
            found = self._scopes[id(scope)] = SupposedScope(self, scope)
        return found

    def release(self) -> None:
        """Break the circles between its scopes and their environments."""
        for scope in self._scopes.values():
            scope.clear()
            del scope.environment
        self._scopes.clear()

    def truth(self, conditions: Iterable[Formula], scope: Scope, *, is_any: bool) -> bool | None:
        """Return what the conditions of an action would give; None when nobody could tell."""
        decisive = is_any
        environment = self.at(scope).environment
        found = {self._truth_of(condition, environment) for condition in conditions}
        if decisive in found:
            return decisive
        return None if None in found else not decisive

    def _truth_of(self, condition: Formula, environment: Environment) -> bool | None:
        deadline.check()
        try:
            values = condition.evaluate(self.session.focus, environment)
        except FAILURES:
            return None
        return values[0] if len(values) == 1 and isinstance(values[0], bool) else None


class SupposedScope(dict[str, Any]):
    """What a Scope holds, but for the supposed fact and those that rest on it."""

    __slots__ = ("environment", "resting", "scope", "supposition")

    def __init__(self, supposition: Supposition, scope: Scope) -> None:
        super().__init__()
        self.supposition = supposition
        self.scope = scope
        self.resting = supposition.suppositions.resting_on(supposition.fact.name, scope)
        self.environment: Environment = supposition.session.environment(self)

    def __missing__(self, name: str) -> Any:
        """Return the value of a name under the supposition; KeyError when nobody defines it."""
        value = self[name] = self._value(name)
        return value

    def _value(self, name: str) -> Any:
        scope, supposed = self.scope, self.supposition
        entry = scope.names.entries.get(name)
        if entry is supposed.fact:
            return supposed.value
        if name not in self.resting or name in supposed.session.assumed:
            return scope[name]
        if entry is None:
            return scope[name] if scope.outer is None else supposed.at(scope.outer)[name]
        if not isinstance(entry, Fact):
            return scope[name]
        if entry.home is not scope.names:
            return supposed.at(supposed.session.scope_of(entry.home))[name]
        if entry.formula.error is not None:
            raise entry.formula.error
        known = entry.formula.evaluate_known(supposed.session.focus, self.environment)
        return supposed.session.keep(entry, known)


def _resting_on(name: str, scope: Scope) -> frozenset[str]:
    """Return the names that change with a fact, as far as a scope can see."""
    levels = list(_levels(scope))
    found = {name}
    waiting = [name]
    while waiting:
        current = waiting.pop()
        for names in levels:
            new = names.readers.get(current, frozenset()) - found
            found |= new
            waiting.extend(new)
    return frozenset(found)


def _levels(scope: Scope) -> Iterator[Names]:
    """Yield the names of a scope and of those around it."""
    current: Scope | None = scope
    while current is not None:
        yield current.names
        current = current.outer
