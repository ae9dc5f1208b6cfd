"""The names that expressions read: facts, variables, collections and parameters.

A Library holds facts (extension `fact`), collections (`dataRequirement` with an id) and parameters;
a plan or an action adds variables (extension `variable`) and collections of its own (`input` with
an id).  Everything here is compiled once and shared by all applications.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from types import MappingProxyType
from typing import Any

from carepath.apply.compile.collection import Collection
from carepath.apply.compile.extensions import extensions_at, parts_of
from carepath.apply.compile.formula import Formula
from carepath.resources import Resource

FACT = "https://carepath.example/fhir/StructureDefinition/fact"
STANDARD_NAMES = frozenset(
    {
        "subject",
        "patient",
        "encounter",
        "practitioner",
        "organization",
        "userType",
        "userLanguage",
        "userTaskContext",
        "setting",
        "settingContext",
        "action",
        "now",
        "gaps",
        "laterQuestions",
        "questions",
        "unread",
        "planDefinition",
        "activityDefinition",
    }
)
"""What the operation itself gives, beside what FHIRPath defines."""

OF_GAPS = frozenset({"gaps", "laterQuestions", "questions"})
"""Those that tell what earlier actions lack."""

_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")

CompileExpression = Callable[[Resource], Formula]

AUXILIARY = "https://carepath.example/fhir/StructureDefinition/auxiliary-fact"
VARIABLE = "http://hl7.org/fhir/StructureDefinition/variable"
LABEL = "https://carepath.example/fhir/StructureDefinition/fact-label"
RECORDING = "https://carepath.example/fhir/StructureDefinition/fact-recording"
VALUE_TEXT = "https://carepath.example/fhir/StructureDefinition/fact-value-text"
LEFT_OUT = "https://carepath.example/fhir/StructureDefinition/left-out"
PATIENT_LINE = "https://carepath.example/fhir/StructureDefinition/patient-line"


@dataclass(frozen=True, slots=True)
class Parameter:
    """A value that the caller may give by name; without one it is empty."""

    name: str
    type: str


@dataclass(frozen=True, slots=True)
class LinePart:
    """How a fact stands in the line that says who the patient is.

    `is_missed`: that it is not recorded is worth telling, where `when` names a fact only if that
    one is true.  `seen` names a fact that holds the resources that say something of it.
    `is_decision`: people have decided it; what rests on it comes first.
    """

    position: int
    is_labelled: bool
    unit: str
    is_missed: bool
    when: str
    seen: str
    is_decision: bool


@dataclass(frozen=True, slots=True, eq=False)
class Fact:
    """A named expression; an auxiliary one is never asked for itself, but what it rests on is."""

    name: str
    formula: Formula
    description: str
    is_auxiliary: bool
    home: "Names"
    label: str = ""
    """What people call it, as the Library says."""
    texts: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """What its values mean, by the value as text."""
    recording: str = ""
    """How it is recorded, as the Library says."""
    line: LinePart | None = None

    @property
    def words(self) -> str:
        """Return what to call the fact in a sentence: its label, else its name as words."""
        return self.label or _as_words(self.name)

    def text_of(self, value: object) -> str:
        """Return a value for people: the Library's text for it, else the value itself."""
        return self.texts.get(str(value), str(value))


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A fact whose resources were not used, or decide nothing, and the words that say why."""

    fact: str
    sentence: str


class Names:
    """What the names in one Library, plan or action mean."""

    def __init__(self, owner: str) -> None:
        self.owner = owner
        self.entries: dict[str, Fact | Collection | Parameter] = {}
        self.left_out: tuple[LeftOut, ...] = ()
        self.meaning: object = self
        """The same for all names that mean the same: expressions need not be decided twice then."""

    def add_facts(self, extensions: Any, url: str, compile_: CompileExpression) -> None:
        """Add the named expressions among some extensions."""
        for expression in named_expressions(extensions, url):
            name = str(expression.get("name"))
            self.entries[name] = Fact(
                name=name,
                formula=compile_(expression),
                description=str(expression.get("description", "")),
                is_auxiliary=name.startswith("_") or _is_flagged(expression),
                home=self,
                label=_text(expression, LABEL),
                texts=value_texts(expression),
                recording=_text(expression, RECORDING),
                line=_line_part(expression),
            )

    def add_collections(self, requirements: Iterable[Resource]) -> None:
        """Add the data requirements that have an id."""
        for requirement in requirements:
            if "id" in requirement:
                self.entries[requirement["id"]] = Collection(requirement)

    def add_parameters(self, parameters: Iterable[Resource]) -> None:
        """Add the parameters that may be given; a name that means something already keeps it."""
        for parameter in parameters:
            if parameter.get("use") == "in" and "name" in parameter:
                name = parameter["name"]
                self.entries.setdefault(name, Parameter(name, str(parameter.get("type", ""))))

    @cached_property
    def readers(self) -> Mapping[str, frozenset[str]]:
        """Return by name the facts whose expressions read it."""
        found: dict[str, set[str]] = {}
        for entry in self.entries.values():
            for name in entry.formula.variables if isinstance(entry, Fact) else ():
                found.setdefault(name, set()).add(entry.name)
        return {name: frozenset(facts) for name, facts in found.items()}

    @cached_property
    def patient_line(self) -> tuple[tuple[Fact, LinePart], ...]:
        """Return the facts of the line about the patient, in the order of their positions."""
        facts = (entry for entry in self.entries.values() if isinstance(entry, Fact))
        parts = [(fact, fact.line) for fact in facts if fact.line is not None]
        return tuple(sorted(parts, key=lambda pair: pair[1].position))

    def include(self, other: "Names") -> None:
        """Add another's names behind the own ones."""
        for name, entry in other.entries.items():
            self.entries.setdefault(name, entry)


