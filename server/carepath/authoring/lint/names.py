"""What the names in expressions mean where a definition reads them, and of which types they are.

https://hl7.org/fhir/R4/fhirpath.html#vars
"""

from collections.abc import Iterator
from functools import cached_property
from typing import NamedTuple

from carepath.apply.compile.names import AUXILIARY, FACT, VARIABLE, value_texts
from carepath.authoring.lint.walk import actions, elements, parse
from carepath.errors import ExpressionError
from carepath.fhirpath.checking.analysis import kinds_of
from carepath.fhirpath.checking.static_types import ANYTHING, Kinds
from carepath.knowledge import Knowledge
from carepath.r4.model import type_of
from carepath.resources import Resource, codings

_PATIENT = frozenset({"subject", "patient", "context", "resource", "rootResource"})
_DECIDED_ON = frozenset({"PlanDefinition", "ActivityDefinition", "Library"})


class Name(NamedTuple):
    """What one name is: a fact with its expression, or data and parameters with their type."""

    name: str
    path: str
    expression: str | None = None
    type: str = ""
    is_single: bool = False
    is_auxiliary: bool = False
    values: frozenset[str] = frozenset()
    """The coded values of a fact, where its Library has words for them."""


class Names:
    """The names that a definition may read, its own before those of its libraries."""

    def __init__(self, definition: Resource, knowledge: Knowledge) -> None:
        self.of = definition
        self.entries: dict[str, Name] = {}
        self._pending: set[str] = set()
        self._kinds: dict[str, Kinds] = {}
        self._told: dict[str, Kinds | ExpressionError] = {}
        for holder in _holders(definition, knowledge, []):
            for name in names_in(holder):
                self.entries.setdefault(name.name, name)

    @cached_property
    def this(self) -> Kinds:
        """What a bare path starts from."""
        concerned = self.of.get("subjectCodeableConcept") or {}
        types = {c.get("code") for c in codings(concerned)} or {"Patient"}
        is_patient = types == {"Patient"} and "subjectReference" not in self.of
        is_decided_on = self.of["resourceType"] in _DECIDED_ON
        return Kinds(
            frozenset({"FHIR.Patient" if is_patient and is_decided_on else "FHIR.Resource"})
        )

    def kinds(self, name: str) -> Kinds:
        """Return the types of what a name means; anything, where nobody can tell."""
        if name in self._kinds:
            return self._kinds[name]
        if name in self._pending:
            return ANYTHING
        self._pending.add(name)
        found = self._kinds[name] = self._found(name)
        self._pending.discard(name)
        return found

    def kinds_of(self, text: str) -> Kinds:
        """Return the types that an expression may give.

        Raises ExpressionError for what cannot be right.
        """
        if text not in self._told:
            try:
                self._told[text] = kinds_of(text, parse(text).ast, self.this, self.kinds)
            except ExpressionError as error:
                self._told[text] = error
        found = self._told[text]
        if isinstance(found, ExpressionError):
            raise found
        return found

    def _found(self, name: str) -> Kinds:
        entry = self.entries.get(name)
        if entry is None:
            return self.this if name in _PATIENT else ANYTHING
        if entry.expression is None:
            known = type_of(entry.type) is not None
            return Kinds(frozenset({f"FHIR.{entry.type}"}), entry.is_single) if known else ANYTHING
        try:
            return self.kinds_of(entry.expression)
        except ExpressionError:
            return ANYTHING  # A rule tells it where the fact stands.


class Scopes:
    """The names of each definition of a Knowledge, worked out once."""

    def __init__(self, knowledge: Knowledge) -> None:
        self._knowledge = knowledge
        self._of: dict[int, tuple[Resource, Names]] = {}

    def of(self, definition: Resource) -> Names:
        """Return the names that a definition may read."""
        found = self._of.get(id(definition))
        if found is None:
            found = self._of[id(definition)] = (definition, Names(definition, self._knowledge))
        return found[1]


def names_of(definition: Resource, knowledge: Knowledge) -> Names:
    """Return the names that a definition may read, with those of its libraries."""
    return knowledge.derived(Scopes).of(definition)


def names_in(definition: Resource) -> Iterator[Name]:
    """Yield the facts, variables, parameters and data requirements that a definition brings."""
    resource_type = definition["resourceType"]
    for path, key, value in elements(definition, resource_type):
        if key == "extension" and isinstance(value, list):
            for index, extension in enumerate(value):
                if extension.get("url") in (FACT, VARIABLE):
                    yield from _fact(extension.get("valueExpression") or {}, f"{path}[{index}]")
    parameters = definition.get("parameter") if resource_type == "Library" else ()
    for index, parameter in enumerate(parameters or ()):
        place, type_ = f"{resource_type}.parameter[{index}]", str(parameter.get("type"))
        if "name" in parameter:
            yield Name(parameter["name"], place, None, type_, parameter.get("max") == "1")
    for path, entry in _requirements(definition):
        if "id" in entry:
            yield Name(entry["id"], path, None, str(entry.get("type")))


def _fact(expression: Resource, path: str) -> Iterator[Name]:
    name = str(expression.get("name", ""))
    if name:
        is_flagged = any(f.get("url") == AUXILIARY for f in expression.get("extension") or ())
        text = str(expression.get("expression", ""))
        is_auxiliary = is_flagged or name.startswith("_")
        values = frozenset(value_texts(expression))
        place = f"{path}.valueExpression"
        yield Name(name, place, text, is_auxiliary=is_auxiliary, values=values)


def _requirements(definition: Resource) -> Iterator[tuple[str, Resource]]:
    for index, entry in enumerate(definition.get("dataRequirement") or ()):
        yield f"{definition['resourceType']}.dataRequirement[{index}]", entry
    for path, action in actions(definition):
        for index, entry in enumerate(action.get("input") or ()):
            yield f"{path}.input[{index}]", entry


def _holders(
    definition: Resource, knowledge: Knowledge, seen: list[Resource]
) -> Iterator[Resource]:
    """Yield a definition and the libraries that it reads names of, each once."""
    if any(definition is other for other in seen):
        return
    seen.append(definition)
    yield definition
    for canonical in _libraries(definition):
        library = knowledge.find(canonical, definition, "Library")
        if library is not None:
            yield from _holders(library, knowledge, seen)


def _libraries(definition: Resource) -> Iterator[str]:
    named = definition.get("library") or ()
    yield from [named] if isinstance(named, str) else (c for c in named if isinstance(c, str))
    if definition["resourceType"] == "Library":
        for artifact in definition.get("relatedArtifact") or ():
            if artifact.get("type") == "depends-on" and "resource" in artifact:
                yield artifact["resource"]
