"""Definitions and value sets that are read from the servers a request names.

https://hl7.org/fhir/uv/crmi/StructureDefinition-crmi-artifact-endpoint-configurable-operation.html
"""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from carepath.deadline import Deadline, until
from carepath.knowledge import Knowledge
from carepath.web import Config, create_app
from carepath.web.data_endpoint.artifacts import Artifacts, Route
from carepath.web.http.refusals import DataEndpointFailed

Json = dict[str, Any]
URL = "https://example.org/fhir"
NOW = "2026-03-31T09:15:00+04:00"
PATIENT = {"resourceType": "Patient", "id": "p"}
PAIN = {
    "resourceType": "Condition",
    "id": "c",
    "subject": {"reference": "Patient/p"},
    "code": {"coding": [{"system": "urn:s", "code": "pain"}]},
}


def definition(type_: str, id_: str, **more: Any) -> Json:
    head = {"resourceType": type_, "id": id_, "url": f"{URL}/{type_}/{id_}", "status": "draft"}
    return {**head, "version": "1", **more}


def action(id_: str, leads_to: str, condition: str = "true") -> Json:
    expression = {"language": "text/fhirpath", "expression": condition}
    return {
        "id": id_,
        "title": id_,
        "definitionCanonical": f"{URL}/{leads_to}",
        "condition": [{"kind": "applicability", "expression": expression}],
    }


SCAN = definition("ActivityDefinition", "scan", kind="ServiceRequest", code={"text": "Scan"})
PAINS = definition("ValueSet", "pains", compose={"include": [{"system": "urn:s"}]})
SYSTEM = definition("CodeSystem", "s", content="complete", concept=[{"code": "pain"}])
SYSTEM["url"] = "urn:s"
FACT = {
    "name": "inPain",
    "language": "text/fhirpath",
    "expression": f"%conditions.code.memberOf('{PAINS['url']}').exists($this)",
}
FACTS = definition(
    "Library",
    "facts",
    type={"text": "logic-library"},
    extension=[
        {
            "url": "https://carepath.example/fhir/StructureDefinition/fact",
            "valueExpression": FACT,
        }
    ],
    dataRequirement=[{"id": "conditions", "type": "Condition"}],
)
INNER = definition(
    "PlanDefinition",
    "inner",
    library=[f"{URL}/Library/facts"],
    action=[action("i", "ActivityDefinition/scan", "%inPain")],
)
OUTER = definition("PlanDefinition", "outer", action=[action("o", "PlanDefinition/inner")])
CONTENT = (OUTER, INNER, SCAN, FACTS)
TERMS = (PAINS, SYSTEM)


@dataclass
class Server:
    """A server that answers searches by `url` and `version`; what it was asked, and by whom."""

    held: tuple[Json, ...] = ()
    host: str = ""
    asked: list[str] = field(default_factory=list)
    logins: list[str | None] = field(default_factory=list)
    status: int = 200

    @property
    def base(self) -> str:
        return f"http://{self.host}/fhir"

    def answer(self, path: str) -> Json:
        parts = urlsplit(path)
        resource_type, query = parts.path.rpartition("/")[2], parse_qs(parts.query)
        self.asked.append(f"{resource_type} {query['url'][0]}")
        found = [
            r for r in self.held if (r["resourceType"], r["url"]) == (resource_type, *query["url"])
        ]
        entries = [{"resource": resource} for resource in found]
        return {"resourceType": "Bundle", "type": "searchset", "entry": entries}


def opened(server: Server, stack: ExitStack) -> Server:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            server.logins.append(self.headers.get("Authorization"))
            body = json.dumps(server.answer(self.path)).encode()
            self.send_response(server.status)
            self.send_header("Content-Type", "application/fhir+json")
            self.end_headers()
            with suppress(ConnectionError):  # Who has read enough leaves.
                self.wfile.write(body)

        def log_message(self, *_arguments: Any) -> None:
            """Say nothing."""

    http = stack.enter_context(ThreadingHTTPServer(("127.0.0.1", 0), Handler))
    threading.Thread(target=http.serve_forever, args=(0.01,), daemon=True).start()
    stack.callback(http.shutdown)
    server.host = f"127.0.0.1:{http.server_address[1]}"
    return server


Open = Callable[..., Server]


@pytest.fixture
def serve() -> Iterator[Open]:
    with ExitStack() as stack:
        yield lambda *held: opened(Server(held), stack)


def endpoint(name: str, server: Server, **more: Any) -> Json:
    resource = {
        "resourceType": "Endpoint",
        "status": "active",
        "connectionType": {"code": "hl7-fhir-rest"},
        "payloadType": [{"text": "any"}],
        "address": server.base,
        **more,
    }
    return {"name": name, "resource": resource}


