"""Texts.

https://hl7.org/fhirpath/#string-manipulation
"""

import binascii
from collections.abc import Callable
from importlib import import_module
from typing import Any

from carepath.fhirpath.functions.row import (
    A_BOOLEAN,
    A_STRING,
    AN_INTEGER,
    COMPUTED,
    Function,
    Operate,
    Result,
    Table,
    Writer,
    Written,
)
from carepath.fhirpath.functions.table import plain
from carepath.fhirpath.nodes import Call, Literal, focus_of
from carepath.fhirpath.patterns import full_match, refuse_dear, replace_all, search, searcher
from carepath.fhirpath.values.context import Context
from carepath.fhirpath.values.failure import Failure
from carepath.fhirpath.values.results import EMPTY, integer, of_truth, one_integer, one_text, text
from carepath.fhirpath.values.types import Items


def _on_text(
    operate: Operate, least: int = 0, most: int | None = None, gives: Result = A_STRING
) -> Function:
    """A row for a function that applies to a string only."""
    return plain(operate, least, most, gives=gives, on_text=True)


def _of_texts(
    operate: Callable[..., Items | None],
    arguments: int,
    gives: Result = A_STRING,
    written: Written | None = None,
) -> Function:
    """A row for a function of texts that is empty when the focus or an argument is."""

    def evaluate(context: Context, items: Items, *rest: Items) -> Items:
        values = [one_text(each) for each in (items, *rest)]
        if any(value is None for value in values):
            return EMPTY
        context.look_through(str(values[0]))
        found = operate(*values)
        if found:
            context.checked_text(str(found[0][0]))
        return EMPTY if found is None else found

    return plain(evaluate, arguments, gives=gives, written=written, on_text=True)


def _substring(context: Context, items: Items, start: Items, length: Items | None = None) -> Items:
    value, first = one_text(items), one_integer(start)
    if value is None or first is None or not 0 <= first < len(value):
        return EMPTY
    count = one_integer(length) if length is not None else None
    end = len(value) if count is None else min(len(value), first + max(0, count))
    context.spend_characters(max(0, end - first))
    return text(value[first:end])


def _pattern(test: Callable[[str, str, str], bool]) -> Operate:
    def evaluate(_: Context, items: Items, pattern: Items, flags: Items = EMPTY) -> Items:
        value, expression = one_text(items), one_text(pattern)
        if value is None or expression is None:
            return EMPTY
        refuse_dear(expression, value, one_text(flags) or "")
        return of_truth(test(expression, value, one_text(flags) or ""))

    return evaluate


def _replace_matches(
    context: Context, items: Items, pattern: Items, substitution: Items, flags: Items = EMPTY
) -> Items:
    value, expression, instead = one_text(items), one_text(pattern), one_text(substitution)
    if value is None or expression is None or instead is None:
        return EMPTY
    if not expression:
        return text(value)
    refuse_dear(expression, value, one_text(flags) or "")
    most = context.limits.text
    found = replace_all(expression, value, instead, one_text(flags) or "", most)
    return text(context.checked_text(found))


def _replace(context: Context, items: Items, pattern: Items, substitution: Items) -> Items:
    value, old, new = one_text(items), one_text(pattern), one_text(substitution)
    if value is None or old is None or new is None:
        return EMPTY
    places = value.count(old)
    context.spend_characters(len(value) + places * (len(new) - len(old)))
    return text(value.replace(old, new))


def _split(context: Context, items: Items, separator: Items) -> Items:
    value, mark = one_text(items), one_text(separator)
    if value is None or mark is None:
        return EMPTY
    context.spend_characters(len(value))
    parts = value.split(mark) if mark else list(value)
    return context.checked([text(part)[0] for part in parts])


def _join(context: Context, items: Items, separator: Items | None = None) -> Items:
    parts = [part for item in items if (part := one_text([item])) is not None]
    mark = (one_text(separator) or "") if separator is not None else ""
    if not parts:
        return EMPTY
    # Before they are joined: the same long text may stand there a thousand times.
    context.spend_characters(sum(map(len, parts)) + len(mark) * (len(parts) - 1))
    return text(mark.join(parts))


def _to_chars(context: Context, items: Items) -> Items:
    value = one_text(items)
    if value is None:
        return EMPTY
    context.spend_characters(len(value))
    return context.checked([text(character)[0] for character in value])


def _length(_: Context, items: Items) -> Items:
    value = one_text(items)
    return EMPTY if value is None else integer(len(value))


_TO_URL = bytes.maketrans(b"+/", b"-_")
_FROM_URL = bytes.maketrans(b"-_", b"+/")


def _base64(data: bytes) -> bytes:
    return binascii.b2a_base64(data, newline=False)


def _from_base64(data: bytes) -> bytes:
    return binascii.a2b_base64(data, strict_mode=True)


_ENCODERS: dict[str, Callable[[bytes], bytes]] = {
    "hex": binascii.hexlify,
    "base64": _base64,
    "urlbase64": lambda data: _base64(data).translate(_TO_URL),
}
_DECODERS: dict[str, Callable[[bytes], bytes]] = {
    "hex": binascii.unhexlify,
    "base64": _from_base64,
    "urlbase64": lambda data: _from_base64(data.translate(_FROM_URL)),
}


