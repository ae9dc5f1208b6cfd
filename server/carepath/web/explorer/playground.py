"""A playground for FHIRPath: expression and resource in, values, tree and trace out.

https://hl7.org/fhirpath/
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from flask import Response

from carepath.errors import (
    CarepathError,
    EvaluationError,
    ExpressionError,
    ExpressionSyntaxError,
    InvalidParameter,
)
from carepath.fhirpath import Allowance, Environment, Expression, Limits, Node, check, parse
from carepath.fhirpath.nodes import Ast, Literal, children
from carepath.fhirpath.syntax.text import text_of
from carepath.resources import Resource
from carepath.web import service
from carepath.web.explorer.examples import examples, text_of_example
from carepath.web.explorer.forms import chosen, fields_of, resource_in
from carepath.web.explorer.json_lines import JsonLine, json_lines
from carepath.web.explorer.pages import page
from carepath.web.explorer.room import Room
from carepath.web.http import outcomes
from carepath.web.http.exchange import current

_LIMITS = Limits(steps=200_000, items=20_000)
_CHARACTERS = 20_000_000
_MOST_SHOWN = 500
"""Values that are shown; how many there are is told."""
_ROOM = 1_000_000
"""Characters of all values that are shown, and of all traces."""
_LONG_PART = 200
_DEEPEST = 12
"""What is deeper is not indented further."""
_LONGEST = 10_000
"""Characters of an expression."""
_DEFAULT = "entry.resource.ofType(Observation).value"
_DETAILS = ("name", "operator", "type")


@dataclass(frozen=True, slots=True)
class Value:
    """One value of a result, its type, and where in the resource it comes from."""

    type: str
    text: str


@dataclass(frozen=True, slots=True)
class TreeRow:
    """A node of the syntax tree, with the part of the expression that it stands for."""

    depth: int
    kind: str
    detail: str
    text: str
    """Empty where it is long."""


@dataclass
class Result:
    """What came of an expression; each part is empty where it did not get so far."""

    values: list[Value] | None = None
    count: int = 0
    traces: list[tuple[str, str]] = field(default_factory=list)
    is_trace_cut: bool = False
    evidence: list[tuple[str, str]] = field(default_factory=list)
    tree: list[TreeRow] = field(default_factory=list)
    warning: str = ""
    """What the static check says, where the expression can be evaluated all the same."""
    error: str = ""
    caret: str = ""
    """The line of the expression that is wrong, with a caret under the place."""
    lines: list[JsonLine] = field(default_factory=list)


def playground() -> Response:
    """Show the form, and the result of the expression where there is one."""
    exchange = current()
    fields = fields_of(exchange)
    text, expression = _text(fields), fields.get("expression", "")
    values: dict[str, Any] = {
        "text": text,
        "expression": expression or _DEFAULT,
        "examples": examples().values(),
        "example": fields.get("example", ""),
    }
    if not expression.strip():
        return page("fhirpath.html", result=None, **values)
    if len(expression) > _LONGEST:
        raise InvalidParameter("expression", f"{len(expression)} characters", f"{_LONGEST} at most")
    with service.current().gate.turn():
        result = _result(expression, resource_in(text, exchange) if text.strip() else [])
    status = outcomes.OK
    if result.error:
        status = outcomes.outcome_of(ExpressionError(expression)).status
    return page("fhirpath.html", status=status, result=result, **values)


def _text(fields: Mapping[str, str]) -> str:
    """Return the resource as text: a file, what was pasted, or an example."""
    name = fields.get("example", "")
    text = chosen(fields, "file", "data")
    if not name or (text and fields.get("shown") == name):
        return text
    return text_of_example(name)


def _result(text: str, resource: Resource | list[Any]) -> Result:
    """Evaluate an expression as far as it goes; what is wrong with it is part of the result."""
    result = Result()
    try:
        expression = parse(text)
        result.tree = list(islice(_rows(expression.ast), _MOST_SHOWN))
        result.warning = _warning(expression, resource)
        _evaluate(expression, resource, result)
    except ExpressionSyntaxError as error:
        result.error, _, result.caret = str(error).partition("\n")
    except EvaluationError as error:
        result.error, result.caret = str(error), _caret(text, error.at)
    except CarepathError as error:
        result.error = str(error)
    except RecursionError:
        result.error = "The expression nests too deep."
    return result


def _caret(text: str, at: str) -> str:
    """Return an expression of one line with a caret under a part of it, empty where it is not."""
    place = text.find(at)
    return f"  {text}\n  {' ' * place}^" if place >= 0 and "\n" not in text else ""


def _evaluate(expression: Expression, resource: Resource | list[Any], result: Result) -> None:
    ours = service.current()
    room = Room(_ROOM)

    def tell(name: str, values: list[Any]) -> None:
        for value in values:
            if result.is_trace_cut or not room.is_left or len(result.traces) == _MOST_SHOWN:
                result.is_trace_cut = True
                return
            result.traces.append((name, room.text_of(value)))

    environment = Environment(
        now=ours.clock(),
        terminology=ours.knowledge.terminology,
        limits=_LIMITS,
        allowance=Allowance(_CHARACTERS),
        on_trace=tell,
    )
    found = expression.trace(resource, environment)
    result.count = len(found.nodes)
    result.values = list(_values(found.nodes[:_MOST_SHOWN]))
    result.evidence = [(p.resource, p.path) for p in found.evidence[:_MOST_SHOWN]]
    if isinstance(resource, list):
        return
    own = resource["resourceType"]
    paths = [p.path for p in found.evidence if p.path.partition(".")[0] == own]
    result.lines = json_lines(resource, paths) if paths and own != "Bundle" else []


def _warning(expression: Expression, resource: Resource | list[Any]) -> str:
    """Return what the static check says of an expression on a resource of this type."""
    if isinstance(resource, list):
        return ""
    try:
        check(expression, str(resource["resourceType"]))
    except CarepathError as error:
        return str(error)
    return ""


def _values(nodes: Iterable[Node]) -> Iterator[Value]:
    """Yield the values that there is room for, the first of them always."""
    room = Room(_ROOM)
    for node in nodes:
        if not room.is_left:
            return
        yield Value(node.type, room.text_of(node.value))


def _rows(root: Ast) -> Iterator[TreeRow]:
    """Yield the nodes of a tree, each before those below it."""
    waiting = [(0, root)]
    while waiting:
        depth, node = waiting.pop()
        text = text_of(node)
        named = (str(getattr(node, name)) for name in _DETAILS if getattr(node, name, None))
        detail = text if isinstance(node, Literal) else " ".join(named)
        shown = text if len(text) <= _LONG_PART else ""
        yield TreeRow(min(depth, _DEEPEST), type(node).__name__, detail, shown)
        waiting += [(depth + 1, child) for child in reversed(children(node))]
