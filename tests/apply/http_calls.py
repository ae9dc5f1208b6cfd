"""Turn a case of this suite into HTTP calls; standard library only.

As a program it runs the suite against a FHIR server that stores what it is sent:

    python http_calls.py http://localhost:8080/fhir [name ...]

It puts the definitions (and, for `server-data`, the patients) on the server, invokes the operation,
compares, and prints one line per case.  Use a server of its own: nothing is deleted afterwards.
"""

import json
import re
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

Json = dict[str, Any]
CASES = Path(__file__).parent / "cases"
PARTS = {"prefetchData": {"key": "valueString", "descriptor": "valueString", "data": "resource"}}


class Call(NamedTuple):
    """One HTTP request: method, path below the base, and the resource to send."""

    method: str
    path: str
    body: Json | None


def read_case(path: Path) -> Json:
    """Read a case; decimals keep their digits."""
    case: Json = json.loads(path.read_text("utf-8"), parse_float=Decimal)
    return case


def definitions_first(case: Json) -> Iterator[Call]:
    """Yield the calls that put what the case needs on a server."""
    stored = [*case["definitions"]]
    if "server-data" in case.get("needs", ()):
        stored += case["data"]
    for resource in stored:
        yield Call("PUT", f"{resource['resourceType']}/{resource['id']}", resource)


def operation_call(case: Json) -> Call:
    """Return the call that invokes the operation of a case."""
    request = case["request"]
    resource_type, _, operation = request["operation"].rpartition("/")
    place = request.get("definition", resource_type or "PlanDefinition")
    path = f"{place}/{operation}"
    parameters = request.get("parameters", {})
    if request.get("method") == "GET":
        return Call("GET", f"{path}?{urllib.parse.urlencode(parameters)}", None)
    if request.get("body") == "bundle":
        return Call("POST", path, data_bundle(case))
    parts = [part for name, value in parameters.items() for part in _parts(name, value)]
    parts.append({"name": "data", "resource": data_bundle(case)})
    return Call("POST", path, {"resourceType": "Parameters", "parameter": parts})


def data_bundle(case: Json) -> Json:
    """Return the data of a case as a collection Bundle."""
    entries = [
        {"fullUrl": f"http://example.org/fhir/{r['resourceType']}/{r['id']}", "resource": r}
        for r in case["data"]
    ]
    return {"resourceType": "Bundle", "type": "collection", "entry": entries}


def _parts(name: str, value: Any) -> Iterator[Json]:
    if isinstance(value, list):
        for one in value:
            yield from _parts(name, one)
    elif isinstance(value, bool):
        yield {"name": name, "valueBoolean": value}
    elif isinstance(value, str):
        yield {"name": name, "valueString": value}
    elif "resourceType" in value:
        yield {"name": name, "resource": value}
    elif name in PARTS:
        parts = [{"name": key, PARTS[name][key]: inner} for key, inner in value.items()]
        yield {"name": name, "part": parts}
    else:
        yield {"name": name, "valueCodeableConcept": value}


def answers_of(case: Json, body: Json) -> list[tuple[Json, Json]]:
    """Return pairs of what is expected and what was answered."""
    if "returns" in case["expect"]:
        returned = [p["resource"] for p in body.get("parameter", []) if p["name"] == "return"]
        return list(zip(case["expect"]["returns"], returned, strict=True))
    return [(case["expect"], body)]


def refusal_differences(case: Json, status: int, body: Json) -> list[str]:
    """Return what is wrong with a refusal: a 4xx whose OperationOutcome names the cause."""
    if not 400 <= status < 500:
        return [f"expected to be refused, got status {status}"]
    if body.get("resourceType") != "OperationOutcome":
        return [f"expected an OperationOutcome, got {body.get('resourceType')}"]
    text = json.dumps(body, default=str)
    names = case["expect"]["refused"]["names"]
    return [f"the refusal does not name {name}" for name in names if name not in text]


def encoded(resource: Json) -> bytes:
    """Return a resource as JSON; decimals keep their digits, which floats would lose."""
    text = json.dumps(resource, default=lambda number: f"decimal {number}")
    return re.sub(r'"decimal (-?[0-9.]+)"', r"\1", text).encode()


def _send(base: str, call: Call) -> tuple[int, Json]:
    data = None if call.body is None else encoded(call.body)
    headers = {"Accept": "application/fhir+json", "Content-Type": "application/fhir+json"}
    request = urllib.request.Request(f"{base}/{call.path}", data, headers, method=call.method)  # noqa: S310 (the caller names the server)
    try:
        with urllib.request.urlopen(request) as response:  # noqa: S310
            return response.status, json.loads(response.read() or b"{}", parse_float=Decimal)
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read() or b"{}", parse_float=Decimal)


def _main(base: str, names: list[str]) -> int:
    from compare import answer_differences  # noqa: PLC0415 (only as a program beside compare.py)

    known = {path.stem for path in CASES.glob("*.json")}
    if not set(names) <= known:
        print(f"no such case: {', '.join(sorted(set(names) - known))}", file=sys.stderr)  # noqa: T201
        return 2
    failed = 0
    for path in sorted(CASES.glob("*.json")):
        if names and path.stem not in names:
            continue
        case = read_case(path)
        for call in definitions_first(case):
            _send(base, call)
        status, body = _send(base, operation_call(case))
        try:
            if "refused" in case["expect"]:
                found = refusal_differences(case, status, body)
            else:
                pairs = answers_of(case, body)
                found = [d for expect, answer in pairs for d in answer_differences(expect, answer)]
        except (KeyError, IndexError, TypeError, ValueError) as error:
            found = [f"status {status}, and an answer of another shape: {error!r}"]
        failed += bool(found) and "optional" not in case
        print(f"{'FAIL' if found else 'ok  '} {path.stem}", *found, sep="\n     " if found else "")  # noqa: T201
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(_main(sys.argv[1].rstrip("/"), sys.argv[2:]))
