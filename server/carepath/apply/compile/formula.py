"""One Expression element of a definition, compiled: or the reason why it cannot be evaluated.

https://hl7.org/fhir/R4/metadatatypes.html#Expression
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from carepath.apply.issues import issue_of
from carepath.apply.languages import (
    CompiledExpression,
    ExpressionLanguage,
    WithTrace,
    WithTree,
    WithTruth,
)
from carepath.errors import CarepathError, ExpressionError, UnsupportedFeature
from carepath.fhirpath import Environment, Known, Node, Traced
from carepath.fhirpath.functions import FUNCTIONS
from carepath.fhirpath.functions.row import Argument
from carepath.fhirpath.nodes import Ast, Call, Member, Special, Variable, children, walk
from carepath.issues import Issue
from carepath.resources import Resource

ALTERNATIVE = "http://hl7.org/fhir/StructureDefinition/cqf-alternativeExpression"

_NOT_KNOWN = frozenset({""})
"""A name that nobody has."""

_NO_TEXT = "An expression without text"
_FOCUS = frozenset({"context", "patient", "resource", "rootResource", "subject"})
_PEOPLE = frozenset({"encounter", "organization", "practitioner"})
_OF_REFERENCE = frozenset({"display", "extension", "id", "identifier", "reference", "type"})
Evaluate = Callable[[Any, Any], Sequence[Any]]


class Formula:
    """An expression ready to be evaluated on a focus in an environment.

    `text` is shown to people; `variables` are the names it reads, in the order of the text;
    `decide` is a quicker `evaluate` for what can only be true or false, `variable` the name when
    the expression is nothing but a variable; `reads_variables_only` tells that nothing else
    contributes to its value; `tree` and `trace` are None where the language has none;
    `error` says why it cannot be evaluated, and is None when it can.
    """

    __slots__ = (
        "_names",
        "compared",
        "compiled",
        "decide",
        "elements_read",
        "error",
        "evaluate",
        "evaluate_known",
        "evaluate_nodes",
        "mistake",
        "parts",
        "people_read",
        "reads_variables_only",
        "text",
        "trace",
        "tree",
        "variable",
        "variables",
    )

    text: str
    variables: tuple[str, ...]
    reads_variables_only: bool
    parts: dict[int, Any]
    """Parts of the expression that were looked at on their own, by the `id()` of their node."""
    compared: dict[str, tuple[Any, ...]]
    """The literals that a variable is compared with, by its name, once they were looked for."""
    mistake: tuple[str, str] | None
    """What is never right for any patient, and why; empty for nothing, None until looked for."""
    decide: Callable[[Any, Any], bool | None] | None
    variable: str
    people_read: tuple[str, ...]
    """The variables for people and places of which it reads more than a Reference has."""
    elements_read: tuple[str, ...]
    """The names that are read of the focus, by themselves or behind a variable that is it."""
    _names: frozenset[str]
    error: CarepathError | RecursionError | None
    compiled: CompiledExpression | None
    tree: Ast | None
    trace: Callable[[Known, Environment], Traced] | None
    evaluate: Evaluate
    evaluate_nodes: Callable[[Any, Any], Sequence[Node]]
    evaluate_known: Callable[[Any, Any], Known]

    def __init__(self, element: Resource, languages: Mapping[str, ExpressionLanguage]) -> None:
        """Compile an Expression element; an alternative in a known language stands in for it."""
        self.text = str(element.get("expression") or element.get("reference") or "")
        self.variables = ()
        self._names = _NOT_KNOWN
        self.reads_variables_only = False
        self.error = None
        self.compiled = None
        self.tree = None
        self.trace = None
        self.decide = None
        self.parts = {}
        self.compared = {}
        self.mistake = None
        self.variable = ""
        self.elements_read = ()
        self.people_read = ()
        self.evaluate = self.evaluate_nodes = self.evaluate_known = _refuse
        chosen = _in_known_language(element, languages)
        if chosen is None:
            what = f"The expression language `{element.get('language')}`"
            if "expression" not in element:
                is_elsewhere = "reference" in element
                what = "An expression that is only referred to" if is_elsewhere else _NO_TEXT
            self.error = UnsupportedFeature(self.text, what, self.text)
            return
        self.text = str(chosen["expression"])
        language = languages[chosen["language"]]
        try:
            compiled = language.compile(self.text)
        except (ExpressionError, RecursionError) as error:
            self.error = error
            return
        self.compiled = compiled
        self.variables = tuple(sorted(compiled.variables, key=self._place))
        self._names = frozenset(self.variables)
        self._take_abilities(compiled)
        self.evaluate = compiled.evaluate
        self.evaluate_nodes = compiled.evaluate_nodes
        self.evaluate_known = compiled.evaluate_known

    def _take_abilities(self, compiled: CompiledExpression) -> None:
        """Take what the language of an expression can do beside evaluating it."""
        if isinstance(compiled, WithTree):
            tree = self.tree = compiled.ast
            self.reads_variables_only = not _reads_elsewhere(tree)
            self.elements_read = tuple(dict.fromkeys(_elements_read(tree)))
            if not self._names.isdisjoint(_PEOPLE):
                self.people_read = tuple(dict.fromkeys(_people_read(tree)))
            self.variable = tree.name if isinstance(tree, Variable) else ""
        if isinstance(compiled, WithTrace):
            self.trace = partial(compiled.trace, paths=False)
        if isinstance(compiled, WithTruth) and compiled.is_condition:
            self.decide = compiled.decide

    def variables_are_in(self, entries: Mapping[str, Any]) -> bool:
        """Tell whether all names that the expression reads are among these."""
        return self._names <= entries.keys()

    @property
    def problem(self) -> Issue | None:
        """Return the issue of an expression that cannot be evaluated."""
        return None if self.error is None else issue_of(self.error)

    def _place(self, name: str) -> tuple[int, str]:
        """Return where a variable stands first in the text."""
        places = [self.text.find(form) for form in (f"%{name}", f"%`{name}`", f"%'{name}'")]
        return min((p for p in places if p >= 0), default=len(self.text)), name


def _reads_elsewhere(node: Ast) -> bool:
    """Tell whether an expression reads its focus, or follows references to other resources."""
    if isinstance(node, Special) or (isinstance(node, Member) and node.source is None):
        return True
    if isinstance(node, Call):
        return _call_reads_elsewhere(node)
    return any(_reads_elsewhere(child) for child in children(node))


def _call_reads_elsewhere(node: Call) -> bool:
    function = FUNCTIONS.get(node.name)
    if function is None or _follows(node):
        return True
    if node.source is None:
        return not function.stands_alone or any(map(_reads_elsewhere, node.arguments))
    pairs = zip(function.arguments, node.arguments, strict=False)
    return _reads_elsewhere(node.source) or any(_elsewhere_in(row, each) for row, each in pairs)


def _elsewhere_in(row: Argument, argument: Ast) -> bool:
    """Tell it of an argument; in many a bare name is an element of what stands before the call."""
    if row.on == "call":
        return _reads_elsewhere(argument)
    return row.on != "nothing" and any(map(_follows, walk(argument)))


def _follows(node: Ast) -> bool:
    """Tell whether a node is a call that gives the resources which references lead to."""
    function = FUNCTIONS.get(node.name) if isinstance(node, Call) else None
    return function is not None and function.gives.of == "targets"


def _elements_read(node: Ast) -> Iterator[str]:
    """Yield the first names of the paths that begin at the focus of an expression."""
    if isinstance(node, Member) and _is_focus(node.source):
        yield node.name
        return
    if not isinstance(node, Call):
        for child in children(node):
            yield from _elements_read(child)
        return
    if node.source is not None:
        yield from _elements_read(node.source)
    function = FUNCTIONS.get(node.name)
    for row, argument in zip(function.arguments if function else (), node.arguments, strict=False):
        if row.on == "call" or (row.on != "nothing" and _is_focus(node.source)):
            yield from _elements_read(argument)


def _people_read(tree: Ast) -> Iterator[str]:
    """Yield the variables for people of which an element is read that a Reference does not have."""
    for node in walk(tree):
        if isinstance(node, Member) and isinstance(node.source, Variable):
            is_of_reference = node.name in _OF_REFERENCE or node.name[:1].isupper()
            if node.source.name in _PEOPLE and not is_of_reference:
                yield node.source.name


def _is_focus(node: Ast | None) -> bool:
    return node is None or (isinstance(node, Variable) and node.name in _FOCUS)


def _refuse(*_: Any) -> Any:
    """Stand in for what could not be compiled; callers look at `error` first."""
    raise UnsupportedFeature("", "An expression that does not compile")


def _in_known_language(
    element: Resource, languages: Mapping[str, ExpressionLanguage]
) -> Resource | None:
    """Return the element, or an alternative that it carries, in a language that is known."""
    candidates = [element]
    for extension in element.get("extension") or ():
        if extension.get("url") == ALTERNATIVE:
            candidates.append(extension.get("valueExpression") or {})
    for candidate in candidates:
        if candidate.get("language") in languages and candidate.get("expression"):
            return candidate
    return None
