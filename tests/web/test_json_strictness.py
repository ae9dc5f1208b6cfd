"""Strict JSON at an endpoint of a running service: what is refused with 400, what is read.

The cases stand in `json_cases.txt`; here are the ones that are about resources.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from carepath.errors import MalformedInput
from carepath.formats import json as json_codec

CASES = Path(__file__).with_name("json_cases.txt")
HEAD = b'{"resourceType":"Patient"'
NOTATION = re.compile(rb"<([0-9A-F]{2})>|<(\d+)\*(.*?)>")
PLACE = re.compile(r"\(line \d+, column \d+\)")
# A mark stands at the very start only, and the resource is a level of its own.
ALONE = re.compile("order_mark|at_the_limit")
WITHOUT_PLACE = ("nesting is deeper", "stands twice", "is out of range", "integer value out of")


def expand(match: re.Match[bytes]) -> bytes:
    return bytes.fromhex(match[1].decode()) if match[1] else int(match[2]) * match[3]


def cases() -> dict[str, bytes]:
    lines = CASES.read_bytes().splitlines()
    rows = [line.split(b"|", 1) for line in lines if line.strip() and not line.startswith(b"#")]
    return {name.strip().decode(): NOTATION.sub(expand, text.strip()) for name, text in rows}


ALL = cases()
READ = {name: text for name, text in ALL.items() if name[0] == "y" or name.endswith("_read")}
REFUSED = {name: text for name, text in ALL.items() if name not in READ}


@pytest.fixture(scope="module")
def endpoint(server: Any) -> Iterator[httpx.Client]:
    headers = {"Content-Type": "application/fhir+json"}
    url = f"{server.base}/Patient/"
    with httpx.Client(base_url=url, headers=headers, timeout=60) as client:
        yield client


def post(endpoint: httpx.Client, data: bytes) -> tuple[int, dict[str, str]]:
    answer = endpoint.post("$validate", content=data)
    outcome = answer.json()
    assert outcome["resourceType"] == "OperationOutcome"
    return answer.status_code, outcome["issue"][0]


def test_the_cases_are_many_and_of_each_kind() -> None:
    assert len(ALL) >= 240
    assert {name[:2] for name in ALL} == {"y_", "n_", "i_"}
    assert len([name for name in REFUSED if name[0] == "i"]) == 7


def test_read_and_written_again() -> None:
    values = {name: json_codec.decode(text) for name, text in READ.items()}
    again = {name: json_codec.decode(json_codec.encode(value)) for name, value in values.items()}
    assert again == values


def refusal(text: bytes) -> str | None:
    """Return the sentence with which a text is refused, None when it is read."""
    try:
        json_codec.decode(text)
    except MalformedInput as error:
        return str(error)
    return None


def has_a_place(sentence: str) -> bool:
    """Tell whether a sentence says where, or is of those that cannot."""
    return bool(PLACE.search(sentence)) or any(part in sentence for part in WITHOUT_PLACE)


def test_refused_with_a_sentence() -> None:
    sentences = {name: refusal(text) for name, text in REFUSED.items()}
    assert {n: told for n, told in sentences.items() if not told or not has_a_place(told)} == {}


def test_200_as_a_value_in_a_resource(endpoint: httpx.Client) -> None:
    inside = {
        name: HEAD + b',"x":' + text + b"}" for name, text in READ.items() if not ALONE.search(name)
    }
    answers = {name: post(endpoint, text)[0] for name, text in inside.items()}
    assert answers == dict.fromkeys(inside, 200)


def test_400_and_an_outcome(endpoint: httpx.Client) -> None:
    answers = {name: post(endpoint, text) for name, text in REFUSED.items()}
    told = {name: (status, i["code"], i["severity"]) for name, (status, i) in answers.items()}
    assert told == {
        name: (400, "structure" if text.strip() else "required", "error")
        for name, text in REFUSED.items()
    }


RESOURCES_READ = {
    "plain": HEAD + b"}",
    "white space around": b" \t\r\n" + HEAD + b" } \n",
    "byte order mark": b"\xef\xbb\xbf" + HEAD + b"}",
    "escapes": HEAD + rb',"id":"\u0061\u0062"}',
    "escaped names": b'{"\\u0072esourceType":"Patient","\\u0069d":"a"}',
    "null in an array": HEAD + b',"name":[{"given":[null,"B"],"_given":[{"id":"a"},null]}]}',
    "64 levels": HEAD + b',"x":' + b"[" * 63 + b"]" * 63 + b"}",
    "a text of 10 MB": HEAD + b',"name":[{"text":"' + b"x" * 10_000_000 + b'"}]}',
    "a name of 1 MB": HEAD + b',"' + b"x" * 1_000_000 + b'":1}',
    "100,000 names": HEAD + b"".join(b',"n%d":1' % n for n in range(100_000)) + b"}",
}
RESOURCES_REFUSED = {
    "an array": b"[]",
    "a string": b'"Patient"',
    "null": b"null",
    "no resourceType": b'{"id":"a"}',
    "resourceType is no string": b'{"resourceType":7}',
    "65 levels": HEAD + b',"x":' + b"[" * 64 + b"]" * 64 + b"}",
    "100,000 names and one twice": HEAD
    + b"".join(b',"n%d":1' % n for n in range(100_000))
    + b',"n0":1}',
    "trailing text": HEAD + b"} x",
    "UTF-16": (HEAD + b"}").decode().encode("utf-16"),
}


@pytest.mark.parametrize("data", RESOURCES_READ.values(), ids=RESOURCES_READ.keys())
def test_read(endpoint: httpx.Client, data: bytes) -> None:
    assert post(endpoint, data)[0] == 200


@pytest.mark.parametrize("data", RESOURCES_REFUSED.values(), ids=RESOURCES_REFUSED.keys())
def test_refused(endpoint: httpx.Client, data: bytes) -> None:
    status, issue = post(endpoint, data)
    assert (status, issue["code"]) == (400, "structure")


def test_the_sentence_says_where(endpoint: httpx.Client) -> None:
    faulty = (HEAD + b',\n "id": 01}', HEAD + b',"id":"\xff"}', HEAD, b'{"a":1,"\\u0061":2}')
    assert [post(endpoint, text)[1]["diagnostics"] for text in faulty] == [
        "The input cannot be read (line 2, column 9): not valid JSON, invalid number.",
        "The input cannot be read (line 1, column 33): the text is not valid UTF-8.",
        "The input cannot be read (line 1, column 26): not valid JSON, input data was truncated.",
        "The input cannot be read: the key `a` stands twice in one object.",
    ]
