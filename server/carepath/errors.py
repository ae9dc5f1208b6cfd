"""Every error that Carepath raises on purpose, each with fields and a full sentence.

CarepathError
├── InputError                 what the caller sent cannot be used
│   ├── MalformedInput         not JSON/XML, or breaks a limit (where, reason)
│   ├── InvalidParameter       an operation parameter (name, value, expected)
│   ├── InvalidResource        a resource breaks the specification (issues)
│   ├── SubjectNotFound        the subject is not in the data (reference)
│   └── ExportFailed           a server does not give what was asked of it (host, reason)
│   └── CodeNotFound           a code system has no such code (system, code)
├── ContentError               a definition cannot be used
│   ├── DefinitionNotFound     no such definition (resource_type, id)
│   ├── UnresolvedCanonical    a canonical leads nowhere (canonical, wanted_by)
│   ├── CyclicDefinition       definitions refer to each other (chain)
│   ├── InvalidTemplate        a template of a page is broken (template, reason)
│   ├── NoRequest              an activity makes no request (canonical, issues)
│   └── InvalidContent         a definition is broken (source, element, reason)
│       └── ContentTooLarge    it leads to more than can be applied
├── ExpressionError            an expression cannot be used (expression)
│   ├── ExpressionSyntaxError  it cannot be parsed (column, expected)
│   ├── EvaluationError        it cannot be evaluated (at, reason)
│   └── UnsupportedFeature     it needs what this engine does not do (what, where)
├── MissingLibrary             a library is not installed (what, library, extra)
└── RunStopped                 a run over many patients cannot go on now (folder, reason)

Only `web/http/outcomes.py` turns them into HTTP, only `command/refusing.py` into exit codes.  The
classes are plain, not frozen, dataclasses: a frozen exception cannot carry a traceback.
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Sequence

    from carepath.issues import Issue


class CarepathError(Exception):
    """The root of all errors of this package."""

    sentence: ClassVar[str] = ""
    """What the error says, its fields in braces; a class whose words depend says them itself."""

    def __str__(self) -> str:
        return self.sentence.format_map(vars(self)) if self.sentence else super().__str__()

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle by the fields; Python would call the class with what was given by position."""
        return _again, (type(self), self.args, vars(self))


def _again(
    kind: type[CarepathError], args: tuple[object, ...], fields: dict[str, object]
) -> CarepathError:
    error = kind.__new__(kind, *args)
    vars(error).update(fields)
    return error


class InputError(CarepathError):
    """What the caller sent cannot be used."""


@dataclass(eq=False)
class MalformedInput(InputError):
    """The bytes are not JSON or XML, or exceed a limit; `where` is a place such as `line 3`."""

    reason: str
    where: str = ""

    def __str__(self) -> str:
        place = f" ({self.where})" if self.where else ""
        return f"The input cannot be read{place}: {self.reason}."


@dataclass(eq=False)
class InvalidParameter(InputError):
    """An operation parameter is missing, unknown or has the wrong value."""

    name: str
    value: object
    expected: str

    def __str__(self) -> str:
        if self.value is None:
            return f"The parameter `{self.name}` is missing; expected {self.expected}."
        return f"The parameter `{self.name}` is `{self.value}`; expected {self.expected}."


@dataclass(eq=False)
class InvalidResource(InputError):
    """A resource breaks the specification; every problem is listed."""

    issues: "Sequence[Issue]"

    def __str__(self) -> str:
        return " ".join(issue.diagnostics for issue in self.issues) or "The resource is invalid."


@dataclass(eq=False)
class SubjectNotFound(InputError):
    """The subject of an operation is not among the data."""

    sentence = "The subject `{reference}` is not in the data that was sent."
    reference: str


@dataclass(eq=False)
class OtherSubject(InputError):
    """A plan is for subjects of other types than the one it was to be applied to."""

    sentence = "The plan `{canonical}` is for a subject of type {expected}, not {found}."
    canonical: str
    expected: str
    found: str


@dataclass(eq=False)
class ExportFailed(InputError):
    """A server does not export what was asked of it; what was fetched until then is kept."""

    sentence = (
        "The export of `{host}` has failed: {reason}. What was fetched is kept in `{folder}`, and "
        "the same command goes on."
    )
    host: str
    reason: str
    folder: str = ""


