"""Which elements of the resources behind a fact it was read from.

https://hl7.org/fhirpath/#path-selection

Slower than the evidence of a decision, which tells of resources only: a fact is evaluated again
with the paths that it takes, and so are the facts that it rests on.
"""

from collections.abc import Iterator

from carepath.apply.languages import WithTrace
from carepath.apply.run.evidence import evidence_of_fact, traced
from carepath.apply.run.scope import FAILURES, FactValue
from carepath.fhirpath import Touched


def elements_of(value: FactValue) -> tuple[Touched, ...]:
    """Return the elements that a fact rests on, each once; only those of its own evidence."""
    if value.is_assumed:
        return ()
    evidence = frozenset(evidence_of_fact(value))
    found = dict.fromkeys(place for place in _touched(value, set()) if place.resource in evidence)
    return tuple(place for place in found if "." in place.path and place.path[0] != ".")


def _touched(value: FactValue, seen: set[int]) -> Iterator[Touched]:
    if id(value) in seen or value.is_assumed:
        return
    seen.add(id(value))
    formula = value.fact.formula
    if isinstance(formula.compiled, WithTrace):
        try:
            environment = traced(value.scope).environment
            yield from formula.compiled.trace(value.scope.focus, environment, paths=True).evidence
        except FAILURES:
            pass
    for inner in value.scope.read_facts(formula.variables):
        yield from _touched(inner, seen)
