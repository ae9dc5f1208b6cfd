"""Strict JSON at the door: what must be refused with 400, what must be read.

Cases written for the project, in the manner of JSONTestSuite: `y` is read, `n` is refused.
"""

import json

import pytest
from flask.testing import FlaskClient

URL = "/fhir/Patient/$validate"
HEAD = b'{"resourceType":"Patient"'

READ = {
    "y plain": HEAD + b"}",
    "y white space around": b" \t\r\n" + HEAD + b" } \n",
    "y byte order mark": b"\xef\xbb\xbf" + HEAD + b"}",
    "y escapes": HEAD + rb',"id":"\u0061\u0062"}',
    "y surrogate pair": HEAD + rb',"name":[{"text":"\ud83d\ude00"}]}',
    "y unicode": HEAD + ',"name":[{"text":"Łódź 病理"}]}'.encode(),
    "y null in an array": HEAD + b',"name":[{"given":[null,"B"],"_given":[{"id":"a"},null]}]}',
    "y escaped colon in a text": HEAD + rb',"name":[{"text":"a\u003ab"}]}',
    "y bracket in a text": HEAD + b',"name":[{"text":"[[[{{{"}]}',
    "y exponent": HEAD + b',"multipleBirthInteger":1,"x":1.5E+2}',
}
REFUSED = {
    "n nothing but white space and a comma": b" , ",
    "n a word": b"patient",
    "n not closed": HEAD,
    "n trailing text": HEAD + b"} x",
    "n two values": HEAD + b"}" + HEAD + b"}",
    "n trailing comma": HEAD + b",}",
    "n leading comma": b'{,"resourceType":"Patient"}',
    "n single quotes": b"{'resourceType':'Patient'}",
    "n name without quotes": b'{resourceType:"Patient"}',
    "n comment": HEAD + b"/* x */}",
    "n NaN": HEAD + b',"x":NaN}',
    "n Infinity": HEAD + b',"x":Infinity}',
    "n minus Infinity": HEAD + b',"x":-Infinity}',
    "n leading zero": HEAD + b',"x":01}',
    "n plus sign": HEAD + b',"x":+1}',
    "n bare dot": HEAD + b',"x":.5}',
    "n dot at the end": HEAD + b',"x":5.}',
    "n hexadecimal": HEAD + b',"x":0x10}',
    "n huge exponent": HEAD + b',"x":1e400000000}',
    "n huge number": HEAD + b',"x":' + b"9" * 5000 + b"}",
    "n raw control character": HEAD + b',"id":"a\x01"}',
    "n raw line break in a text": HEAD + b',"id":"a\nb"}',
    "n bad escape": HEAD + rb',"id":"\x41"}',
    "n cut escape": HEAD + rb',"id":"\u00"}',
    "n lone surrogate": HEAD + rb',"id":"\ud800"}',
    "n reversed surrogates": HEAD + rb',"id":"\ude00\ud83d"}',
    "n invalid UTF-8": HEAD + b',"id":"\xff"}',
    "n overlong UTF-8": HEAD + b',"id":"\xc0\xaf"}',
    "n UTF-16": (HEAD + b"}").decode().encode("utf-16"),
    "n the same name twice": HEAD + b',"id":"a","id":"b"}',
    "n the same name twice, deep": HEAD + b',"name":[{"text":"a","text":"b"}]}',
    "n the same name twice by escape": HEAD + rb',"id":"a","\u0069d":"b"}',
    "n deep arrays": HEAD + b',"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "n deep objects": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "n deep and not closed": b"[" * 100_000,
    "n an array": b"[]",
    "n a string": b'"Patient"',
    "n null": b"null",
    "n no resourceType": b'{"id":"a"}',
    "n resourceType is no string": b'{"resourceType":7}',
    "n NUL": HEAD + b"}\x00",
}


def post(client: FlaskClient, data: bytes) -> tuple[int, str]:
    response = client.post(URL, data=data, content_type="application/fhir+json")
    body = json.loads(response.data)
    assert body["resourceType"] == "OperationOutcome"
    return response.status_code, body["issue"][0]["code"]


@pytest.mark.parametrize("data", READ.values(), ids=READ.keys())
def test_read(client: FlaskClient, data: bytes) -> None:
    assert post(client, data)[0] == 200


@pytest.mark.parametrize("data", REFUSED.values(), ids=REFUSED.keys())
def test_refused(client: FlaskClient, data: bytes) -> None:
    assert post(client, data) == (400, "structure")