# `html` and `json` are loaded by the first expression that wants them.
def _escape_html(value: str) -> str:
    return str(import_module("html").escape(value))


def _unescape_html(value: str) -> str:
    return str(import_module("html").unescape(value))


def _escape_json(value: str) -> str:
    return str(import_module("json").dumps(value, ensure_ascii=False))[1:-1]


def _unescape_json(value: str) -> str:
    # A quote that is not escaped is itself; one that is escaped loses its backslash.
    quoted = value.replace('\\"', '"').replace('"', '\\"')
    return str(import_module("json").loads(f'"{quoted}"', strict=False))


_ESCAPERS: dict[str, Callable[[str], str]] = {"html": _escape_html, "json": _escape_json}
_UNESCAPERS: dict[str, Callable[[str], str]] = {"html": _unescape_html, "json": _unescape_json}


def _encode(value: str, kind: str) -> Items | None:
    encoder = _known(_ENCODERS, kind)
    return text(encoder(value.encode("utf-8", "replace")).decode("ascii"))


def _decode(value: str, kind: str) -> Items | None:
    decoder = _known(_DECODERS, kind)
    try:
        return text(decoder(value.encode()).decode("utf-8"))
    except ValueError:
        return None


def _escape(value: str, kind: str) -> Items | None:
    return text(_known(_ESCAPERS, kind)(value))


def _unescape(value: str, kind: str) -> Items | None:
    unescaper = _known(_UNESCAPERS, kind)
    try:
        return text(unescaper(value))
    except ValueError:
        return None


def _known(table: dict[str, Callable[..., Any]], kind: str) -> Callable[..., Any]:
    if kind not in table:
        raise Failure(f"`{kind}` is none of {', '.join(table)}")
    return table[kind]


def _write_matches(writer: Writer, node: Call, this: str) -> str:
    """Write a search; a pattern that is written in the expression is compiled with it."""
    value = writer.text(focus_of(node), this)
    pattern = node.arguments[0]
    if isinstance(pattern, Literal) and pattern.type == "String":
        found = f"{writer.constant(searcher(pattern.value))}({value}) is not None"
        return writer.put("t", f"None if {value} is None else {found}")
    found = writer.text(pattern, this)
    missing = f"{value} is None or {found} is None"
    return writer.put("t", f"None if {missing} else {writer.constant(search)}({found}, {value})")


def _tested(test: str) -> Written:
    """Return how a test of two texts is written."""

    def emit(writer: Writer, node: Call, this: str) -> str:
        value = writer.text(focus_of(node), this)
        part = writer.text(node.arguments[0], this)
        found = test.format(value=value, part=part)
        if isinstance(node.arguments[0], Literal):
            return writer.put("t", f"None if {value} is None else {found}")
        return writer.put("t", f"None if {value} is None or {part} is None else {found}")

    return Written(truth=emit)


def _changed(method: str) -> Written:
    """Return how a change of one text is written."""

    def emit(writer: Writer, node: Call, this: str) -> str:
        value = writer.text(focus_of(node), this)
        changed = f"context.checked_text({value}.{method}())"
        return writer.put("s", f"None if {value} is None else {changed}")

    return Written(text=emit)


FUNCTIONS: Table = {
    "indexOf": _of_texts(lambda value, part: integer(value.find(part)), 1, AN_INTEGER),
    "lastIndexOf": _of_texts(lambda value, part: integer(value.rfind(part)), 1, AN_INTEGER),
    "substring": _on_text(_substring, 1, 2),
    "startsWith": _of_texts(
        lambda value, part: of_truth(value.startswith(part)),
        1,
        A_BOOLEAN,
        _tested("{value}.startswith({part})"),
    ),
    "endsWith": _of_texts(
        lambda value, part: of_truth(value.endswith(part)),
        1,
        A_BOOLEAN,
        _tested("{value}.endswith({part})"),
    ),
    "contains": _of_texts(
        lambda value, part: of_truth(part in value), 1, A_BOOLEAN, _tested("{part} in {value}")
    ),
    "upper": _of_texts(lambda value: text(value.upper()), 0, written=_changed("upper")),
    "lower": _of_texts(lambda value: text(value.lower()), 0, written=_changed("lower")),
    "trim": _of_texts(lambda value: text(value.strip()), 0, written=_changed("strip")),
    "replace": _on_text(_replace, 2),
    "matches": plain(
        _pattern(search),
        1,
        2,
        gives=A_BOOLEAN,
        on_text=True,
        written=Written(truth=_write_matches, most=1),
    ),
    "matchesFull": _on_text(_pattern(full_match), 1, 2, A_BOOLEAN),
    "replaceMatches": _on_text(_replace_matches, 2, 3),
    "length": _on_text(_length, gives=AN_INTEGER),
    "toChars": _on_text(_to_chars, gives=COMPUTED),
    "split": _on_text(_split, 1, gives=COMPUTED),
    "join": plain(_join, 0, 1, gives=A_STRING),
    "encode": _of_texts(_encode, 1),
    "decode": _of_texts(_decode, 1),
    "escape": _of_texts(_escape, 1),
    "unescape": _of_texts(_unescape, 1),
}
