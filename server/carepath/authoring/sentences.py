"""The sentences of plans, actions and activities, and the statements that each of them rests on.

A CodeSystem lists them: one concept for each sentence, whose code is the sentence itself; the
property `STATEMENT` names a statement that says it, the property `KIND` why it needs none. A
CodeSystem holds sentences when it declares the property `STATEMENT`; its name is free.
https://hl7.org/fhir/R4/codesystem-definitions.html#CodeSystem.property.uri
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from carepath.authoring.statements import concepts_with, declares, labels_of
from carepath.knowledge import Knowledge
from carepath.resources import Resource, codings

STATEMENT = "https://carepath.example/fhir/sentence#statement"
KIND = "https://carepath.example/fhir/sentence#kind"
RATIONALE = "http://hl7.org/fhir/uv/cpg/StructureDefinition/cpg-rationale"
FOR_PATIENTS = "https://carepath.example/fhir/StructureDefinition/patient-text"

RATIONALE_TEXT = "rationale"
PATIENT_TEXT = "patient text"
MESSAGE = "message"
DESCRIPTION = "description"
ABOUT = "about"

WITHOUT_STATEMENT: Mapping[str, frozenset[str]] = {
    "outline": frozenset({ABOUT, DESCRIPTION}),
    "record": frozenset({ABOUT, DESCRIPTION, MESSAGE}),
    "house": frozenset({ABOUT, DESCRIPTION, MESSAGE}),
}
"""The kinds of sentence that make no clinical claim, with the texts in which they may stand.

An `outline` says what a definition holds, `record` what the data say, lack or should say, `house`
what this project decided because no source does. A rationale and a text for patients are claims.
"""

_SENTENCE_END = re.compile(r"(?<=[.?!])\s+(?=[A-Z0-9])")
_LITERAL = re.compile(r"'((?:[^'\\]|\\.)*)'")
_WORDS = re.compile(r"\w[^\s]*\s+\S*\w")
_WORD = re.compile(r"[^\W\d_]{2}")
_GAPS = re.compile(r"%(gaps|questions)\b")


@dataclass(frozen=True)
class Sentence:
    """One sentence of a definition: the place, the kind of text, and what its element cites."""

    words: str
    path: str
    text: str
    cited: frozenset[str]


@dataclass(frozen=True)
class Source:
    """What a CodeSystem of sentences says of one: statements, or the kind that needs none."""

    statements: tuple[str, ...] = ()
    kind: str = ""


def is_sentence_system(definition: Resource) -> bool:
    """Tell whether a definition is a CodeSystem of sentences."""
    return declares(definition, STATEMENT)


def sources_by_sentence(knowledge: Knowledge) -> dict[str, Source]:
    """Return what is said of each listed sentence, in the order of the systems."""
    concepts = concepts_with(knowledge, STATEMENT)
    return {words: _source(concept) for words, concept in concepts.items()}


def sentences_of(definition: Resource) -> Iterator[Sentence]:
    """Yield the sentences of a PlanDefinition or an ActivityDefinition, in its order."""
    reader = _READERS.get(definition["resourceType"])
    if reader is not None:
        yield from reader(definition)


def _source(concept: Resource) -> Source:
    parts = concept.get("property") or ()
    values = [(part.get("code"), part.get("valueCode", "")) for part in parts]
    return Source(
        tuple(value for code, value in values if code == "statement"),
        next((value for code, value in values if code == "kind"), ""),
    )


def _plan(plan: Resource) -> Iterator[Sentence]:
    cited = labels_of(plan)
    for key in ("description", "purpose"):
        yield from _split(plan.get(key), f"PlanDefinition.{key}", ABOUT, cited)
    for index, goal in enumerate(plan.get("goal") or ()):
        path = f"PlanDefinition.goal[{index}].description.text"
        yield from _split(goal["description"].get("text"), path, DESCRIPTION, labels_of(goal))
    yield from _actions(plan, "PlanDefinition")


def _actions(element: Resource, path: str) -> Iterator[Sentence]:
    for index, action in enumerate(element.get("action") or ()):
        place = f"{path}.action[{index}]"
        if not _asks_for_data(action):
            yield from _texts(action, place, MESSAGE, labels_of(action))
            yield from _extension(action, RATIONALE, place, RATIONALE_TEXT)
        yield from _actions(action, place)


def _asks_for_data(action: Resource) -> bool:
    """Tell whether an action only asks for missing data: it reads what is asked."""
    conditions = action.get("condition") or ()
    return any(_GAPS.search((c.get("expression") or {}).get("expression", "")) for c in conditions)


def _activity(activity: Resource) -> Iterator[Sentence]:
    message = PATIENT_TEXT if _teaches(activity) else MESSAGE
    yield from _texts(activity, "ActivityDefinition", message, labels_of(activity))
    yield from _extension(activity, FOR_PATIENTS, "ActivityDefinition", PATIENT_TEXT)


def _teaches(activity: Resource) -> bool:
    """Tell whether the message of an activity is meant for the patient: its topic is education."""
    return any(
        coding.get("code") == "education"
        for topic in activity.get("topic") or ()
        for coding in codings(topic)
    )


def _texts(element: Resource, path: str, message: str, cited: frozenset[str]) -> Iterator[Sentence]:
    for key in ("description", "textEquivalent"):
        yield from _split(element.get(key), f"{path}.{key}", DESCRIPTION, cited)
    for index, value in enumerate(element.get("dynamicValue") or ()):
        place = f"{path}.dynamicValue[{index}].expression"
        for literal in _LITERAL.findall((value.get("expression") or {}).get("expression", "")):
            if _WORDS.search(literal):
                yield from _split(literal.replace("\\'", "'"), place, message, cited)


def _extension(element: Resource, url: str, path: str, text: str) -> Iterator[Sentence]:
    """Yield the sentences of the extensions with a URL."""
    for index, extension in enumerate(element.get("extension") or ()):
        if extension.get("url") == url:
            words = extension.get("valueMarkdown") or extension.get("valueString")
            yield from _split(words, f"{path}.extension[{index}]", text, labels_of(element))


def _split(value: str | None, path: str, text: str, cited: frozenset[str]) -> Iterator[Sentence]:
    for words in _SENTENCE_END.split(" ".join((value or "").split())):
        if _WORD.search(words):
            yield Sentence(words, path, text, cited)


_READERS = {"PlanDefinition": _plan, "ActivityDefinition": _activity}
