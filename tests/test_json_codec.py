"""Strict JSON: what is refused, what is kept, and that nothing else ever escapes."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carepath.errors import MalformedInput
from carepath.json_codec import decode, encode

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
