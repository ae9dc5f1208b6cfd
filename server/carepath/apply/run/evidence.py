"""Which resources of the record are behind a fact or a condition.

What is plain from the facts that were read is told without evaluating anything again; the rest is
traced, and only when evidence is asked for.
"""

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any
from weakref import proxy

from carepath.apply.compile.formula import Formula
from carepath.apply.compile.names import OF_GAPS, Fact, Parameter
from carepath.apply.run.scope import FAILURES, FactValue, Scope
from carepath.fhirpath import Environment, Known, Touched, Traced

_UNTRACED = Traced([], (), [])
"""What stands for the evidence of a language that keeps none."""


def evidence_behind(condition: Formula, scope: Scope) -> tuple[str, ...]:
    """Return the resources that a condition rests on: those behind the facts it read."""
    names = condition.variables
    facts = scope.read_facts(names)
    if len(facts) < len(names) or not names:
        others = (name for name in names if scope.fact(name) is None)
        if not names or not all(_touches_nothing(name, scope) for name in others):
            return _resources(condition, scope)
    if len(facts) == 1:
        return evidence_of_fact(facts[0])
    return tuple(dict.fromkeys(chain.from_iterable(map(evidence_of_fact, facts))))


def _touches_nothing(name: str, scope: Scope) -> bool:
    """Tell whether no resource is behind what a name that is no fact that was read stands for."""
    return name in OF_GAPS or isinstance(scope.definition(name), Fact | Parameter)


def evidence_of_fact(value: FactValue) -> tuple[str, ...]:
    """Return the resources that a fact comes from, each once; made once."""
    if value.evidence is None:
        items = value.known.items
        if all(map(_is_resource, items)):
            reference_to = value.scope.session.record.reference_to
            names = (reference_to(item[0]) for item in items)
            value.evidence = tuple(dict.fromkeys(name for name in names if name))
            return value.evidence
        value.evidence = _only_source(value.fact.formula, value.scope)
        if value.evidence is None:
            places = [p for node in traced(value.scope)[value.fact.name] for p in _places(node)]
            value.evidence = tuple(dict.fromkeys(places))
    return value.evidence


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


def traced(scope: Scope) -> "TracedScope":
    """Return the same names with values that know which resources they come from; made once."""
    found: TracedScope | None = scope.traced
    if found is None:
        found = scope.traced = TracedScope(scope)
    return found


class TracedScope(dict[str, Any]):
    """What a Scope holds, worked out again with evidence, and only when evidence is asked for."""

    __slots__ = ("__weakref__", "environment", "scope")

    def __init__(self, scope: Scope) -> None:
        super().__init__()
        self.scope: Scope = scope.itself
        self.environment: Environment = scope.session.environment(proxy(self))

    def __missing__(self, name: str) -> Any:
        """Return the nodes of a fact, with evidence; anything else is as the Scope has it."""
        scope = self.scope
        entry = scope.names.entries.get(name)
        if isinstance(entry, Fact) and name in scope.facts:
            value = self._traced(entry, scope.facts[name])
        elif entry is None and scope.outer is not None and name not in scope:
            value = traced(scope.outer)[name]
        else:
            value = scope[name]
        self[name] = value
        return value

    def _traced(self, fact: Fact, found: FactValue) -> Any:
        """Return the values of a fact with their evidence, traced only where that is necessary."""
        scope = self.scope
        items = found.known.items
        if found.is_assumed:
            return found.known
        if fact.home is not scope.names:
            return traced(scope.session.scope_of(fact.home))[fact.name]
        if all(map(_is_resource, items)):
            # A resource is its own evidence, and nothing has none.
            return [scope.session.named(item[0]) for item in items]
        if len(items) == 1:
            only = _only_source(fact.formula, scope)
            if only is not None:
                return found.known.nodes_from(tuple(Touched(name, "") for name in only))
        return _trace(fact.formula, self).nodes


def _only_source(formula: Formula, scope: Scope) -> tuple[str, ...] | None:
    """Return what an expression rests on when its variables leave no choice, else None.

    That is so when they stand for one resource at most, beside facts that know their evidence.
    """
    if not formula.reads_variables_only:
        return None
    if len(formula.variables) == 1:
        value = scope.get(formula.variables[0])
        if type(value) is Known and not scope.facts.get(formula.variables[0]):
            only = value.items
            if len(only) == 1 and _is_resource(only[0]):
                name = scope.session.record.reference_to(only[0][0])
                return (name,) if name else None
    resources: dict[str, None] = {}
    others: dict[str, None] = {}
    for name in formula.variables:
        fact = scope.fact(name)
        items: Sequence[Any]
        items = fact.known.items if fact is not None else scope.items_read(name)
        if all(map(_is_resource, items)):
            if len({id(item[0]) for item in items}) > 1:
                return None
            reference_to = scope.session.record.reference_to
            resources.update(dict.fromkeys([reference_to(item[0]) for item in items]))
        elif fact is not None:
            others.update(dict.fromkeys(evidence_of_fact(fact)))
        else:
            return None
    if len(resources) > 1 or "" in resources:
        return None
    return (*resources, *(name for name in others if name not in resources))


def _resources(formula: Formula, scope: Scope) -> tuple[str, ...]:
    """Return the resources that an expression touches."""
    try:
        evidence = _trace(formula, traced(scope)).evidence
    except FAILURES:
        return ()
    return tuple(
        dict.fromkeys(p.resource for p in evidence if "/" in p.resource or ":" in p.resource)
    )


def _places(node: Any) -> Iterable[str]:
    """Yield the resources that a node comes from."""
    return (p.resource for p in node.evidence if "/" in p.resource or ":" in p.resource)


def _trace(formula: Formula, scope: TracedScope) -> Traced:
    """Evaluate with evidence; a language that cannot tell gives none."""
    if formula.trace is None:
        return _UNTRACED
    return formula.trace(scope.scope.focus, scope.environment)


def _is_resource(item: Any) -> bool:
    """Tell whether an item of the engine is a whole resource."""
    return type(item[0]) is dict and "resourceType" in item[0]
