"""What a PlanDefinition says, without a form: its scope, and under which conditions what follows.

https://hl7.org/fhir/R4/plandefinition-definitions.html#PlanDefinition.action

Conditions are told by their descriptions; those that all actions share stand once, as the scope.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from carepath.apply.compile.extensions import (
    DIRECTION,
    OWN,
    STRENGTH,
    concept_codes,
    extensions_at,
    texts_of,
)
from carepath.apply.compile.names import FACT, LABEL, named_expressions
from carepath.apply.compile.templates import APPLICABILITY_BEHAVIOR
from carepath.resources import Resource, concept_text

Find = Callable[[str], Resource | None]
"""Returns the definition that a canonical leads to, None where it leads nowhere."""

Kind = Literal["order", "plan", "group", "step"]
"""What an action is: it makes a request, leads to a plan, holds actions, or is only text."""

_KINDS: dict[str, Kind] = {"ActivityDefinition": "order", "PlanDefinition": "plan"}
_FACT_ALONE = re.compile(r"%(\w+)(\.not\(\))?")
_RATIONALE = "http://hl7.org/fhir/uv/cpg/StructureDefinition/cpg-rationale"


@dataclass(frozen=True, slots=True)
class When:
    """One condition: what people call it, without a description the expression, and that."""

    text: str
    expression: str

    @property
    def is_described(self) -> bool:
        """Tell whether the text is more than the expression."""
        return self.text != self.expression


@dataclass(frozen=True, slots=True)
class Branch:
    """One action with all below it; `when` are the conditions beside those of the scope."""

    id: str
    title: str
    text: str
    kind: Kind
    when: tuple[When, ...]
    is_any: bool
    """One of several conditions is enough."""
    choice: str
    """How many of the actions inside are chosen, as a code of R4; empty where nobody chooses."""
    required: str
    """Whether it must be done, as a code of R4; empty where nothing is said."""
    is_against: bool
    strength: str
    rationale: str
    definition: str
    """The id of the definition that it leads to, empty for none."""
    makes: str
    """The type of the request that it makes, empty for none."""
    sources: tuple[str, ...]
    conflicts: tuple[str, ...]
    branches: tuple["Branch", ...]

    @property
    def is_optional(self) -> bool:
        """Tell whether it may be done and need not."""
        return self.required == "could"


@dataclass(frozen=True, slots=True)
class Outline:
    """A plan: `scope` are the conditions that all of its actions share."""

    id: str
    title: str
    description: str
    scope: tuple[When, ...]
    branches: tuple[Branch, ...]


def outline_of(plan: Resource, find: Find) -> Outline:
    """Return the outline of a PlanDefinition; `find` looks up what its actions lead to."""
    actions = plan.get("action") or ()
    words = dict(_words_of_facts(plan, find))
    shared = _shared(actions, words)
    within = _Within(find, words, frozenset(when.expression for when in shared))
    return Outline(
        id=str(plan.get("id") or ""),
        title=str(plan.get("title") or plan.get("name") or plan.get("id") or ""),
        description=str(plan.get("description") or ""),
        scope=tuple(shared),
        branches=tuple(_branches(actions, "", within)),
    )


def branches_of(branches: Iterable[Branch]) -> Iterator[tuple[int, Branch]]:
    """Yield branches with all below them, each with its depth, in the order of the plan."""
    for branch in branches:
        yield 0, branch
        yield from ((depth + 1, below) for depth, below in branches_of(branch.branches))


@dataclass(frozen=True, slots=True)
class _Within:
    """What the actions of one plan are read with."""

    find: Find
    words: Mapping[str, str]
    """What the facts of the plan's Libraries are, in words."""
    shared: frozenset[str]
    """The expressions of the scope."""


def _words_of_facts(plan: Resource, find: Find) -> Iterator[tuple[str, str]]:
    """Yield each fact with what its Library says of it."""
    for canonical in plan.get("library") or ():
        library = find(canonical) or {}
        for fact in named_expressions(library.get("extension"), FACT):
            words = fact.get("description") or next(texts_of(fact, LABEL), "")
            if words:
                yield str(fact["name"]), str(words).rstrip(".")


