"""Tracing, variables and the clock.

https://hl7.org/fhirpath/#utility-functions
"""

from collections.abc import Callable
from datetime import datetime

from carepath.fhirpath.functions.row import (
    EACH,
    ITEMS,
    VALUE,
    WITHIN,
    Compiler,
    Function,
    Result,
    Table,
)
from carepath.fhirpath.functions.table import located
from carepath.fhirpath.nodes import Call
from carepath.fhirpath.values.access import many
from carepath.fhirpath.values.context import Context, Evaluator
from carepath.fhirpath.values.failure import Failure
from carepath.fhirpath.values.results import one_text
from carepath.fhirpath.values.standard_variables import RESERVED
from carepath.fhirpath.values.temporal import Date, DateTime, Moment, Time
from carepath.fhirpath.values.types import SYSTEM, Item, Items


def _trace(compiler: Compiler, node: Call) -> Evaluator:
    source, label = compiler.source(node), compiler.items(node.arguments[0])
    shown = compiler.in_loop(compiler.items, node.arguments[1]) if len(node.arguments) > 1 else None

    def evaluate(context: Context, this: Item) -> Items:
        items = source(context, this)
        tell = context.environment.on_trace
        if tell is not None:
            seen = items
            if shown is not None:
                seen = [each for item in items for each in shown(context, item)]
            tell(one_text(label(context, this)) or "", [item[0] for item in seen])
        return items

    return evaluate


def _define_variable(compiler: Compiler, node: Call) -> Evaluator:
    source = compiler.source(node)
    label = compiler.items(node.arguments[0])
    value = compiler.items(node.arguments[1]) if len(node.arguments) > 1 else None

    def evaluate(context: Context, this: Item) -> Items:
        items = source(context, this)
        try:
            name = one_text(label(context, this))
            if name is None:
                raise Failure("a variable needs a name", items)
            if name in RESERVED or name in context.scope:
                raise Failure(f"`%{name}` is defined already", items)
            found = items if value is None else value(context, many(items))
        except Failure as failure:
            raise located(failure, node, items) from None
        context.scope = {**context.scope, name: found}
        return items

    return evaluate


def _clock(kind: str) -> Evaluator:
    def evaluate(context: Context, _: Item) -> Items:
        cached = context.roots.get(f"{kind}()")
        if cached is None:
            value = _CLOCKS[kind](context.environment.now)
            cached = context.roots[f"{kind}()"] = [(value, SYSTEM[kind])]
        return cached

    return evaluate


_CLOCKS: dict[str, Callable[[datetime], Moment]] = {
    "DateTime": DateTime.of,
    "Date": lambda now: Date((now.year, now.month, now.day)),
    "Time": lambda now: Time(DateTime.of(now).fields[3:]),
}


def _clock_row(kind: str) -> Function:
    evaluate = _clock(kind)

    def build(compiler: Compiler, node: Call) -> Evaluator:
        del compiler, node
        return evaluate

    return Function(build, gives=Result(f"System.{kind}"), stands_alone=True)


FUNCTIONS: Table = {
    "trace": Function(_trace, (VALUE, EACH), 1, ITEMS, effect="heard"),
    "defineVariable": Function(_define_variable, (VALUE, WITHIN), 1, ITEMS, effect="scope"),
    "now": _clock_row("DateTime"),
    "today": _clock_row("Date"),
    "timeOfDay": _clock_row("Time"),
}
