"""Bodies: size, gunzip, entries, nesting, encoding.  Each refusal is a 4xx."""

import gzip
import io
import json
import random
import time
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from carepath.errors import MalformedInput
from carepath.formats import json as json_codec
from carepath.formats import xml as xml_codec
from carepath.web import Config
from carepath.web.http import body
from carepath.web.http.refusals import TooLarge

Make = Callable[..., FlaskClient]
APPLY = "/fhir/PlanDefinition/walk/$apply"
JSON = {"content_type": "application/fhir+json"}
SMALL = Config(max_body_bytes=100, max_expanded_bytes=1000)


def read(data: bytes, encoding: str = "", declared: int | None = -1) -> bytes:
    length = len(data) if declared == -1 else declared
    return body.read(io.BytesIO(data), length, encoding, SMALL)


@pytest.mark.parametrize("declared", [-1, None], ids=["declared length", "chunked"])
def test_body_up_to_the_limit(declared: int | None) -> None:
    assert read(b"x" * 100, declared=declared) == b"x" * 100
    with pytest.raises(TooLarge):
        read(b"x" * 101, declared=declared)


def test_a_body_that_says_it_is_too_large_is_not_read() -> None:
    stream = io.BytesIO(b"x" * 101)
    with pytest.raises(TooLarge):
        body.read(stream, 101, "", SMALL)
    assert stream.tell() == 0


def test_gzip_in_is_bounded() -> None:
    assert read(gzip.compress(b"y" * 1000), "gzip") == b"y" * 1000
    assert read(gzip.compress(b"y" * 10), "X-GZIP") == b"y" * 10
    assert read(gzip.compress(b"a") + gzip.compress(b"b"), "gzip") == b"ab"
    with pytest.raises(TooLarge):
        read(gzip.compress(b"y" * 1001), "gzip")
    with pytest.raises(TooLarge):
        read(gzip.compress(b"y" * 600) * 2, "gzip")


def test_gzip_that_repeats_itself_too_often_is_refused() -> None:
    config = Config(max_expansion=100)
    noise = random.Random(1).randbytes(11_000)  # noqa: S311 - nothing secret
    fits, bomb = (gzip.compress(noise + b" " * size, 9) for size in (1_000_000, 1_400_000))
    assert len(body.read(io.BytesIO(fits), len(fits), "gzip", config)) == 1_011_000
    with pytest.raises(TooLarge) as caught:
        body.read(io.BytesIO(bomb), len(bomb), "gzip", config)
    most = 100 * len(bomb)
    assert str(caught.value) == (
        "The body after gunzip, which may have 100 times its size, is larger than this service "
        f"allows ({most})."
    )
    small = gzip.compress(b" " * 1_000_000)
    assert len(body.read(io.BytesIO(small), len(small), "gzip", config)) == 1_000_000


def test_gzip_of_many_members_takes_linear_time() -> None:
    large = Config(max_body_bytes=20_000_000)
    data = gzip.compress(b"") * 200_000
    started = time.process_time()
    assert body.read(io.BytesIO(data), len(data), "gzip", large) == b""
    assert time.process_time() - started < 3


def test_a_body_shorter_than_it_says() -> None:
    with pytest.raises(MalformedInput, match="broke off after 3 of 9 bytes"):
        read(b"abc", declared=9)


@pytest.mark.parametrize(
    "data",
    [
        b"no gzip",
        gzip.compress(b"abc")[:-3],
        gzip.compress(b"abc") + b"x",
        gzip.compress(b"abc") + gzip.compress(b"d")[:5],
        gzip.compress(b"abc")[:-8] + bytes(4) + gzip.compress(b"abc")[-4:],
        gzip.compress(b"abc")[:-4] + bytes(4),
        b"",
    ],
    ids=["not gzip", "cut off", "text after it", "second cut off", "checksum", "length", "nothing"],
)
def test_gzip_that_is_broken(data: bytes) -> None:
    with pytest.raises(MalformedInput):
        read(data, "gzip")


def refused(client: FlaskClient, status: int, code: str, **request: Any) -> dict[str, Any]:
    """Send a body to `$apply`, expect a refusal, and that the next request works."""
    response = client.post(APPLY, **request)
    assert response.status_code == status, response.data
    issue: dict[str, Any] = json.loads(response.data)["issue"][0]
    assert issue["code"] == code
    assert client.get("/healthz").status_code == 200
    return issue


def test_413_for_a_body(make_client: Make) -> None:
    client = make_client(max_body_bytes=100)
    refused(client, 413, "too-long", data=b'"' + b"x" * 200 + b'"', **JSON)


def test_413_for_a_body_after_gunzip(make_client: Make) -> None:
    client = make_client(max_expanded_bytes=1000)
    bomb = gzip.compress(b" " * 100_000)
    refused(client, 413, "too-long", data=bomb, headers={"Content-Encoding": "gzip"}, **JSON)


def test_413_for_entries_names_the_element(make_client: Make, bundle: Any) -> None:
    client = make_client(max_entries=2)
    two = bundle(*[{"resourceType": "Patient", "id": f"p{n}"} for n in range(2)])
    assert client.post(f"{APPLY}?subject=Patient/p0", json=two).status_code == 200
    three = bundle(*[{"resourceType": "Patient", "id": f"p{n}"} for n in range(3)])
    assert refused(client, 413, "too-long", json=three)["expression"] == ["Bundle.entry"]
    inside = {"resourceType": "Parameters", "parameter": [{"name": "data", "resource": three}]}
    issue = refused(client, 413, "too-long", json=inside)
    assert issue["expression"] == ["Parameters.parameter[0].resource.entry"]


def test_413_for_entries_of_xml_before_they_are_read(make_client: Make) -> None:
    client = make_client(max_entries=2)
    # What is wrong in an entry would be told first if the entries were read.
    three = "<Bundle>" + "<entry>text</entry>" * 3 + "</Bundle>"
    inside = f"<parameter><resource>{three}</resource></parameter>"
    xml = {"content_type": "application/fhir+xml", "headers": {"Accept": "application/fhir+json"}}
    for document, path in (
        (three.replace("<Bundle>", '<Bundle xmlns="http://hl7.org/fhir">'), "Bundle.entry"),
        (
            f'<Parameters xmlns="http://hl7.org/fhir">{inside}</Parameters>',
            "Parameters.parameter[0].resource.entry",
        ),
    ):
        assert refused(client, 413, "too-long", data=document, **xml)["expression"] == [path]


def test_a_bundle_in_an_entry_counts_as_one_in_both_formats(make_client: Make, bundle: Any) -> None:
    client = make_client(max_entries=2)
    inner = bundle(*[{"resourceType": "Patient", "id": f"p{n}"} for n in range(3)])
    outer = bundle({"resourceType": "Patient", "id": "p"}, inner)
    for fmt, data in (("json", json_codec.encode(outer)), ("xml", xml_codec.encode(outer))):
        sent = client.post(
            f"{APPLY}?subject=Patient/p", data=data, content_type=f"application/fhir+{fmt}"
        )
        assert sent.status_code == 200, sent.data


def test_400_for_nesting(make_client: Make) -> None:
    client = make_client(max_depth=10)
    deep = b'{"resourceType":"Bundle","x":' + b"[" * 20 + b"]" * 20 + b"}"
    refused(client, 400, "structure", data=deep, **JSON)


def test_415_for_a_content_encoding(client: FlaskClient) -> None:
    refused(client, 415, "not-supported", data=b"x", headers={"Content-Encoding": "br"}, **JSON)
