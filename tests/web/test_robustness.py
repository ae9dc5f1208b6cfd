"""Whatever comes in: never a 5xx, and memory does not grow."""

import json
import os
from collections import Counter
from contextlib import suppress
from copy import deepcopy
from pathlib import Path
from random import Random
from typing import Any

import httpx
import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from carepath.errors import CarepathError
from carepath.formats import json as json_codec
from carepath.formats import xml as xml_codec

from ..suites import EXAMPLES, needs

URLS = (
    "/fhir/PlanDefinition/walk/$apply",
    "/fhir/PlanDefinition/$r5.apply",
    "/fhir/$apply-pathways",
    "/fhir/Patient/$validate",
    "/fhir/ValueSet/$expand",
    "/fhir/CodeSystem/$lookup",
)
TYPES = (
    "Bundle",
    "Parameters",
    "Patient",
    "Condition",
    "Observation",
    "ValueSet",
    "PlanDefinition",
)
NAMES = ("id", "parameter", "name", "resource", "entry", "data", "subject", "valueString", "code",
         "coding", "compose", "include", "part", "extension", "contained", "url")  # fmt: skip

scalars = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
)
texts = st.text(max_size=10) | st.sampled_from(("Patient/p", "data", "subject", "url", *TYPES))
anything = st.recursive(
    scalars | texts,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(NAMES), inner, max_size=4)
        | st.builds(
            lambda kind, rest: {"resourceType": kind, **rest},
            st.sampled_from(TYPES),
            st.dictionaries(st.sampled_from(NAMES), inner, max_size=4),
        )
    ),
    max_leaves=20,
)
resources = st.builds(
    lambda kind, rest: {"resourceType": kind, **rest},
    st.sampled_from(TYPES),
    st.dictionaries(st.sampled_from(NAMES), anything, max_size=5),
)
FEW = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def refused_or_answered(response: Any) -> None:
    assert response.status_code < 500, response.data
    body = json.loads(response.data)
    if response.status_code >= 400:
        assert body["resourceType"] == "OperationOutcome"


@FEW
@given(url=st.sampled_from(URLS), body=resources)
def test_any_resource(client: FlaskClient, url: str, body: dict[str, Any]) -> None:
    refused_or_answered(client.post(url, json=body))


@FEW
@given(url=st.sampled_from(URLS), data=st.binary(max_size=60))
@example(url=URLS[0], data=b"\x00")
def test_any_bytes(client: FlaskClient, url: str, data: bytes) -> None:
    for content_type in ("application/fhir+json", "application/fhir+xml"):
        refused_or_answered(
            client.post(f"{url}?_format=json", data=data, content_type=content_type)
        )


SEARCH = ("_id", "url", "date", "name", "status", "identifier", "depends-on", "_sort", "_count",
          "_include", "_summary", "_elements", "_page", "_total", "_format", "x:y")  # fmt: skip
MODIFIERS = ("", ":exact", ":contains", ":missing", ":not", ":below", ":text", ":of-type")


@FEW
@given(
    query=st.lists(
        st.tuples(
            st.builds(str.__add__, st.sampled_from(SEARCH), st.sampled_from(MODIFIERS)),
            st.text(max_size=12)
            | st.sampled_from(("true", "2026", "ge2026-01", "-date", "1", "*")),
        ),
        max_size=4,
    )
)
def test_any_search(client: FlaskClient, query: list[tuple[str, str]]) -> None:
    encodable = [(n, v) for n, v in query if v.isprintable()]
    response = client.get("/fhir/PlanDefinition", query_string=dict(encodable))
    assert response.status_code < 500


HEADERS = ("Accept", "Prefer", "If-None-Match", "If-Modified-Since", "Accept-Encoding",
           "X-Request-Id", "Origin", "Content-Type", "X-Forwarded-Host")  # fmt: skip


@FEW
@given(
    headers=st.dictionaries(
        st.sampled_from(HEADERS),
        st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=30),
        max_size=4,
    )
)  # fmt: skip
def test_any_headers(client: FlaskClient, headers: dict[str, str]) -> None:
    assert client.get("/fhir/PlanDefinition/walk", headers=headers).status_code < 500


