"""Strict JSON: what is refused, what is kept, and that nothing else ever escapes."""

import gc
import json
import time
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carepath.errors import MalformedInput
from carepath.formats.json import (
    MAX_DEPTH,
    MAX_EXPONENT,
    MAX_NUMBER_LENGTH,
    MAX_VALUES,
    decode,
    encode,
)

REFUSED = {
    "nothing": b"",
    "only space": b"  ",
    "not JSON": b"hello",
    "NaN": b'{"value": NaN}',
    "infinity": b"[-Infinity]",
    "duplicate key": b'{"a": 1, "a": 2}',
    "duplicate key, escaped": b'{"a": 1, "\\u0061": 2}',
    "duplicate key deep down": b'{"a": [{"b": 1, "b": 1}]}',
    "duplicate key hidden by an escaped colon": b'{"a": 1, "a": "\\u003a"}',
    "trailing text": b'{"a": 1} x',
    "two texts": b"{}{}",
    "trailing comma": b"[1,]",
    "comment": b"// x\n{}",
    "single quotes": b"{'a': 1}",
    "leading zero": b"[01]",
    "bare fraction": b"[.5]",
    "control character": b'"a\nb"',
    "not UTF-8": b'{"a": "\xff"}',
    "UTF-16": '{"a": 1}'.encode("utf-16"),
    "surrogate as bytes": b'"\xed\xa0\x80"',
    "lone high surrogate": b'["\\ud800"]',
    "lone low surrogate": b'["\\udc00"]',
    "cut off": b'{"a": [1, 2',
    "65 arrays": b"[" * 65 + b"]" * 65,
    "65 objects": b'{"a":' * 65 + b"1" + b"}" * 65,
    "65 of both": b'[{"a":' * 32 + b"[1]" + b"}]" * 32,
    "100,000 arrays": b"[" * 100_000,
    "number of 5,000 digits": b"[1" + b"0" * 5000 + b"]",
    "huge exponent": b"[1e999999999]",
    "tiny exponent": b"[1e-999999999]",
}


@pytest.mark.parametrize("data", REFUSED.values(), ids=REFUSED.keys())
def test_refused(data: bytes) -> None:
    with pytest.raises(MalformedInput):
        decode(data)


ACCEPTED: dict[str, tuple[bytes, Any]] = {
    "precision": (b"[1.50, 1.0e2]", [Decimal("1.50"), Decimal("1.0E+2")]),
    "eighteen digits": (b"[0.123456789012345678]", [Decimal("0.123456789012345678")]),
    "large exponent": (b"[1E400]", [Decimal("1E+400")]),
    "big integer": (b"[12345678901234567890123]", [12345678901234567890123]),
    "byte order mark": (b"\xef\xbb\xbf{}", {}),
    "64 arrays": (b"[" * 64 + b"]" * 64, None),
    "64 of both": (b'[{"a":' * 32 + b"1" + b"}]" * 32, None),
    "brackets in strings": (b'["' + b"[" * 200 + b'"]', ["[" * 200]),
    "escaped quotes": (b'["\\"[", "\\\\"]', ['"[', "\\"]),
    "colons in strings": (b'{"a:b": "c:d"}', {"a:b": "c:d"}),
    "escaped colon": (b'{"a": "\\u003a"}', {"a": ":"}),
    "same key in two objects": (b'[{"a": 1}, {"a": 1}]', [{"a": 1}, {"a": 1}]),
    "surrogate pair": (b'"\\ud83d\\ude00"', "\U0001f600"),
}


@pytest.mark.parametrize(("data", "value"), ACCEPTED.values(), ids=ACCEPTED.keys())
def test_accepted(data: bytes, value: Any) -> None:
    decoded = decode(data)
    assert value is None or (decoded == value and str(decoded) == str(value))


def test_malformed_input_names_line_and_column() -> None:
    with pytest.raises(MalformedInput) as caught:
        decode(b'{\n  "a": 01\n}')
    assert caught.value.where == "line 2, column 9"


def test_decimals_keep_their_digits() -> None:
    data = b'{"a":1.50,"b":100,"c":0.000010,"d":1E-9}'
    assert encode(decode(data)) == data


def test_pretty() -> None:
    assert encode({"a": [1]}, pretty=True) == b'{\n  "a": [\n    1\n  ]\n}\n'


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=20,
)


