"""Rules on FHIRPath expressions: they compile, read names that exist, and avoid known traps.

https://hl7.org/fhirpath/
"""

import re
from collections.abc import Iterable, Iterator

from carepath.authoring.lint.walk import actions, elements, expressions
from carepath.errors import ExpressionError
from carepath.fhirpath import parse
from carepath.issues import Issue
from carepath.knowledge import Knowledge
from carepath.resources import Resource

ALWAYS_KNOWN = frozenset(
    {
        *("subject", "patient", "encounter", "practitioner", "organization", "context"),
        *(
            "resource",
            "rootResource",
            "action",
            "now",
            "gaps",
            "questions",
            "laterQuestions",
            "unread",
        ),
        *("ucum", "sct", "loinc", "terminologies", "factory"),
    }
)
_NAMED_URL = re.compile(r"^(vs|ext)-")
_FACT_URLS = (
    "https://carepath.example/fhir/StructureDefinition/fact",
    "http://hl7.org/fhir/StructureDefinition/variable",
)
# With two codings, `coding.code = 'x'` compares two values with one: never true.
_CODE_TRAP = re.compile(r"\bcoding\.(?:code|system|display)\s*(?:!?[=~]|[<>])")


def compiles(definition: Resource, knowledge: Knowledge) -> Iterator[Issue]:
    """Every FHIRPath expression is one."""
    for path, expression in expressions(definition):
        try:
            parse(expression.get("expression", ""))
        except ExpressionError as error:
            yield Issue("error", "invalid", f"No FHIRPath: {error}", (f"{path}.expression",))


def reads_what_exists(definition: Resource, knowledge: Knowledge) -> Iterator[Issue]:
    """Every `%name` is a fact, a parameter, a data requirement or a variable of the engine."""
    known = ALWAYS_KNOWN | set(_names_for(definition, knowledge))
    for path, expression in expressions(definition):
        try:
            names = parse(expression.get("expression", "")).variables
        except ExpressionError:
            continue  # the rule above tells
        for name in sorted(names - known):
            if not _NAMED_URL.match(name):
                text = f"There is no fact, parameter or variable `%{name}`."
                yield Issue("error", "not-found", text, (f"{path}.expression",))


def compares_no_collection_of_codes(definition: Resource, knowledge: Knowledge) -> Iterator[Issue]:
    """No expression compares `coding.code` with one value: it fails for two codings."""
    for path, expression in expressions(definition):
        if _CODE_TRAP.search(expression.get("expression", "")):
            text = (
                "Two codings make this comparison empty; write coding.where(code = 'x').exists()."
            )
            yield Issue("error", "business-rule", text, (f"{path}.expression",))


def _names_for(definition: Resource, knowledge: Knowledge) -> Iterator[str]:
    """Yield the names that a definition brings, with those of its libraries."""
    yield from _names_in(definition)
    for canonical in _libraries(definition):
        library = knowledge.find(canonical, definition)
        if library is not None and library is not definition:
            yield from _names_in(library)


def _libraries(definition: Resource) -> Iterable[str]:
    named = definition.get("library") or ()
    return [named] if isinstance(named, str) else named


def _names_in(definition: Resource) -> Iterator[str]:
    """Yield the names of facts, variables, parameters and data requirements."""
    for _, key, value in elements(definition, ""):
        if key == "extension" and isinstance(value, list):
            for extension in value:
                if extension.get("url") in _FACT_URLS:
                    yield extension["valueExpression"]["name"]
    for parameter in definition.get("parameter") or ():
        yield parameter["name"]
    requirements = definition.get("dataRequirement") or ()
    inputs = [entry for _, action in actions(definition) for entry in action.get("input", ())]
    yield from (entry["id"] for entry in (*requirements, *inputs) if "id" in entry)
