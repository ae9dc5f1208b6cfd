"""Strict JSON that keeps decimals as they were written.

https://hl7.org/fhir/R4/json.html and https://www.rfc-editor.org/rfc/rfc8259

`msgspec` does the work; what it lets pass (duplicate keys, any depth below the interpreter's
own limit, numbers of any size) is refused here at a cost of a few counts over the bytes.
"""

import json
import re
from contextlib import suppress
from decimal import Decimal, InvalidOperation
from itertools import accumulate
from typing import Any

import msgspec

from carepath import deadline
from carepath.errors import MalformedInput

MAX_DEPTH = 64
"""Arrays and objects that may stand inside each other; FHIR resources rarely pass twenty."""
MAX_NUMBER_LENGTH = 100
MAX_EXPONENT = 1000
MAX_VALUES = 2_000_000
"""Values and names in one text: each takes some hundred bytes of memory, however short it is."""

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_NOT_STRUCTURE = bytes(set(range(256)) - set(b'[]{}"'))
_AS_BRACKETS = bytes.maketrans(b"{}", b"[]")
_AS_STEPS = bytes.maketrans(b"[]", b"\x01\xff")
_MANY_BRACKETS = 100_000
_STRING = re.compile(rb'"[^"]*"')
_CUT_OFF = "Input data was truncated"
_PLACE = re.compile(r"^(?P<reason>.*?)(?: \(byte (?P<byte>\d+)\))?$")


def _decimal(text: str) -> Decimal:
    """Return the decimal for a number literal, refusing sizes that no FHIR value has."""
    if len(text) <= MAX_NUMBER_LENGTH:
        # An exponent of twenty digits is over a limit of the decimal type itself.
        with suppress(InvalidOperation):
            value = Decimal(text)
            if abs(value.adjusted()) <= MAX_EXPONENT:
                return value
    raise MalformedInput(f"the number `{text[:20]}` is out of range")


_decoder = msgspec.json.Decoder(float_hook=_decimal)
_encoder = msgspec.json.Encoder(decimal_format="number")
_sorting = msgspec.json.Encoder(decimal_format="number", order="sorted")


def decode(data: bytes, *, max_depth: int = MAX_DEPTH) -> Any:
    """Decode one JSON text in UTF-8: dict, list, str, bool, None, int, and Decimal for the rest.

    Raises MalformedInput for anything that is not strict JSON, for a key that stands twice in an
    object, for a nesting of more than `max_depth`, for numbers out of range, and for more than
    MAX_VALUES values.
    """
    if data.startswith(_BYTE_ORDER_MARK):
        data = data[len(_BYTE_ORDER_MARK) :]
    if len(data) > MAX_VALUES and sum(map(data.count, (b",", b"[", b"{"))) > MAX_VALUES:
        raise MalformedInput(f"it holds more than {MAX_VALUES} values")
    _refuse_depth(data, max_depth)
    try:
        value = _decoder.decode(data)
    except UnicodeDecodeError as error:
        raise _not_utf8(data) from error
    except msgspec.MsgspecError as error:
        raise _malformed(data, str(error)) from error
    except RecursionError as error:
        raise MalformedInput("the nesting is too deep") from error
    _refuse_duplicate_keys(data, value)
    return value


def encode(value: Any, *, pretty: bool = False) -> bytes:
    """Encode dicts, lists and scalars as UTF-8 JSON; `pretty` indents by two spaces."""
    data = _encoder.encode(value)
    return msgspec.json.format(data, indent=2) + b"\n" if pretty else data


def canonical(value: Any) -> bytes:
    """Encode with no whitespace and the names of each object in order, for hashes.

    https://hl7.org/fhir/R4/json.html#canonical
    """
    return _sorting.encode(value)


def _malformed(data: bytes, message: str) -> MalformedInput:
    """Turn the library's message into a sentence part with line and column."""
    match = _PLACE.match(message)
    if message == _CUT_OFF or match is None or match["byte"] is None:
        place = _place(data, len(data)) if message == _CUT_OFF else ""
        return MalformedInput(f"not valid JSON, {message[:1].lower()}{message[1:]}", place)
    reason = match["reason"].removeprefix("JSON is malformed: ")
    return MalformedInput(f"not valid JSON, {reason}", _place(data, int(match["byte"])))


def _not_utf8(data: bytes) -> MalformedInput:
    """Say where a text stops being UTF-8; the library counts from the start of a string."""
    try:
        data.decode()
    except UnicodeDecodeError as error:
        return MalformedInput("the text is not valid UTF-8", _place(data, error.start))
    return MalformedInput("the text is not valid UTF-8")


def _place(data: bytes, offset: int) -> str:
    """Return line and column of an offset, both counted from one and in bytes."""
    line = data.count(b"\n", 0, offset) + 1
    column = offset - (data.rfind(b"\n", 0, offset) + 1) + 1
    return f"line {line}, column {column}"


def _refuse_depth(data: bytes, max_depth: int) -> None:
    """Raise MalformedInput when brackets outside strings nest deeper than `max_depth`.

    Only brackets and quotes are kept, and braces count as brackets: a pair that does not match is
    left for the decoder to refuse.
    """
    if b"\\" in data:
        data = data.replace(b"\\\\", b"").replace(b'\\"', b"")
    brackets = data.translate(None, _NOT_STRUCTURE).replace(b'""', b"")
    if b'"' in brackets:
        brackets = _STRING.sub(b"", brackets)
    brackets = brackets.translate(_AS_BRACKETS)
    is_too_deep = _climbs_over if len(brackets) > _MANY_BRACKETS else _outlasts
    if is_too_deep(brackets, max_depth):
        raise MalformedInput(f"the nesting is deeper than {max_depth} levels")


def _outlasts(brackets: bytes, rounds: int) -> bool:
    """Tell whether brackets are left when the innermost pairs are taken away so many times.

    The quickest way for a usual text, and a slow one for a large text of many levels.
    """
    for _ in range(rounds):
        if not brackets:
            return False
        brackets = brackets.replace(b"[]", b"")
    return b"[]" in brackets or brackets.count(b"[") > rounds


def _climbs_over(brackets: bytes, limit: int) -> bool:
    """Tell whether more brackets than the limit are open at any place."""
    steps = memoryview(brackets.translate(_AS_STEPS)).cast("b")
    return max(accumulate(steps)) > limit


def _refuse_duplicate_keys(data: bytes, value: Any) -> None:
    """Raise MalformedInput when an object holds the same key twice.

    Every pair has one colon outside strings.  A pair that was overwritten is missing when the
    value is written again, so equal counts of colons mean that nothing was lost; an escaped colon
    would upset the count and takes the slow way.
    """
    if not isinstance(value, dict | list):
        return
    escaped = b"\\u003a" in data or b"\\u003A" in data
    if not escaped and data.count(b":") == _encoder.encode(value).count(b":"):
        return
    json.loads(data, object_pairs_hook=_unique_keys)


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Build an object, raising MalformedInput at the first key that stands twice."""
    deadline.check()
    unique: dict[str, Any] = {}
    for key, value in pairs:
        if key in unique:
            raise MalformedInput(f"the key `{key[:60]}` stands twice in one object")
        unique[key] = value
    return unique
