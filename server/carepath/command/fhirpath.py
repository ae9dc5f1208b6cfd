"""`carepath fhirpath`: evaluate an expression on a file, or ask one after another.

https://hl7.org/fhirpath/
"""

import sys
from collections.abc import Callable, Iterator
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import click

from carepath.command.refusing import REFUSED
from carepath.errors import CarepathError, ExpressionSyntaxError
from carepath.fhirpath import Environment, Expression, Node, check, parse
from carepath.fhirpath.nodes import Ast, children
from carepath.fhirpath.syntax.text import text_of
from carepath.formats.json import decode, encode

_HELP = """\
An expression         evaluate it on the file
:ast EXPRESSION       show how it is read
:trace EXPRESSION     show what the result rests on
:let NAME EXPRESSION  keep the result as %NAME
:help, :quit"""


@click.command(name="fhirpath")
@click.argument("expression", required=False)
@click.argument(
    "file", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@click.option("--ast", is_flag=True, help="Show how the expression is read; needs no file.")
@click.option("--trace", is_flag=True, help="Show which resources and elements it rests on.")
@click.option("--check", "checked", is_flag=True, help="Check it against the type of the resource.")
@click.option("--json", "as_json", is_flag=True, help="Print the values as one JSON array.")
@click.option("--repl", is_flag=True, help="Ask for expressions; the only argument is the file.")
@click.option(
    "--var", "variables", multiple=True, metavar="NAME=EXPRESSION", help="Define %NAME; repeatable."
)
@click.option("--now", default=None, metavar="DATETIME", help="The moment of now(), with a zone.")
def fhirpath(expression: str | None, file: Path | None, **options: Any) -> None:
    """Evaluate EXPRESSION on the resource in FILE (JSON or XML).

    Example: carepath fhirpath "entry.resource.ofType(Condition).code.text" bundle.json
    """
    try:
        _run(expression, file, options)
    except ExpressionSyntaxError as error:
        click.echo(str(error), err=True)
        sys.exit(REFUSED)
    except CarepathError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(REFUSED)


def _run(expression: str | None, file: Path | None, options: dict[str, Any]) -> None:
    if options["repl"]:
        if expression is None or file is not None:
            raise click.UsageError("--repl takes the file alone")
        file, expression = Path(expression), None
    elif expression is None:
        raise click.UsageError("give an expression, or --repl and a file")
    session = Session(_read(file) if file is not None else [], _moment(options["now"]))
    for given in options["variables"]:
        name, equals, text = given.partition("=")
        if not equals:
            raise click.UsageError(f"--var {given}: write NAME=EXPRESSION")
        session.let(name, text)
    if expression is None:
        _ask(session)
        return
    for line in session.answer(expression, options):
        click.echo(line)


class Session:
    """A resource, a moment and the variables defined so far."""

    def __init__(self, resource: Any, now: datetime) -> None:
        self.resource = resource
        self.now = now
        self.variables: dict[str, Any] = {}

    def environment(self, shown: list[str] | None = None) -> Environment:
        """Return the environment; what passes `trace()` is added to `shown`."""

        def tell(name: str, values: list[Any]) -> None:
            if shown is not None:
                shown.extend(f"trace {name}: {_text(value)}" for value in values)

        return Environment(now=self.now, variables=dict(self.variables), on_trace=tell)

    def let(self, name: str, text: str) -> None:
        """Keep the result of an expression as a variable."""
        self.variables[name] = parse(text).evaluate_nodes(self.resource, self.environment())

    def answer(self, text: str, options: dict[str, Any]) -> Iterator[str]:
        """Yield the lines that answer one expression."""
        expression = parse(text)
        if options.get("ast"):
            yield from tree(expression.ast)
            return
        if options.get("checked") and isinstance(self.resource, dict):
            check(expression, self.resource["resourceType"])
        traced: list[str] = []
        if options.get("trace"):
            yield from self._evidence(expression)
            return
        nodes = expression.evaluate_nodes(self.resource, self.environment(traced))
        yield from traced
        if options.get("as_json"):
            yield encode([_json(node.value) for node in nodes]).decode()
            return
        yield from result_lines(nodes)

    def _evidence(self, expression: Expression) -> Iterator[str]:
        found = expression.trace(self.resource, self.environment())
        yield from result_lines(found.nodes)
        yield "rests on:" if found.evidence else "rests on nothing in the data"
        for place in found.evidence:
            yield f"  {place.resource or '(value)'}  {place.path}"


def result_lines(nodes: list[Node]) -> Iterator[str]:
    """Yield one line for each value: its type and what it is."""
    if not nodes:
        yield "{ }"
    width = max((len(node.type) for node in nodes), default=0)
    for node in nodes:
        yield f"{node.type:<{width}}  {_text(node.value)}"


def tree(node: Ast, indent: str = "") -> Iterator[str]:
    """Yield the syntax tree, one node a line."""
    kind = type(node).__name__
    detail = getattr(node, "name", None) or getattr(node, "operator", None)
    if kind == "Literal":
        detail = text_of(node)
    type_ = getattr(node, "type", "")
    yield f"{indent}{kind}{f' {detail}' if detail else ''}{f' : {type_}' if type_ else ''}"
    for child in children(node):
        yield from tree(child, indent + "  ")


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f"'{value}'"
    if isinstance(value, dict | list):
        return encode(value).decode()
    return "(no value)" if value is None else str(value)


def _json(value: Any) -> Any:
    return value if isinstance(value, bool | int | str | Decimal | dict) else str(value)


def _read(file: Path) -> Any:
    data = file.read_bytes()
    if data.lstrip()[:1] == b"<":
        from carepath.formats.xml import decode as decode_xml

        return decode_xml(data)
    return decode(data)


def _moment(text: str | None) -> datetime:
    if text is None:
        return datetime.now().astimezone()
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise click.UsageError(f"--now {text}: write 2026-03-31T09:15:00+04:00") from None
    if moment.tzinfo is None:
        raise click.UsageError(f"--now {text} has no time zone")
    return moment


def _ask(session: Session) -> None:
    """Read expressions until the end of the input; an error is shown and the next one read."""
    if sys.stdin.isatty():
        _with_history()
        click.echo("FHIRPath; :help tells what else there is, :quit ends")
    while True:
        try:
            line = input("> " if sys.stdin.isatty() else "").strip()
        except (EOFError, KeyboardInterrupt):
            return
        if line in (":quit", ":q"):
            return
        if line:
            _reply(session, line)


def _with_history() -> None:
    """Let the arrow keys bring back earlier lines where the platform can."""
    try:
        import readline
    except ImportError:
        return
    readline.parse_and_bind("tab: self-insert")


def _reply(session: Session, line: str) -> None:
    command, _, rest = line.partition(" ") if line.startswith(":") else ("", "", line)
    reply = _REPLIES.get(command)
    if reply is None:
        click.echo(f"there is no command {command}; :help lists them")
        return
    try:
        for each in reply(session, rest.strip()):
            click.echo(each)
    except CarepathError as error:
        click.echo(str(error))


def _let(session: Session, rest: str) -> Iterator[str]:
    name, _, text = rest.partition(" ")
    session.let(name, text)
    yield f"%{name}"
    yield from result_lines(session.variables[name])


_REPLIES: dict[str, Callable[[Session, str], Iterator[str]]] = {
    "": lambda session, text: session.answer(text, {}),
    ":ast": lambda session, text: session.answer(text, {"ast": True}),
    ":trace": lambda session, text: session.answer(text, {"trace": True}),
    ":let": _let,
    ":help": lambda _session, _text: iter([_HELP]),
}