def configured(server: Server, route: str = "") -> Json:
    parts = [{"name": "endpointUri", "valueUri": server.base}]
    parts += [{"name": "artifactRoute", "valueUri": route}] if route else []
    return {"name": "artifactEndpointConfiguration", "part": parts}


def apply(
    *parts: Json, held: tuple[Json, ...] = (), url: str = OUTER["url"], **settings: Any
) -> Any:
    """Apply a plan by its canonical; every server that a part names is on the list."""
    hosts = settings.pop("hosts", None)
    if hosts is None:
        texts = json.dumps(parts).split("http://")[1:]
        hosts = tuple(text.partition("/")[0] for text in texts if text.startswith("127."))
    config = Config(now=NOW, data_endpoint_hosts=hosts, data_endpoint_retries=0, **settings)
    client = create_app(config, Knowledge.of(held)).test_client()
    entries = [{"resource": PATIENT}, {"resource": PAIN}]
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": entries}
    given = [
        {"name": "url", "valueUri": url},
        {"name": "subject", "valueString": "Patient/p"},
        {"name": "data", "resource": bundle},
        *parts,
    ]
    body = {"resourceType": "Parameters", "parameter": given}
    response = client.post("/fhir/PlanDefinition/$apply", json=body)
    return response.status_code, json.loads(response.data)


def scans(answer: Json) -> int:
    assert answer["resourceType"] == "CarePlan", answer
    return sum(r["resourceType"] == "ServiceRequest" for r in answer["contained"])


def test_a_plan_and_all_that_it_leads_to_are_read(serve: Open) -> None:
    content, terms = serve(*CONTENT), serve(*TERMS)
    parts = endpoint("contentEndpoint", content), endpoint("terminologyEndpoint", terms)
    status, answer = apply(*parts)
    assert (status, scans(answer)) == (200, 1)
    assert sorted(content.asked) == [
        f"ActivityDefinition {SCAN['url']}",
        f"Library {FACTS['url']}",
        f"PlanDefinition {INNER['url']}",
        f"PlanDefinition {OUTER['url']}",
    ]
    assert terms.asked == [f"ValueSet {PAINS['url']}", "CodeSystem urn:s"]


def test_what_is_here_is_not_asked_for(serve: Open) -> None:
    server = serve(*CONTENT)
    status, answer = apply(endpoint("contentEndpoint", server), held=(*CONTENT, *TERMS))
    assert (status, scans(answer), server.asked) == (200, 1, [])


def test_what_was_sent_comes_before_what_is_read(serve: Open) -> None:
    server = serve(*CONTENT, *TERMS)
    sent = {**SCAN, "code": {"text": "Sent"}}
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": sent}]}
    _, answer = apply(configured(server), {"name": "definitions", "resource": bundle})
    requests = [r for r in answer["contained"] if r["resourceType"] == "ServiceRequest"]
    assert [request["code"]["text"] for request in requests] == ["Sent"]
    assert f"ActivityDefinition {SCAN['url']}" not in server.asked


def test_each_server_is_asked_for_what_it_is_named_for(serve: Open) -> None:
    content = serve(*CONTENT, *TERMS)
    status, answer = apply(endpoint("contentEndpoint", content))
    # No server for value sets: the fact is unknown, and so nothing is proposed.
    assert (status, scans(answer)) == (200, 0)
    assert not any(asked.startswith(("ValueSet", "CodeSystem")) for asked in content.asked)


def test_routes_are_tried_in_order(serve: Open) -> None:
    nothing, own, others = serve(), serve(*CONTENT, PAINS), serve(SYSTEM)
    parts = [configured(nothing, f"{URL}/Library"), configured(own, URL), configured(others)]
    status, answer = apply(*parts)
    assert (status, scans(answer)) == (200, 1)
    assert nothing.asked == [f"Library {FACTS['url']}"]
    assert others.asked == ["CodeSystem urn:s"]


def test_the_newest_version_is_taken_and_a_pinned_one_is_kept(serve: Open) -> None:
    plan = {**OUTER, "action": [action("o", "ActivityDefinition/scan")]}
    versions = [{**SCAN, "version": v, "code": {"text": v}} for v in ("9", "10", "2")]
    for pinned, wanted in (("", "10"), ("|2", "2")):
        canonical = plan["action"][0]["definitionCanonical"].partition("|")[0] + pinned
        plan["action"][0]["definitionCanonical"] = canonical
        _, answer = apply(configured(serve(plan, *versions)))
        requests = [r for r in answer["contained"] if r["resourceType"] == "ServiceRequest"]
        assert [request["code"]["text"] for request in requests] == [wanted]


def test_what_is_nowhere_is_told(serve: Open) -> None:
    status, outcome = apply(configured(serve()))
    assert (status, outcome["resourceType"]) == (404, "OperationOutcome")
    status, answer = apply(configured(serve(OUTER)))
    assert (status, INNER["url"] in json.dumps(answer["contained"])) == (200, True)