def _shared(actions: Sequence[Resource], words: Mapping[str, str]) -> list[When]:
    """Return the conditions of the first action that all others have, too; none of a single one."""
    if len(actions) <= 1 or any(_is_any(action) for action in actions):
        return []
    found = [{when.expression for when in _conditions(action, words)} for action in actions]
    return [w for w in _conditions(actions[0], words) if all(w.expression in f for f in found)]


def _branches(actions: Iterable[Resource], prefix: str, within: _Within) -> Iterator[Branch]:
    for number, action in enumerate(actions, start=1):
        yield _branch(action, str(action.get("id") or f"{prefix}-{number}"), within)


def _branch(action: Resource, key: str, within: _Within) -> Branch:
    target = _target(action, within.find)
    conditions = _conditions(action, within.words)
    return Branch(
        id=key,
        title=_title(action, target),
        text=str(action.get("description") or action.get("textEquivalent") or ""),
        kind=_kind(action, target),
        when=tuple(when for when in conditions if when.expression not in within.shared),
        is_any=_is_any(action),
        choice=str(action.get("selectionBehavior") or ""),
        required=str(action.get("requiredBehavior") or ""),
        is_against="against" in (*concept_codes(action, DIRECTION), *_direction_codes(action)),
        strength=next(concept_codes(action, STRENGTH), ""),
        rationale=next(texts_of(action, _RATIONALE), ""),
        definition=str((target or {}).get("id") or ""),
        makes=_makes(target),
        sources=tuple(dict.fromkeys(_sources(action))),
        conflicts=tuple(texts_of(action, OWN + "conflict-note")),
        branches=tuple(
            _branches(action.get("action") or (), key, replace(within, shared=frozenset()))
        ),
    )


def _target(action: Resource, find: Find) -> Resource | None:
    canonical = action.get("definitionCanonical")
    return find(canonical) if isinstance(canonical, str) else None


def _kind(action: Resource, target: Resource | None) -> Kind:
    if target is not None and target.get("resourceType") in _KINDS:
        return _KINDS[target["resourceType"]]
    return "group" if action.get("action") else "step"


def _makes(target: Resource | None) -> str:
    is_activity = target is not None and target.get("resourceType") == "ActivityDefinition"
    return str((target or {}).get("kind") or "") if is_activity else ""


def _title(action: Resource, target: Resource | None) -> str:
    """Return what people call an action, as the answer does."""
    for name in ("title", "textEquivalent", "description"):
        if action.get(name):
            return str(action[name])
    codes = (concept_text(code) for code in action.get("code") or ())
    found = (target or {}).get("title") or (target or {}).get("name") or next(codes, "")
    return str(found or action.get("id") or "")


def _conditions(action: Resource, words: Mapping[str, str]) -> Iterator[When]:
    """Yield the applicability conditions of an action."""
    for condition in action.get("condition") or ():
        expression = condition.get("expression") or {}
        if condition.get("kind") == "applicability":
            text = str(expression.get("expression") or expression.get("reference") or "")
            yield When(str(expression.get("description") or in_words(text, words)), text)


def in_words(expression: str, words: Mapping[str, str]) -> str:
    """Return what the Library says of a fact where nothing else is asked, else the expression."""
    match = _FACT_ALONE.fullmatch(expression)
    if match is None or not words.get(match[1]):
        return expression
    return f"Not so: {words[match[1]]}" if match[2] else words[match[1]]


def _is_any(action: Resource) -> bool:
    codes = (e.get("valueCode") for e in extensions_at(action, APPLICABILITY_BEHAVIOR))
    return next(codes, "all") == "any"


def _direction_codes(action: Resource) -> Iterator[str]:
    return (str(e.get("valueCode")) for e in extensions_at(action, DIRECTION))


def _sources(action: Resource) -> Iterator[str]:
    for artifact in action.get("documentation") or ():
        if artifact.get("type") == "documentation" and artifact.get("label"):
            yield str(artifact["label"])
