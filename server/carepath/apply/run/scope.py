"""The values that names have for one patient: worked out when first read, and at most once.

https://hl7.org/fhir/R4/fhirpath.html#vars

A Scope is what FHIRPath sees as its variables.  Facts remember what they rest on, so that every
decision can say which resources of the record are behind it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from carepath.apply.compile.collection import Collection
from carepath.apply.compile.formula import Formula
from carepath.apply.compile.names import Fact, Names, Parameter
from carepath.errors import CarepathError, CyclicDefinition
from carepath.fhirpath import Environment, Known, Node, Touched

if TYPE_CHECKING:
    from carepath.apply.run.session import Session

FAILURES = (CarepathError, RecursionError, ArithmeticError)
"""What evaluating an expression may raise because of the plan or the data."""


@dataclass(slots=True, eq=False)
class FactValue:
    """What a fact is for this patient, with the scope it was worked out in."""

    fact: Fact
    known: Known
    scope: "Scope"
    evidence: tuple[str, ...] | None = None
    phrase: str | None = None
    named: "tuple[FactValue, ...] | None" = None
    told: "Told | None" = None
    """The facts that stand in for an auxiliary one, once a reason has been written with it."""

    @property
    def values(self) -> list[Any]:
        """Return the values; one keeps its type where the bare value would lose it."""
        return plain_values(self.known.nodes())


Told = tuple[dict[str, FactValue], dict[str, FactValue]]
"""Facts with a public name, and auxiliary ones, by name."""


class Scope(dict[str, Any]):
    """Variables by name; what is not here yet is worked out, or asked of the scope outside."""

    __slots__ = ("_traced", "environment", "facts", "names", "outer", "session")

    def __init__(
        self, names: Names, session: "Session", outer: "Scope | None", known: Any = ()
    ) -> None:
        super().__init__(known)
        self.names = names
        self.session = session
        self.outer = outer
        self.facts: dict[str, FactValue] = {}
        self._traced: TracedScope | None = None
        self.environment: Environment = session.environment(self)
        session.scopes.append(self)

    def release(self) -> None:
        """Let go of everything, when nobody will read from this scope again."""
        self.clear()
        for value in self.facts.values():
            value.told = value.named = None
        self.facts.clear()
        if self._traced is not None:
            del self._traced.environment
        self._traced = None
        del self.environment, self.session

    def __missing__(self, name: str) -> Any:
        """Return the value of a name for the first time; KeyError when nobody defines it."""
        entry = self.names.entries.get(name)
        if entry is None:
            if self.outer is None:
                return self.session.engine_variable(name)
            return self.outer[name]
        if isinstance(entry, Fact):
            if entry.home is not self.names:
                home = self.session.scope_of(entry.home)
                value = self[name] = home[name]
                self.facts[name] = home.facts[name]
                return value
            return self._work_out(entry)
        if isinstance(entry, Collection):
            value = self[name] = self.session.collection(entry)
            return value
        return self._parameter(entry)

    def _parameter(self, entry: Parameter) -> Any:
        value = self[entry.name] = self.session.checked_parameter(entry.name, entry.type)
        return value

    def _work_out(self, fact: Fact) -> Any:
        """Evaluate a fact, once: a failure is remembered like a value and raised again."""
        session = self.session
        failure = session.failed.get(fact)
        if failure is not None:
            raise failure
        if fact in session.pending:
            names = [f.name for f in session.pending[session.pending.index(fact) :]]
            raise CyclicDefinition((*(f"%{name}" for name in names), f"%{fact.name}"))
        session.pending.append(fact)
        try:
            if fact.formula.error is not None:
                raise fact.formula.error
            known = fact.formula.evaluate_known(session.focus, self.environment)
        except FAILURES as error:
            session.failed[fact] = error
            raise
        finally:
            session.pending.pop()
        self[fact.name] = known
        self.facts[fact.name] = FactValue(fact, known, self)
        return known

    def fact(self, name: str) -> FactValue | None:
        """Return a fact that was worked out, None when the name is no fact or was not read."""
        found = self.facts.get(name)
        if found is not None:
            return found
        scope: Scope | None = self
        while scope is not None:
            found = scope.facts.get(name)
            if found is not None:
                return found
            entry = scope.names.entries.get(name)
            if isinstance(entry, Fact) and entry.home is not scope.names:
                return scope.session.scope_of(entry.home).facts.get(name)
            scope = scope.outer
        return None

    def definition(self, name: str) -> Fact | Collection | Parameter | None:
        """Return what a name stands for here."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope.names.entries:
                return scope.names.entries[name]
            scope = scope.outer
        return None

    @property
    def traced(self) -> "TracedScope":
        """Return the same names with values that know which resources they come from."""
        if self._traced is None:
            self._traced = TracedScope(self)
        return self._traced

    def evidence(self, condition: Formula) -> tuple[str, ...]:
        """Return the resources that a condition rests on: those behind the facts it read."""
        if len(condition.variables) == 1:
            only = self.facts.get(condition.variables[0])
            if only is not None and condition.reads_variables_only:
                return evidence_of_fact(only)
        found: dict[str, None] = {}
        is_plain = bool(condition.variables)
        for name in condition.variables:
            value = self.fact(name)
            if value is not None:
                found.update(dict.fromkeys(evidence_of_fact(value)))
            elif name != "gaps" and not isinstance(self.definition(name), Fact | Parameter):
                is_plain = False
        if is_plain:
            return tuple(found)
        return _resources(condition, self)

    def only_source(self, formula: Formula) -> tuple[str, ...] | None:
        """Return what an expression rests on when its variables leave no choice, else None.

        That is so when they stand for one resource at most, beside facts that know their evidence.
        """
        if not formula.reads_variables_only:
            return None
        if len(formula.variables) == 1:
            value = self.get(formula.variables[0])
            if type(value) is Known and not self.facts.get(formula.variables[0]):
                only = value.items
                if len(only) == 1 and _is_resource(only[0]):
                    name = self.session.record.reference_to(only[0][0])
                    return (name,) if name else None
        resources: dict[str, None] = {}
        others: dict[str, None] = {}
        for name in formula.variables:
            fact = self.fact(name)
            items: Sequence[Any]
            items = fact.known.items if fact is not None else self.items_read(name)
            if all(map(_is_resource, items)):
                if len({id(item[0]) for item in items}) > 1:
                    return None
                reference_to = self.session.record.reference_to
                resources.update(dict.fromkeys([reference_to(item[0]) for item in items]))
            elif fact is not None:
                others.update(dict.fromkeys(evidence_of_fact(fact)))
            else:
                return None
        if len(resources) > 1 or "" in resources:
            return None
        return (*resources, *(name for name in others if name not in resources))

    def items_read(self, name: str) -> Sequence[Any]:
        """Return the items of a name that is no fact, if it was read already."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope:
                return Known.of(scope[name]).items
            scope = scope.outer
        return ()

    def read_facts(self, names: Iterable[str]) -> list[FactValue]:
        """Return those of the named facts that were worked out, in the order given."""
        return [value for value in map(self.fact, names) if value is not None]


class TracedScope(dict[str, Any]):
    """What a Scope holds, worked out again with evidence, and only when evidence is asked for."""

    __slots__ = ("environment", "scope")

    def __init__(self, scope: Scope) -> None:
        super().__init__()
        self.scope = scope
        self.environment: Environment = scope.session.environment(self)

    def __missing__(self, name: str) -> Any:
        """Return the nodes of a fact, with evidence; anything else is as the Scope has it."""
        scope = self.scope
        entry = scope.names.entries.get(name)
        if isinstance(entry, Fact) and name in scope.facts:
            value = self._traced(entry, scope.facts[name])
        elif entry is None and scope.outer is not None and name not in scope:
            value = scope.outer.traced[name]
        else:
            value = scope[name]
        self[name] = value
        return value

    def _traced(self, fact: Fact, found: FactValue) -> Any:
        """Return the values of a fact with their evidence, traced only where that is necessary."""
        scope = self.scope
        items = found.known.items
        if fact.home is not scope.names:
            return scope.session.scope_of(fact.home).traced[fact.name]
        if all(map(_is_resource, items)):
            # A resource is its own evidence, and nothing has none.
            return [scope.session.named(item[0]) for item in items]
        if len(items) == 1:
            only = scope.only_source(fact.formula)
            if only is not None:
                return found.known.nodes_from(tuple(Touched(name, "") for name in only))
        return _trace(fact.formula, self).nodes


def named_facts(value: FactValue) -> tuple[FactValue, ...]:
    """Return the facts with a public name that an auxiliary fact rests on; made once."""
    if value.named is None:
        value.named = ()
        if value.fact.is_auxiliary:
            found: dict[str, FactValue] = {}
            for inner in value.scope.read_facts(value.fact.formula.variables):
                for named in named_facts(inner) if inner.fact.is_auxiliary else (inner,):
                    found.setdefault(named.fact.name, named)
            value.named = tuple(found.values())
    return value.named


def evidence_of_fact(value: FactValue) -> tuple[str, ...]:
    """Return the resources that a fact comes from, each once; made once."""
    if value.evidence is None:
        items = value.known.items
        if all(map(_is_resource, items)):
            reference_to = value.scope.session.record.reference_to
            names = (reference_to(item[0]) for item in items)
            value.evidence = tuple(dict.fromkeys(name for name in names if name))
            return value.evidence
        value.evidence = value.scope.only_source(value.fact.formula)
        if value.evidence is None:
            places = [p for node in value.scope.traced[value.fact.name] for p in _places(node)]
            value.evidence = tuple(dict.fromkeys(places))
    return value.evidence


def _resources(formula: Formula, scope: Scope) -> tuple[str, ...]:
    """Return the resources that an expression touches."""
    try:
        evidence = _trace(formula, scope.traced).evidence
    except FAILURES:
        return ()
    return tuple(
        dict.fromkeys(p.resource for p in evidence if "/" in p.resource or ":" in p.resource)
    )


def _places(node: Any) -> Iterable[str]:
    """Yield the resources that a node comes from."""
    return (p.resource for p in node.evidence if "/" in p.resource or ":" in p.resource)


def _trace(formula: Formula, scope: TracedScope) -> Any:
    """Evaluate with evidence; a language that cannot tell gives none."""
    trace = getattr(formula.compiled, "trace", None)
    if trace is None:
        return _Untraced()
    return trace(scope.scope.session.focus, scope.environment, paths=False)


class _Untraced:
    """What stands for the evidence of a language that keeps none."""

    nodes: Sequence[Any] = ()
    evidence: Sequence[Any] = ()


def plain_values(nodes: Iterable[Node]) -> list[Any]:
    """Return nodes as values; one keeps its node where the bare value would lose its type."""
    return [node.value if _is_plain(node) else node for node in nodes]


def _is_resource(item: Any) -> bool:
    """Tell whether an item of the engine is a whole resource."""
    return type(item[0]) is dict and "resourceType" in item[0]


def _is_plain(node: Node) -> bool:
    value = node.value
    if isinstance(value, dict):
        return "resourceType" in value
    return node.type.startswith("System.") and isinstance(value, bool | int | str | Decimal)
