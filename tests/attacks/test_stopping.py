"""A thousand operations of every kind are stopped, and nobody notices but those who sent them."""

import json
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle, islice
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest

FHIR = "application/fhir+json"
XML = "application/fhir+xml"
APPLY = "PlanDefinition/mst-suspicion/$apply"
WORKERS = 2


class Dear(NamedTuple):
    """One operation that takes far longer than it may."""

    path: str
    content: bytes = b""
    sent_as: str = FHIR
    wanted_as: str = FHIR


def encoded(resource: dict[str, Any]) -> bytes:
    return json.dumps(resource).encode()


def entries(*resources: dict[str, Any]) -> dict[str, Any]:
    found = [{"resource": resource} for resource in resources]
    return {"resourceType": "Bundle", "type": "collection", "entry": found}


def parameters(**resources: Any) -> bytes:
    parts = [{"name": name, "resource": resource} for name, resource in resources.items()]
    return encoded({"resourceType": "Parameters", "parameter": parts})


def plan(count: int, expression: str) -> dict[str, Any]:
    condition = {
        "kind": "applicability",
        "expression": {"language": "text/fhirpath", "expression": expression},
    }
    actions = [{"id": f"a{n}", "title": "t", "condition": [condition]} for n in range(count)]
    head = {"resourceType": "PlanDefinition", "url": "http://x/p", "status": "active"}
    return {**head, "action": actions}


ADA = {"resourceType": "Patient", "id": "p"}
PATIENTS = entries(*({"resourceType": "Patient", "id": f"p{n}"} for n in range(1000)))
NAMES = encoded({**ADA, "name": [{"family": f"A{n}"} for n in range(20_000)]})
XML_NAMES = b"".join(
    [b'<Patient xmlns="http://hl7.org/fhir">', b"<name><text/></name>" * 30_000, b"</Patient>"]
)
CODES = {
    "resourceType": "ValueSet",
    "url": "http://x/v",
    "status": "active",
    "compose": {
        "include": [{"system": "http://x/s", "concept": [{"code": f"c{n}"} for n in range(20_000)]}]
    },
}
ENDLESS = "(1 | 2 | 3 | 4 | 5 | 6).repeatAll(iif($this < 9999, $this + 1, {})).count() > 0"
WIDE = "PlanDefinition?_include=*&_include:iterate=*&_count=500"

KINDS: dict[str, Dear] = {
    "$apply, a large plan": Dear(
        "PlanDefinition/$apply", parameters(planDefinition=plan(2000, "true"), data=entries(ADA))
    ),
    "$apply, expressions": Dear(
        "PlanDefinition/$apply", parameters(planDefinition=plan(200, ENDLESS), data=entries(ADA))
    ),
    "$r5.apply": Dear(
        "PlanDefinition/$r5.apply", parameters(planDefinition=plan(2000, "{}"), data=entries(ADA))
    ),
    "$apply-pathways": Dear("$apply-pathways", encoded(PATIENTS)),
    "$validate, JSON": Dear("Patient/$validate", NAMES),
    "$validate, XML": Dear("Patient/$validate", XML_NAMES, XML, XML),
    "$expand": Dear("ValueSet/$expand", parameters(valueSet=CODES), FHIR, XML),
    "$validate-code": Dear(
        "ValueSet/$validate-code",
        encoded(
            {
                "resourceType": "Parameters",
                "parameter": [
                    {"name": "valueSet", "resource": CODES},
                    {"name": "coding", "valueCoding": {"system": "http://x/s", "code": "c1"}},
                ],
            }
        ),
    ),
    "$package": Dear("PlanDefinition/mst-pathway/$package", wanted_as=XML),
    "search": Dear(WIDE, wanted_as=XML),
}


def send(base: str, dear: Dear) -> httpx.Response:
    headers = {"Accept": dear.wanted_as, "Content-Type": dear.sent_as}
    method = "POST" if dear.content else "GET"
    return httpx.request(
        method, f"{base}/{dear.path}", content=dear.content, headers=headers, timeout=60
    )


def outcome(response: httpx.Response) -> tuple[int, str]:
    """Return status and code of an OperationOutcome, in whatever format."""
    if response.headers["content-type"].startswith(XML):
        assert response.text.startswith('<?xml version="1.0" encoding="UTF-8"?><OperationOutcome')
        return response.status_code, response.text.split('<code value="')[1].split('"')[0]
    found = response.json()
    assert found["resourceType"] == "OperationOutcome"
    return response.status_code, found["issue"][0]["code"]


def threads(server: Any) -> dict[str, int]:
    """Return how many threads each worker has."""
    pid = server.process.pid
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text("utf-8").split()
    return {child: len([*Path(f"/proc/{child}/task").iterdir()]) for child in children}


def threads_of_all(server: Any) -> dict[str, int]:
    """Return the same once all workers have begun, each with all of its threads."""
    for _ in range(100):
        found = threads(server)
        if len(found) == WORKERS and len(set(found.values())) == 1 and found == threads(server):
            break
        time.sleep(0.1)
    return found


def right_one(server: Any, body: bytes, right: bytes) -> bool:
    """Tell whether a healthy request is answered right; on a busy machine it may be stopped."""
    for _ in range(50):
        response = httpx.post(
            f"{server.base}/{APPLY}", content=body, headers={"Content-Type": FHIR}
        )
        if response.status_code == 200:
            return response.content == right
        time.sleep(0.1)
    return False


@pytest.fixture
def healthy(serve: Callable[..., Any], small: bytes) -> Iterator[bytes]:
    """The answer of a service that nobody attacks."""
    with serve() as one:
        yield httpx.post(
            f"{one.base}/{APPLY}", content=small, headers={"Content-Type": FHIR}
        ).content


@pytest.mark.parametrize(
    "number", [40, pytest.param(1000, marks=pytest.mark.slow)], ids=["few", "1000"]
)
def test_operations_of_every_kind_are_stopped(
    serve: Callable[..., Any], small: bytes, healthy: bytes, number: int
) -> None:
    settings = {
        "CAREPATH_REQUEST_SECONDS": "0.04",
        "CAREPATH_QUEUE_SECONDS": "30",
        "CAREPATH_WORKERS": str(WORKERS),
    }
    with serve(**settings) as one, ThreadPoolExecutor(8) as pool:
        assert right_one(one, small, healthy)
        before = threads_of_all(one)
        names = [*islice(cycle(KINDS), number)]
        answers = [*pool.map(lambda name: outcome(send(one.base, KINDS[name])), names)]
        assert right_one(one, small, healthy)
        after = threads(one)
    found: dict[str, Counter[tuple[int, str]]] = defaultdict(Counter)
    for name, answer in zip(names, answers, strict=True):
        found[name][answer] += 1
    stopped = {(422, "too-costly"): number // len(KINDS)}
    assert {name: dict(counts) for name, counts in found.items() if counts != stopped} == {}
    assert after == before
    assert [line for line in one.lines if line["level"] in ("error", "critical")] == []
