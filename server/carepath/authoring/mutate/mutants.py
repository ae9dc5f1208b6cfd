"""Definitions with one mistake each: conditions negated, comparisons turned round, facts emptied.

https://hl7.org/fhirpath/N1/#grammar
"""

import copy
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from carepath.apply.compile.cache import Cache
from carepath.apply.compile.compiled import CompiledPlan
from carepath.apply.compile.formula import Formula
from carepath.apply.compile.names import AUXILIARY, FACT
from carepath.knowledge import Knowledge
from carepath.resources import Resource, canonical_of

NEGATED, COMPARISON, CONNECTIVE = "negated", "comparison", "connective"
EMPTIED_AUXILIARY, EMPTIED = "emptied-auxiliary", "emptied"
KINDS = frozenset({NEGATED, COMPARISON, CONNECTIVE, EMPTIED_AUXILIARY, EMPTIED})
"""What is done to conditions and facts; `EMPTIED` are the facts that are not auxiliary."""

_FHIRPATH = "text/fhirpath"
# Strings, quoted names and comments are skipped whole; `<` and `>` stand only in comparisons.
_TOKEN = re.compile(
    r"'(?:[^'\\]|\\.)*'|`[^`]*`|//[^\n]*|/\*.*?\*/|!=|!~|<=|>=|=|~|<|>"
    r"|(?<![.%@\w])(?:and|or)\b(?!\s*\()",
    re.DOTALL,
)
_OPPOSITES: Mapping[str, Mapping[str, str]] = {
    COMPARISON: {
        "=": "!=", "!=": "=", "~": "!~", "!~": "~", "<": ">=", ">=": "<", ">": "<=", "<=": ">",
    },
    CONNECTIVE: {"and": "or", "or": "and"},
}  # fmt: skip
_AROUND = 60
"""How many characters before and behind a change are shown."""

Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Mutant:
    """One change: the definition, the place of the expression in it, and the new text.

    `subject` is the action or the fact that it changes, `shown` the change with what is around it.
    """

    resource_type: str
    canonical: str
    definition_id: str
    owner: str
    """What its facts are kept under: the url without a version, or the id."""
    place: Path
    subject: str
    what: str
    text: str
    shown: str

    def __str__(self) -> str:
        return f"{self.canonical.rpartition('/')[2]}: {self.what}: {self.shown}"

    def applied_to(self, knowledge: Knowledge) -> Knowledge:
        """Return the knowledge with the changed definition in the place of the original."""
        definition = copy.deepcopy(knowledge.definition(self.resource_type, self.canonical))
        element: Any = definition
        for step in self.place[:-1]:
            element = element[step]
        element[self.place[-1]] = self.text
        changed = knowledge.replacing(definition)
        # What the change does not touch is taken along: it is the larger part of the time.
        # Expressions depend on no definition, Libraries only on each other.
        is_plan = self.resource_type == "PlanDefinition"
        changed.derived(Cache).take(
            knowledge.derived(Cache),
            lambda kind: kind is Formula or (is_plan and kind is not CompiledPlan),
        )
        return changed


def mutants_of(definitions: Iterable[Resource], kinds: frozenset[str] = KINDS) -> Iterator[Mutant]:
    """Yield every mutant of the conditions of plans and of the facts of Libraries.

    A definition that nobody can name is left out.
    """
    for definition in definitions:
        reader = _READERS.get(definition["resourceType"])
        if reader is not None and ("url" in definition or "id" in definition):
            yield from reader(definition, kinds)


def _of_plan(plan: Resource, kinds: frozenset[str]) -> Iterator[Mutant]:
    for name, place, text in _conditions(plan, (), ""):
        if NEGATED in kinds:
            negated = f"({text}).not()"
            yield _mutant(plan, place, name, f"{name} negated", negated, negated)
        for kind in (COMPARISON, CONNECTIVE):
            for changed, shown in _changes(text, kind) if kind in kinds else ():
                yield _mutant(plan, place, name, f"{name} {kind}", changed, shown)


def _of_library(library: Resource, kinds: frozenset[str]) -> Iterator[Mutant]:
    for index, extension in enumerate(library.get("extension") or ()):
        if extension.get("url") == FACT:
            yield from _of_fact(library, index, extension.get("valueExpression") or {}, kinds)


def _of_fact(
    library: Resource, index: int, value: Resource, kinds: frozenset[str]
) -> Iterator[Mutant]:
    name, text = value.get("name"), _fhirpath(value)
    if name is None or text is None:
        return
    place = ("extension", index, "valueExpression", "expression")
    for kind, what in ((COMPARISON, f"fact {name}"), (CONNECTIVE, f"fact {name} connective")):
        for changed, shown in _changes(text, kind) if kind in kinds else ():
            yield _mutant(library, place, name, what, changed, shown)
    marks = value.get("extension") or ()
    is_auxiliary = any(part.get("url") == AUXILIARY for part in marks)
    if (EMPTIED_AUXILIARY if is_auxiliary else EMPTIED) in kinds:
        yield _mutant(library, place, name, f"fact {name} emptied", "{}", "{}")


_READERS = {"PlanDefinition": _of_plan, "Library": _of_library}


def _mutant(
    definition: Resource, place: Path, subject: str, what: str, text: str, shown: str
) -> Mutant:
    return Mutant(
        resource_type=definition["resourceType"],
        canonical=canonical_of(definition),
        definition_id=str(definition.get("id", "")),
        owner=str(definition.get("url") or definition.get("id")),
        place=place,
        subject=subject,
        what=what,
        text=text,
        shown=shown,
    )


def _conditions(element: Resource, place: Path, name: str) -> Iterator[tuple[str, Path, str]]:
    """Yield name, place and text of each applicability condition below an element."""
    for index, condition in enumerate(element.get("condition") or ()):
        text = _fhirpath(condition.get("expression") or {})
        if condition.get("kind") == "applicability" and text is not None:
            yield name, (*place, "condition", index, "expression", "expression"), text
    for index, action in enumerate(element.get("action") or ()):
        yield from _conditions(action, (*place, "action", index), action.get("id", str(index)))


def _fhirpath(expression: Resource) -> str | None:
    """Return the text of an expression in the language that we know, None for any other."""
    text = expression.get("expression")
    return text if expression.get("language") == _FHIRPATH and isinstance(text, str) else None


def _changes(text: str, kind: str) -> Iterator[tuple[str, str]]:
    """Yield the text with each operator of a kind turned round in its turn, and how it is shown."""
    opposites = _OPPOSITES[kind]
    found = [token for token in _TOKEN.finditer(text) if token.group() in opposites]
    for number, token in enumerate(found, start=1):
        opposite = opposites[token.group()]
        before, after = text[: token.start()], text[token.end() :]
        shown = f"{number}. {before[-_AROUND:]}[{opposite}]{after[:_AROUND]}"
        yield f"{before}{opposite}{after}", shown