def test_who_asks_is_told_to_that_server_only(serve: Open) -> None:
    content, terms = serve(*CONTENT), serve(*TERMS)
    login = ["Authorization: Bearer x"]
    parts = endpoint("contentEndpoint", content, header=login), configured(terms)
    assert apply(*parts)[0] == 200
    assert (set(content.logins), set(terms.logins)) == ({"Bearer x"}, {None})


@pytest.mark.parametrize("name", ["contentEndpoint", "terminologyEndpoint"])
def test_only_listed_hosts_are_asked(serve: Open, name: str) -> None:
    server = serve(*CONTENT)
    for part, named in (
        (endpoint(name, server), name),
        (configured(server), "artifactEndpointConfiguration"),
    ):
        status, outcome = apply(part, hosts=("records.example",))
        assert (status, named in outcome["issue"][0]["diagnostics"]) == (400, True)
    assert server.asked == []


def test_a_configuration_names_one_server(serve: Open) -> None:
    server = serve()
    both = configured(server)
    both["part"].append(endpoint("endpoint", server))
    none = {**both, "part": [{"name": "artifactRoute", "valueUri": URL}]}
    many = [configured(server)] * 21
    for parts, said in (((both,), "one of"), ((none,), "one of"), (many, "20 at most")):
        status, outcome = apply(*parts)
        assert (status, said in outcome["issue"][0]["diagnostics"]) == (400, True)


def test_a_server_that_does_not_help(serve: Open) -> None:
    for code, status, said in ((403, 422, "answered 403"), (503, 503, "does not answer")):
        server = serve(*CONTENT)
        server.status = code
        found, outcome = apply(endpoint("contentEndpoint", server))
        told = outcome["issue"][0]["diagnostics"]
        assert (found, said in told, "The content endpoint" in told) == (status, True, True)


def test_how_much_is_read_is_bounded(serve: Open) -> None:
    many = [action(f"a{n}", f"ActivityDefinition/x{n}") for n in range(201)]
    status, outcome = apply(configured(serve({**OUTER, "action": many})))
    assert (status, "200" in outcome["issue"][0]["diagnostics"]) == (413, True)
    filled = [{**one, "description": "x" * 30_000} for one in (OUTER, INNER, SCAN)]
    parts = [configured(serve(one)) for one in filled]
    status, outcome = apply(*parts, max_body_bytes=100_000, max_expanded_bytes=80_000)
    said = "What the artifact endpoint holds is larger than this service allows (80000)"
    assert (status, said in outcome["issue"][0]["diagnostics"]) == (413, True)


def test_an_activity_is_read_by_its_canonical(serve: Open) -> None:
    server = serve(SCAN)
    config = Config(now=NOW, data_endpoint_hosts=(server.host,))
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": PATIENT}]}
    parts = [
        endpoint("contentEndpoint", server),
        {"name": "canonical", "valueCanonical": f"{SCAN['url']}|1"},
        {"name": "data", "resource": bundle},
    ]
    body = {"resourceType": "Parameters", "parameter": parts}
    client = create_app(config, Knowledge.of(())).test_client()
    answer = client.post("/fhir/ActivityDefinition/$apply", json=body).get_json(force=True)
    assert (answer["resourceType"], answer["code"]) == ("ServiceRequest", SCAN["code"])
    # Nothing of it is kept.
    assert client.get("/fhir/ActivityDefinition/scan").status_code == 404


def test_the_time_of_the_operation_is_not_exceeded(serve: Open) -> None:
    server = serve()
    asked = server.answer

    def answer(path: str) -> Json:
        time.sleep(3)
        return asked(path)

    server.answer = answer  # type: ignore[method-assign]
    started = time.perf_counter()
    config = Config(data_endpoint_hosts=(server.host,), data_endpoint_retries=0)
    routes = [Route("contentEndpoint", server.base, {})]
    with (
        until(Deadline.after(0.4, time.monotonic)),
        pytest.raises(DataEndpointFailed),
        Artifacts(routes, Knowledge.of(()), config) as artifacts,
    ):
        artifacts.gather([OUTER])
    assert time.perf_counter() - started < 2


def test_matches_that_were_not_asked_for_do_not_count(serve: Open) -> None:
    server = serve(OUTER)
    other = {**INNER, "url": f"{URL}/PlanDefinition/other"}
    bundle = {"resourceType": "Bundle", "type": "searchset"}
    odd: list[Any] = [None, 7, {"resource": 7}, {"resource": other}, {"resource": SCAN}]
    asked = server.answer

    def answer(path: str) -> Json:
        return asked(path) if "outer" in path else {**bundle, "entry": odd}

    server.answer = answer  # type: ignore[method-assign]
    status, result = apply(configured(server))
    assert (status, scans(result)) == (200, 0)