@pytest.mark.parametrize("name", ["suspected-collection", "converter-batch", "message"])
def test_cut_and_damaged_examples(server: Any, examples: dict[str, bytes], name: str) -> None:
    """Each example cut short, and with each part removed or replaced: never a 5xx."""
    url = f"{server.base}/PlanDefinition/mst-pathway/$apply"
    whole = json.loads(examples[name])
    damaged = [examples[name][: len(examples[name]) * n // 7] for n in range(1, 7)]
    for index, entry in enumerate(whole["entry"]):
        for key in entry["resource"]:
            broken = json.loads(examples[name])
            del broken["entry"][index]["resource"][key]
            damaged.append(json.dumps(broken).encode())
            broken["entry"][index]["resource"][key] = {"unexpected": [None]}
            damaged.append(json.dumps(broken).encode())
    with httpx.Client(headers={"Content-Type": "application/fhir+json"}, timeout=30) as client:
        answers = [client.post(url, content=data) for data in damaged]
    assert max(answer.status_code for answer in answers) < 500
    refused = [a for a in answers if a.status_code >= 400]
    assert refused
    assert all(a.json()["resourceType"] == "OperationOutcome" for a in refused)


ODD: tuple[Any, ...] = (
    None, True, 0, -1, 10**25, 1.5, "", "x", "\u0000", "\U0001f600", "2020-02-30", "Patient/x",
    "#x", [], {}, [None], [[]], {"x": 1}, {"extension": []}, "9" * 4000,
    {"resourceType": "Patient"}, {"resourceType": "Bundle", "entry": [{}]}, {"resourceType": 7},
)  # fmt: skip
NAMED = ("id", "resourceType", "contained", "extension", "_id", "value[x]", "foo", "_")
ENDPOINTS = (
    "PlanDefinition/mst-pathway/$apply",
    "PlanDefinition/mst-gist/$r5.apply",
    "$apply-pathways",
    "Bundle/$validate",
)


def places(value: Any) -> list[tuple[Any, Any]]:
    """Return every place in a tree as the list or object and the index or name."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    found = []
    for key, inner in list(items):
        found.append((value, key))
        if isinstance(inner, dict | list):
            found += places(inner)
    return found


def _remove(random: Random, holder: Any, key: Any) -> None:
    del holder[key]


def _replace(random: Random, holder: Any, key: Any) -> None:
    holder[key] = deepcopy(random.choice(ODD))


def _double(random: Random, holder: Any, key: Any) -> None:
    if isinstance(holder, list):
        holder.insert(key, deepcopy(holder[key]))
    else:
        holder[key] = [holder[key], deepcopy(holder[key])]


def _rename(random: Random, holder: Any, key: Any) -> None:
    if isinstance(holder, dict):
        holder[random.choice(NAMED)] = holder.pop(key)


DAMAGES = (_remove, _replace, _double, _rename)


def damaged(random: Random, whole: dict[str, Any]) -> dict[str, Any]:
    """Return a copy with some of its nodes removed, replaced, doubled or renamed."""
    copy = deepcopy(whole)
    for _ in range(random.choice((1, 1, 2, 4))):
        holder, key = random.choice(places(copy) or [(copy, "id")])
        random.choice(DAMAGES)(random, holder, key)
    return copy


def post_damaged(server: Any, wholes: list[dict[str, Any]], rounds: int) -> Counter[int]:
    """Post damaged resources in JSON and XML; return how often each status came."""
    random = Random(20260331)  # noqa: S311  the same damage each time
    statuses: Counter[int] = Counter()
    with httpx.Client(base_url=server.base, timeout=60) as client:
        for _ in range(rounds):
            body = damaged(random, random.choice(wholes))
            data, fmt = json.dumps(body).encode(), "json"
            if random.random() < 0.5:
                with suppress(CarepathError):  # much of what is damaged cannot be said in XML
                    data, fmt = xml_codec.encode(body), "xml"
            headers = {
                "Content-Type": f"application/fhir+{fmt}",
                "Accept": f"application/fhir+{random.choice(('json', 'xml'))}",
            }
            answer = client.post(random.choice(ENDPOINTS), content=data, headers=headers)
            assert answer.status_code < 500, data
            read = json_codec if "json" in answer.headers["Content-Type"] else xml_codec
            kind = read.decode(answer.content)["resourceType"]
            assert answer.status_code == 200 or kind == "OperationOutcome"
            statuses[answer.status_code] += 1
    return statuses


def test_damaged_bundles(server: Any, examples: dict[str, bytes]) -> None:
    wholes = [json.loads(data) for data in examples.values()]
    assert {200, 422} <= set(post_damaged(server, wholes, 400))


@pytest.mark.slow
@needs(EXAMPLES)
def test_damaged_official_examples(serve: Any) -> None:
    files = [path for path in sorted(EXAMPLES.glob("*.json")) if path.stat().st_size < 50_000]
    wholes = [json.loads(path.read_bytes()) for path in files]
    with serve(CAREPATH_LOG_LEVEL="error") as one:
        assert {200, 400, 422} <= set(post_damaged(one, wholes, 8_000))


def resident(pid: int) -> int:
    """Return the memory of a process and its children, in bytes."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text("utf-8").split()
    pages = [int(Path(f"/proc/{p}/statm").read_text("utf-8").split()[1]) for p in children]
    return sum(pages) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.slow
def test_a_soak_does_not_grow_memory(serve: Any, examples: dict[str, bytes]) -> None:
    """50,000 requests of all kinds; after the first fifth, memory stays where it is."""
    kinds: list[tuple[str, str, bytes | None]] = [
        ("GET", "/fhir/PlanDefinition/mst-pathway?_summary=true", None),
        ("GET", "/fhir/PlanDefinition?name:contains={n}&_count=2", None),
        ("GET", "/fhir/ValueSet/$expand?url=urn:{n}", None),
        ("GET", "/fhir/nowhere/{n}", None),
        ("POST", "/fhir/PlanDefinition/mst-pathway/$apply", b'{"resourceType":"Bundle","n":{n}}'),
        ("POST", "/fhir/Patient/$validate", b'{"resourceType":"Patient","id":"p{n}"}'),
        ("GET", "/healthz", None),
        ("GET", "/fhir/PlanDefinition/unknown-{n}", None),
        ("GET", "/fhir/CodeSystem/$lookup?system=urn:{n}&code=x", None),
        ("POST", "/fhir/PlanDefinition/mst-gist/$apply", examples["suspected-collection"]),
    ]
    total, sizes = 50_000, []
    headers = {"Content-Type": "application/fhir+json"}
    with (
        serve(CAREPATH_WORKERS="1", CAREPATH_LOG_LEVEL="error") as one,
        httpx.Client(base_url=one.root, headers=headers, timeout=60) as client,
    ):
        for n in range(total):
            method, url, data = kinds[n % len(kinds)]
            content = data.replace(b"{n}", str(n).encode()) if data else None
            answer = client.request(method, url.replace("{n}", str(n)), content=content)
            assert answer.status_code < 500
            if n % (total // 10) == 0:
                sizes.append(resident(one.process.pid))
    settled = sizes[2]
    assert sizes[-1] < settled * 1.05 + 4_000_000, sizes
