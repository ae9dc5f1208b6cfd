"""How calls of functions are written; a function without a form of its own is called as it is.

https://hl7.org/fhirpath/#functions
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from carepath.fhirpath import patterns
from carepath.fhirpath.functions import FUNCTIONS
from carepath.fhirpath.functions.subsetting import sort_key, sorted_by
from carepath.fhirpath.functions.types import named_type
from carepath.fhirpath.nodes import Ast, Call, Literal, Member, Special
from carepath.fhirpath.run.written.steps import member
from carepath.fhirpath.run.written.writer import Writer
from carepath.fhirpath.values.types import known_type


class Form(NamedTuple):
    """How a function is written, and for how many arguments."""

    emit: Callable[[Writer, Call, str], str]
    least: int
    most: int
    stands_alone: bool = False
    """Whether it is written like this only where nothing stands before it."""

    def takes(self, node: Call) -> bool:
        """Tell whether a call can be written like this."""
        fits = self.least <= len(node.arguments) <= self.most
        return fits and (node.source is None or not self.stands_alone)


def _source(node: Call) -> Any:
    return node.source if node.source is not None else Special("$this", node.at)


def plain_call(writer: Writer, node: Call, this: str) -> str | None:
    """Write a call of the function of a row whose arguments are collections, None for others."""
    function = FUNCTIONS.get(node.name)
    if function is None or function.operate is None or not function.takes(len(node.arguments)):
        return None
    source = writer.items(_source(node), this)
    arguments = [writer.items(argument, this) for argument in node.arguments]
    writer.line(f"if len({source}) > 100: context.spend(len({source}))")
    operate = writer.constant(function.operate)
    return writer.put("v", f"{operate}({', '.join(['context', source, *arguments])})")


def _spend(writer: Writer, source: str) -> None:
    writer.line(f"context.steps -= len({source})")
    writer.line("if context.steps < 0: context.spend(0)")


def _where(writer: Writer, node: Call, this: str) -> str:
    source = writer.items(_source(node), this)
    _spend(writer, source)
    out = writer.put("v", "[]")
    with writer.loop(source) as item:
        holds = writer.truth(node.arguments[0], item)
        writer.line(f"if {holds}: {out}.append({item})")
    return out


def _select(writer: Writer, node: Call, this: str) -> str:
    source = writer.items(_source(node), this)
    _spend(writer, source)
    out = writer.put("v", "[]")
    with writer.loop(source) as item:
        found = writer.items(node.arguments[0], item)
        writer.line(f"{out} += {found}")
        writer.line(f"if len({out}) > context.limits.items: context.checked({out})")
    return out


def _iif(writer: Writer, node: Call, this: str) -> str:
    return _choice(writer, node, this, writer.items, "EMPTY")


def _truth_of_iif(writer: Writer, node: Call, this: str) -> str:
    return _choice(writer, node, this, writer.truth, "None")


def _choice(
    writer: Writer, node: Call, this: str, part: Callable[[Ast, str], str], nothing: str
) -> str:
    holds = writer.truth(node.arguments[0], this)
    out = writer.fresh("c")
    with writer.block(f"if {holds}:"):
        writer.line(f"{out} = {part(node.arguments[1], this)}")
    with writer.block("else:"):
        other = part(node.arguments[2], this) if node.arguments[2:] else nothing
        writer.line(f"{out} = {other}")
    return out


def _coalesce(writer: Writer, node: Call, this: str) -> str:
    """Write the first argument that gives something; those after it are computed only then."""
    out = writer.put("c", writer.items(node.arguments[0], this))
    for argument in node.arguments[1:]:
        with writer.block(f"if not {out}:"):
            writer.line(f"{out} = {writer.items(argument, this)}")
    return out


def _agreed(writer: Writer, node: Call, this: str) -> str:
    """Write the search for the one value that every item gives."""
    source = writer.items(_source(node), this)
    _spend(writer, source)
    values = writer.put("d", "dict()")
    with writer.loop(source) as item:
        found = writer.items(node.arguments[0], item)
        with writer.block(f"if not {found}:"):
            writer.line(f"{values} = dict()")
            writer.line("break")
        writer.line(f"for each in {found}: {values}[key_of(each)] = each")
    return writer.put("v", f"list({values}.values()) if len({values}) == 1 else EMPTY")


def _aggregate(writer: Writer, node: Call, this: str) -> str:
    """Write the fold; the parts see the total in the context, as closures do."""
    source = writer.items(_source(node), this)
    start = node.arguments[1:]
    total = writer.put("v", writer.items(start[0], this) if start else "EMPTY")
    outer = writer.put("v", "context.total")
    _spend(writer, source)
    with writer.loop(source) as item:
        writer.line(f"context.total = {total}")
        writer.line(f"{total} = context.checked({writer.items(node.arguments[0], item)})")
    writer.line(f"context.total = {outer}")
    return total


def _first(writer: Writer, node: Call, this: str) -> str:
    return writer.put("v", f"{writer.items(_source(node), this)}[:1]")


def _combine(writer: Writer, node: Call, this: str) -> str:
    left = writer.items(_source(node), this)
    right = writer.items(node.arguments[0], this)
    return writer.put("v", f"context.checked({left} + {right})")


def _of_type(writer: Writer, node: Call, this: str) -> str:
    wanted = named_type(node.arguments[0])
    source = node.source
    is_step = isinstance(source, Member) and not source.name[:1].isupper()
    if isinstance(source, Member) and is_step and wanted is not None and known_type(wanted):
        return member(writer, source, this, (source.name, wanted))
    return writer.closure(node, this)


def _sort(writer: Writer, node: Call, this: str) -> str:
    """Write the sort with a function for each key."""
    source = writer.items(_source(node), this)
    keys = []
    for argument in node.arguments:
        key, negated, descending = sort_key(argument)
        keys.append((writer.inner(key), negated, descending))
    writer.line(f"context.spend(len({source}) * {len(keys)})")
    sort = writer.constant(sorted_by)
    return writer.put("v", f"{sort}(context, {source}, {writer.constant(keys)})")


def _exists(writer: Writer, node: Call, this: str) -> str:
    source = writer.items(_source(node), this)
    if not node.arguments:
        return writer.put("t", f"bool({source})")
    return _some(writer, source, node, found="True")


def _all(writer: Writer, node: Call, this: str) -> str:
    return _some(writer, writer.items(_source(node), this), node, found="False")


def _some(writer: Writer, source: str, node: Call, *, found: str) -> str:
    """Write the search for an item of which the condition is true (or is not)."""
    _spend(writer, source)
    out = writer.put("t", "False" if found == "True" else "True")
    with writer.loop(source) as item:
        holds = writer.truth(node.arguments[0], item)
        with writer.block(f"if {holds} is{'' if found == 'True' else ' not'} True:"):
            writer.line(f"{out} = {found}")
            writer.line("break")
    return out


def _empty(writer: Writer, node: Call, this: str) -> str:
    return writer.put("t", f"not {writer.items(_source(node), this)}")


def _not(writer: Writer, node: Call, this: str) -> str:
    holds = writer.truth(_source(node), this)
    return writer.put("t", f"None if {holds} is None else not {holds}")


def _member_of(writer: Writer, node: Call, this: str) -> str:
    source = _source(node)
    if isinstance(source, Special) and source.name == "$this" and this != "this":
        url = writer.text(node.arguments[0], this)
        return writer.put("t", f"item_is_member(context, {this}, {url})")
    items = writer.items(source, this)
    url = writer.text(node.arguments[0], this)
    return writer.put("t", f"is_member(context, {items}, {url})")


def _matches(writer: Writer, node: Call, this: str) -> str:
    """Write a search; a pattern that is written in the expression is compiled with it."""
    value = writer.text(_source(node), this)
    pattern = node.arguments[0]
    if isinstance(pattern, Literal) and pattern.type == "String":
        found = f"{writer.constant(patterns.searcher(pattern.value))}({value}) is not None"
        return writer.put("t", f"None if {value} is None else {found}")
    found = writer.text(pattern, this)
    search = writer.constant(patterns.search)
    missing = f"{value} is None or {found} is None"
    return writer.put("t", f"None if {missing} else {search}({found}, {value})")


def _of_texts(test: str) -> Callable[[Writer, Call, str], str]:
    def emit_test(writer: Writer, node: Call, this: str) -> str:
        value = writer.text(_source(node), this)
        part = writer.text(node.arguments[0], this)
        found = test.format(value=value, part=part)
        if isinstance(node.arguments[0], Literal):
            return writer.put("t", f"None if {value} is None else {found}")
        return writer.put("t", f"None if {value} is None or {part} is None else {found}")

    return emit_test


def _changed(method: str) -> Callable[[Writer, Call, str], str]:
    def emit_change(writer: Writer, node: Call, this: str) -> str:
        value = writer.text(_source(node), this)
        changed = f"context.checked_text({value}.{method}())"
        return writer.put("s", f"None if {value} is None else {changed}")

    return emit_change


TRUTHS = {
    "exists": Form(_exists, 0, 1),
    "all": Form(_all, 1, 1),
    "empty": Form(_empty, 0, 0),
    "not": Form(_not, 0, 0),
    "memberOf": Form(_member_of, 1, 1),
    "matches": Form(_matches, 1, 1),
    "startsWith": Form(_of_texts("{value}.startswith({part})"), 1, 1),
    "endsWith": Form(_of_texts("{value}.endswith({part})"), 1, 1),
    "contains": Form(_of_texts("{part} in {value}"), 1, 1),
}
CHOICES = {"iif": Form(_truth_of_iif, 2, 3, stands_alone=True)}
"""Functions that may give anything, and whose truth is that of what they choose."""
TEXTS = {
    "lower": Form(_changed("lower"), 0, 0),
    "upper": Form(_changed("upper"), 0, 0),
    "trim": Form(_changed("strip"), 0, 0),
}
ITEMS = {
    "where": Form(_where, 1, 1),
    "select": Form(_select, 1, 1),
    "iif": Form(_iif, 2, 3, stands_alone=True),
    "first": Form(_first, 0, 0),
    "combine": Form(_combine, 1, 1),
    "ofType": Form(_of_type, 1, 1),
    "sort": Form(_sort, 1, 100),
    "coalesce": Form(_coalesce, 1, 100, stands_alone=True),
    "agreed": Form(_agreed, 1, 1),
    "aggregate": Form(_aggregate, 1, 2),
}
