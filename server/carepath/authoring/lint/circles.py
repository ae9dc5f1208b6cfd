"""Rules on circles: facts that need each other, plans that nest each other."""

from collections.abc import Callable, Iterable, Iterator

from carepath.authoring.lint.names import Names, names_in, names_of
from carepath.authoring.lint.walk import actions, parse
from carepath.authoring.lint.wording import enumerated
from carepath.errors import ExpressionError
from carepath.issues import Issue
from carepath.knowledge import Knowledge
from carepath.resources import Resource, canonical_of


def rests_on_no_circle(definition: Resource, knowledge: Knowledge) -> Iterator[Issue]:
    """No fact needs itself, and no plan nests itself, directly or by way of others."""
    names = names_of(definition, knowledge)
    for entry in names_in(definition):
        way = _way_back(entry.name, lambda name: _read_by(name, names))
        if way:
            told = enumerated(f"%{name}" for name in way)
            text = f"The fact `%{entry.name}` needs itself, by way of {told}; break the circle."
            yield Issue("error", "processing", text, (f"{entry.path}.expression",))
    if definition["resourceType"] == "PlanDefinition" and "url" in definition:
        way = _way_back(canonical_of(definition), lambda name: _nested_in(name, knowledge))
        if way:
            text = f"The plan nests itself, by way of {enumerated(way)}; break the circle."
            yield Issue("error", "processing", text, ("PlanDefinition.action",))


def _way_back(start: str, following: Callable[[str], Iterable[str]]) -> tuple[str, ...]:
    """Return a way from a name back to itself, its own name last; nothing when there is none."""
    waiting: list[tuple[str, ...]] = [(name,) for name in following(start)]
    seen: set[str] = set()
    while waiting:
        way = waiting.pop(0)
        if way[-1] == start:
            return way
        if way[-1] not in seen:
            seen.add(way[-1])
            waiting.extend((*way, name) for name in following(way[-1]))
    return ()


def _read_by(name: str, names: Names) -> Iterable[str]:
    entry = names.entries.get(name)
    if entry is None or entry.expression is None:
        return ()
    try:
        return sorted(parse(entry.expression).variables)
    except ExpressionError:
        return ()  # Another rule tells.


def _nested_in(canonical: str, knowledge: Knowledge) -> Iterable[str]:
    plan = knowledge.find(canonical, resource_type="PlanDefinition")
    named = (a.get("definitionCanonical") for _, a in actions(plan or {"resourceType": ""}))
    found = (knowledge.find(c, plan, "PlanDefinition") for c in named if isinstance(c, str))
    return [canonical_of(nested) for nested in found if nested is not None]
