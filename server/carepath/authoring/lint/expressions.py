"""Rules on FHIRPath expressions: they compile, read names that exist, and fit their types.

https://hl7.org/fhirpath/
"""

import re
from collections.abc import Iterable, Iterator

from carepath.apply.compile.names import STANDARD_NAMES
from carepath.apply.languages import LANGUAGES
from carepath.authoring.lint.names import names_of
from carepath.authoring.lint.walk import actions, every_expression, expressions, parse
from carepath.authoring.lint.wording import meant
from carepath.errors import EvaluationError, ExpressionError
from carepath.fhirpath.functions import FUNCTIONS
from carepath.fhirpath.nodes import Call, walk
from carepath.issues import Issue
from carepath.knowledge import Knowledge
from carepath.resources import Resource

ALWAYS_KNOWN = STANDARD_NAMES | {
    *("context", "resource", "rootResource", "ucum", "sct", "loinc", "terminologies", "factory")
}
ALTERNATIVE = "http://hl7.org/fhir/StructureDefinition/cqf-alternativeExpression"
_NAMED_URL = re.compile(r"^(vs|ext)-")
# With two codings, `coding.code = 'x'` compares two values with one: never true.
_CODE_TRAP = re.compile(r"\bcoding\.(?:code|system|display)\s*(?:!?[=~]|[<>])")
_LITERALS = re.compile(r"'(?:[^'\\]|\\.)*'")
_ELSEWHERE = (
    ("==", "FHIRPath writes `=`, not `==`."),
    ("<>", "FHIRPath writes `!=`, not `<>`."),
    ("&&", "FHIRPath writes `and`, not `&&`."),
    ("||", "FHIRPath writes `or`, not `||`."),
    ("!", "FHIRPath writes `x.not()`, not `!x`."),
    ("\u2018", "Quotation marks are plain: `'`, not `\u2018` or `\u2019`."),
    ("\u2019", "Quotation marks are plain: `'`, not `\u2018` or `\u2019`."),
    ("\u201c", "A text stands in plain single quotation marks: `'`."),
    ('"', "A text stands in single quotation marks: `'`."),
)
_EVALUATED = frozenset({"PlanDefinition", "ActivityDefinition", "Library"})


def is_in_a_known_language(definition: Resource, knowledge: Knowledge) -> Iterator[Issue]:
    """Every expression that would be evaluated is in a language that the engine knows."""
    if definition["resourceType"] not in _EVALUATED:
        return
    for path, expression in every_expression(definition):
        language = expression.get("language")
        if language in LANGUAGES or _has_alternative(expression):
            continue
        text = (
            f"The language `{language}` is not evaluated, so this would never be decided; write "
            "FHIRPath with the language `text/fhirpath`, here or in the extension "
            "cqf-alternativeExpression."
        )
        yield Issue("error", "not-supported", text, (f"{path}.language",))


def compiles(definition: Resource, knowledge: Knowledge) -> Iterator[Issue]:
    """Every FHIRPath expression is one."""
    for path, expression in expressions(definition):
        try:
            parse(expression.get("expression", ""))
        except ExpressionError as error:
            text = f"No FHIRPath: {error}{_hint(expression.get('expression', ''))}"
            yield Issue("error", "invalid", text, (f"{path}.expression",))


def reads_what_exists(definition: Resource, knowledge: Knowledge) -> Iterator[Issue]:
    """Every `%name` is a fact, a parameter, a data requirement or a variable of the engine."""
    known = ALWAYS_KNOWN | set(names_of(definition, knowledge).entries)
    for path, expression in expressions(definition):
        try:
            names = parse(expression.get("expression", "")).variables
        except ExpressionError:
            continue  # the rule above tells
        for name in sorted(names - known):
            if not _NAMED_URL.match(name):
                text = f"There is no fact, parameter or variable `%{name}`.{_remedy(name, known)}"
                yield Issue("error", "not-found", text, (f"{path}.expression",))


def _hint(text: str) -> str:
    """Return how FHIRPath writes what other languages write otherwise, nothing for other faults."""
    outside = _LITERALS.sub("''", text)
    found = next((told for sign, told in _ELSEWHERE if sign in outside), "")
    return f"\n  {found}" if found else ""


def _remedy(name: str, known: Iterable[str]) -> str:
    return meant(name, known) or (
        " A fact stands in a Library (extension `fact`) that `library` names, data in its"
        " `dataRequirement` with an id."
    )


def calls_what_exists(definition: Resource, knowledge: Knowledge) -> Iterator[Issue]:
    """Every function that an expression calls exists."""
    for path, expression in expressions(definition):
        try:
            nodes = list(walk(parse(expression.get("expression", "")).ast))
        except ExpressionError:
            continue
        unknown = {n.name for n in nodes if isinstance(n, Call) and n.name not in FUNCTIONS}
        for name in sorted(unknown):
            text = f"There is no function `{name}()`.{meant(name, FUNCTIONS)}"
            yield Issue("error", "not-found", text, (f"{path}.expression",))


def fits_its_types(definition: Resource, knowledge: Knowledge) -> Iterator[Issue]:
    """Elements, arguments and comparisons fit the types of the data and facts they are about."""
    names = names_of(definition, knowledge)
    for path, expression in expressions(definition):
        try:
            names.kinds_of(expression.get("expression", ""))
        except EvaluationError as error:
            if not error.reason.startswith("there is no function"):
                text = f"`{error.at}` cannot be right: {error.reason}."
                yield Issue("error", "business-rule", text, (f"{path}.expression",))
        except ExpressionError:
            continue


def is_yes_or_no(definition: Resource, knowledge: Knowledge) -> Iterator[Issue]:
    """A condition gives true or false: anything else leaves its action undetermined."""
    names = names_of(definition, knowledge)
    for path, action in actions(definition):
        for index, condition in enumerate(action.get("condition") or ()):
            expression = condition.get("expression") or {}
            try:
                found = names.kinds_of(expression.get("expression", ""))
            except ExpressionError:
                continue
            if found.types and not found.types & {"System.Boolean", "FHIR.boolean"}:
                given = ", ".join(sorted(found.types))
                text = f"The condition gives {given}, never true or false; compare it with a value."
                place = f"{path}.condition[{index}].expression.expression"
                yield Issue("error", "business-rule", text, (place,))


def compares_no_collection_of_codes(definition: Resource, knowledge: Knowledge) -> Iterator[Issue]:
    """No expression compares `coding.code` with one value: it fails for two codings."""
    for path, expression in expressions(definition):
        if _CODE_TRAP.search(expression.get("expression", "")):
            text = (
                "Two codings make this comparison empty; write coding.where(code = 'x').exists()."
            )
            yield Issue("error", "business-rule", text, (f"{path}.expression",))


def _has_alternative(expression: Resource) -> bool:
    return any(
        part.get("url") == ALTERNATIVE
        and (part.get("valueExpression") or {}).get("language") in LANGUAGES
        for part in expression.get("extension") or ()
    )