class ContentError(CarepathError):
    """A definition cannot be used."""


@dataclass(eq=False)
class CodeNotFound(InputError):
    """A code system has no such code."""

    sentence = "The code system `{system}` has no code `{code}` here."
    system: str
    code: str


@dataclass(eq=False)
class DefinitionNotFound(ContentError):
    """There is no definition of this type with this id or canonical."""

    sentence = "The {resource_type} with id or canonical `{id}` was not found."
    resource_type: str
    id: str


@dataclass(eq=False)
class UnresolvedCanonical(ContentError):
    """A canonical inside a definition leads nowhere."""

    sentence = "The canonical `{canonical}`, wanted by `{wanted_by}`, was not found."
    canonical: str
    wanted_by: str


@dataclass(eq=False)
class CyclicDefinition(ContentError):
    """Definitions that refer to each other in a circle; `chain` starts and ends the same."""

    chain: tuple[str, ...]

    def __str__(self) -> str:
        return f"The definitions refer to each other in a circle: {' -> '.join(self.chain)}."


@dataclass(eq=False)
class InvalidTemplate(ContentError):
    """A template of a page cannot be used; it is the deployment's, not the caller's."""

    sentence = "The template `{template}` cannot be used: {reason}."
    template: str
    reason: str


@dataclass(eq=False)
class NoRequest(ContentError):
    """An ActivityDefinition makes no request for this patient; the issues say why."""

    canonical: str
    issues: "Sequence[Issue]"

    def __str__(self) -> str:
        told = " ".join(issue.diagnostics for issue in self.issues if issue.is_error)
        return told or f"No request can be made of `{self.canonical}`."


@dataclass(eq=False)
class InvalidContent(ContentError):
    """A definition is broken: `source` is a file or canonical, `element` a FHIRPath."""

    sentence = "`{source}` is broken at `{element}`: {reason}."
    source: str
    element: str
    reason: str
    issues: "Sequence[Issue]" = ()
    """Everything that is wrong, where more is known than the first."""


@dataclass(eq=False)
class ContentTooLarge(InvalidContent):
    """A definition leads to more than can be applied; neither can what leads to it."""


@dataclass(eq=False)
class ExpressionError(CarepathError):
    """An expression cannot be parsed, compiled or evaluated."""

    expression: str


@dataclass(eq=False)
class ExpressionSyntaxError(ExpressionError):
    """The text is no expression; `column` counts from 1."""

    column: int
    expected: str

    def __str__(self) -> str:
        line, place = _line_of(self.expression, self.column)
        caret = " " * (place - 1) + "^"
        return f"Expected {self.expected} at column {self.column}.\n  {line}\n  {caret}"


@dataclass(eq=False)
class EvaluationError(ExpressionError):
    """The expression cannot be evaluated; `at` is the sub-expression or element concerned."""

    at: str
    reason: str
    element: str = field(default="")

    def __str__(self) -> str:
        place = f" on `{self.element}`" if self.element else ""
        return f"`{self.at}`{place} in `{self.expression}`: {self.reason}."


@dataclass(eq=False)
class UnsupportedFeature(ExpressionError):
    """The expression or definition needs something this engine does not do."""

    what: str
    where: str = ""

    def __str__(self) -> str:
        place = f" (in `{self.where}`)" if self.where else ""
        return f"{self.what} is not supported{place}."


@dataclass(eq=False)
class MissingLibrary(CarepathError):
    """Something needs a library that an extra of the package brings."""

    sentence: ClassVar[str] = (
        "{what} need the library `{library}`, which is not installed: "
        "run `pip install 'carepath[{extra}]'`."
    )

    what: str
    library: str
    extra: str


@dataclass(eq=False)
class RunStopped(CarepathError):
    """A run over many patients had to stop; what is done stays, and the run can go on later."""

    sentence = (
        "The run in `{folder}` has stopped: {reason}. What is done is kept; `--resume` goes on."
    )
    folder: str
    reason: str


def _line_of(text: str, column: int) -> tuple[str, int]:
    """Return the line of `text` that holds `column`, and the column within that line."""
    before = text[: column - 1]
    start = before.rfind("\n") + 1
    end = text.find("\n", column - 1)
    return text[start : end if end >= 0 else len(text)], column - start