@given(json_values)
def test_round_trip(value: Any) -> None:
    assert decode(encode(value)) == value
    assert decode(encode(value, pretty=True)) == value


@given(st.binary(max_size=60) | st.text('[]{}":,\\ud80a1.eE+-', max_size=60).map(str.encode))
def test_no_other_error_escapes(data: bytes) -> None:
    try:
        decode(data)
    except MalformedInput as error:
        assert str(error).startswith("The input cannot be read")


def by_the_standard_library(data: bytes) -> Any:
    """Read JSON with Python's own parser, made strict by hooks; ValueError for what is refused."""

    def refuse(word: str) -> None:
        raise ValueError(word)

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(dict(pairs)) < len(pairs):
            raise ValueError("a name stands twice")
        return dict(pairs)

    def in_range(text: str) -> Decimal:
        if len(text) > MAX_NUMBER_LENGTH or abs(Decimal(text).adjusted()) > MAX_EXPONENT:
            raise ValueError("out of range")
        return Decimal(text)

    value = json.loads(
        data.decode().removeprefix("\ufeff"),
        object_pairs_hook=unique,
        parse_constant=refuse,
        parse_float=in_range,
    )
    json.dumps(value, ensure_ascii=False, default=str).encode()  # a lone surrogate is no text
    return value


PIECES = ["{", "}", "[", "]", ":", ",", '"', "\\", "\\u", "d83d", "de00", "0061", '"a"', "a", "1",
          "0", "-", "+", ".", "e", "E5", "1e999", "0.50", "true", "null", "NaN", " ", "\n", "\t",
          "\x00", "\x1f", "\ufeff", "\u00e9", "\U0001f600", '"\\u0061"', '{"a":1}',
          "[]", "//"]  # fmt: skip
almost_json = st.lists(st.sampled_from(PIECES), max_size=12).map("".join).map(str.encode)


@st.composite
def damaged_json(draw: st.DrawFn) -> bytes:
    """A valid text with a few bytes changed, put in, taken away or said twice."""
    text = bytearray(encode(draw(json_values), pretty=draw(st.booleans())))
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(text)))
        end = at + draw(st.integers(0, 3))
        part = draw(
            st.binary(max_size=2)
            | st.sampled_from(PIECES).map(str.encode)
            | st.just(bytes(text[at:end]) * 2)
        )
        text[at:end] = part
    return bytes(text)


@settings(max_examples=1000)
@given(almost_json | damaged_json())
def test_the_same_verdict_and_value_as_the_standard_library(data: bytes) -> None:
    try:
        expected = by_the_standard_library(data)
    except ValueError:
        with pytest.raises(MalformedInput):
            decode(data)
    else:
        assert decode(data) == expected


@pytest.mark.parametrize("depth", [64, 65])
@pytest.mark.parametrize("opening", [b"[", b'{"a":', b'["\\"",'])
def test_depth_is_told_alike_in_small_and_large_texts(depth: int, opening: bytes) -> None:
    """A large text is measured in another way than a small one."""
    closing = b"1" + (b"}" if opening[:1] == b"{" else b"]") * (depth - 1)
    for filling in (b"0", b",".join([b"[]"] * 60_000)):
        text = b"[" + filling + b"," + opening * (depth - 1) + closing + b"]"
        if depth <= MAX_DEPTH:
            assert isinstance(decode(text), list)
        else:
            with pytest.raises(MalformedInput, match="deeper than 64"):
                decode(text)


def test_a_text_of_millions_of_values_is_refused_before_they_are_made() -> None:
    with pytest.raises(MalformedInput, match="more than 2000000 values"):
        decode(b"[" + b"[]," * (MAX_VALUES // 2) + b"1]")
    assert len(decode(b"[" + b"1," * 9 + b" " * MAX_VALUES + b"1]")) == 10


def test_a_large_text_takes_linear_time() -> None:
    """Many levels, many times: each level costs nothing for itself."""
    text = b"[" + b",".join([b"[" * 60 + b"]" * 60] * 20_000) + b"]"
    gc.freeze()  # As the service does: what other tests left is not looked through meanwhile.
    try:
        started = time.process_time()
        decode(text)
        assert time.process_time() - started < 3
    finally:
        gc.unfreeze()