def library_names(library: Resource, compile_: CompileExpression) -> Names:
    """Compile what one Library holds."""
    names = Names(str(library.get("url") or library.get("id") or "Library"))
    names.add_facts(library.get("extension"), FACT, compile_)
    names.add_facts(library.get("extension"), VARIABLE, compile_)
    names.add_collections(library.get("dataRequirement") or ())
    names.left_out = tuple(_left_out(library.get("extension")))
    names.add_parameters(library.get("parameter") or ())
    return names


def named_expressions(extensions: Any, url: str) -> Iterator[Resource]:
    """Yield the named expressions among extensions with a URL."""
    for extension in extensions or ():
        expression = extension.get("valueExpression")
        if extension.get("url") == url and isinstance(expression, dict) and "name" in expression:
            yield expression


def _text(expression: Resource, url: str) -> str:
    """Return the text that an expression carries under a URL, empty when it has none."""
    for extension in extensions_at(expression, url):
        return str(extension.get("valueString", ""))
    return ""


def value_texts(expression: Resource) -> Mapping[str, str]:
    """Return the texts of values that an expression carries, by the value."""
    found = {}
    for extension in extensions_at(expression, VALUE_TEXT):
        parts = {name: part.get("valueString") for name, part in parts_of(extension).items()}
        if parts.get("value") is not None and parts.get("text"):
            found[str(parts["value"])] = str(parts["text"])
    return MappingProxyType(found)


def _line_part(expression: Resource) -> LinePart | None:
    """Return how a fact stands in the line about the patient, None when it does not."""
    for extension in extensions_at(expression, PATIENT_LINE):
        parts = parts_of(extension)
        return LinePart(
            position=int(parts.get("position", {}).get("valuePositiveInt", 0)),
            is_labelled=parts.get("form", {}).get("valueCode") == "labelled",
            unit=str(parts.get("unit", {}).get("valueString", "")),
            is_missed=parts.get("missing", {}).get("valueBoolean") is True,
            when=str(parts.get("when", {}).get("valueString", "")),
            seen=str(parts.get("seen", {}).get("valueString", "")),
            is_decision=parts.get("decision", {}).get("valueBoolean") is True,
        )
    return None


@cache
def _as_words(name: str) -> str:
    """Return the name of a fact as words: `dueDate` is `due date`."""
    text = _HUMP.sub(" ", name.lstrip("_")).replace("-", " ")
    return " ".join(
        part if part.isupper() and len(part) > 1 else part.lower() for part in text.split()
    )


def _left_out(extensions: Any) -> Iterator[LeftOut]:
    """Yield what the reader is to be told of data that did not count."""
    for extension in extensions or ():
        if extension.get("url") == LEFT_OUT:
            parts = parts_of(extension)
            fact = parts.get("fact", {}).get("valueCode")
            sentence = parts.get("sentence", {}).get("valueString")
            if fact and sentence:
                yield LeftOut(str(fact), str(sentence))


def _is_flagged(expression: Resource) -> bool:
    """Tell whether an expression carries the mark of an auxiliary fact."""
    return any(
        extension.get("valueBoolean") is not False
        for extension in extensions_at(expression, AUXILIARY)
    )
