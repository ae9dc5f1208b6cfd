"""Reading data from another FHIR server, which here is a real one that behaves well or badly."""

import contextlib
import gzip
import json
import socket
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from flask.testing import FlaskClient

from carepath.errors import SubjectNotFound
from carepath.formats import xml as xml_codec
from carepath.web import Config
from carepath.web.data_endpoint.reader import DataEndpoint
from carepath.web.http.refusals import DataEndpointFailed, DataEndpointRefused, TooLarge

Json = dict[str, Any]
PATIENT = {"resourceType": "Patient", "id": "p", "gender": "female"}
JSON = {"Content-Type": "application/fhir+json"}


@dataclass
class Answer:
    """What the other server sends: a resource, bytes, or pieces of bytes as they come."""

    content: Json | bytes | Callable[[], Iterable[bytes]] = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=lambda: JSON)

    def pieces(self) -> Iterable[bytes]:
        if isinstance(self.content, dict):
            return [json.dumps(self.content).encode()]
        return [self.content] if isinstance(self.content, bytes) else self.content()


def condition(id: str) -> Json:
    return {"resourceType": "Condition", "id": id, "subject": {"reference": "Patient/p"}}


def page(*resources: Any, following: str = "") -> Answer:
    link = [{"relation": "next", "url": following}] if following else []
    entry = [{"resource": resource} for resource in resources]
    return Answer({"resourceType": "Bundle", "type": "searchset", "link": link, "entry": entry})


@dataclass
class Hospital:
    """The other server: what it answers to searches, what it was asked, how long others waited."""

    host: str = ""
    search: Callable[[str], Answer] = lambda _: page()
    patient: Answer = field(default_factory=lambda: Answer(PATIENT))
    asked: list[str] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    slept: list[float] = field(default_factory=list)

    @property
    def base(self) -> str:
        return f"http://{self.host}/fhir"

    def answer(self, path: str) -> Answer:
        self.asked.append(path)
        return self.patient if path.startswith("/fhir/Patient/") else self.search(path)

    def gather(self, *requirements: Json, **settings: Any) -> list[Json]:
        config = Config(**{"data_endpoint_hosts": (self.host,), **settings})
        endpoint = DataEndpoint(self.base, config, sleep=self.slept.append)
        return endpoint.gather("Patient/p", requirements)


@contextmanager
def open_hospital() -> Iterator[Hospital]:
    opened = Hospital()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            opened.headers.append(dict(self.headers))
            answer = opened.answer(self.path)
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.end_headers()
            try:
                for piece in answer.pieces():
                    self.wfile.write(piece)
            except OSError:
                self.close_connection = True  # whoever asked has heard enough

        def log_message(self, *_arguments: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        opened.host = f"127.0.0.1:{server.server_address[1]}"
        yield opened
        server.shutdown()


@pytest.fixture
def hospital() -> Iterator[Hospital]:
    with open_hospital() as opened:
        yield opened


def needs(resource_type: str, *codes: Json) -> Json:
    found: Json = {"type": resource_type}
    return found | ({"codeFilter": [{"path": "code", "code": list(codes)}]} if codes else {})


def test_one_search_for_each_type_that_is_required(hospital: Hospital) -> None:
    loinc = {"system": "http://loinc.org", "code": "1-8"}
    hospital.gather(
        needs("Observation", loinc),
        needs("Observation", {"code": "x|y"}),
        needs("Condition"),
        needs("Condition", loinc),
        needs("Patient"),
        needs("Organization"),
    )
    queries = [(urlsplit(url).path, parse_qs(urlsplit(url).query)) for url in hospital.asked]
    of_patient = {"patient": ["Patient/p"], "_count": ["200"]}
    assert queries == [
        ("/fhir/Patient/p", {}),
        ("/fhir/Condition", of_patient),
        ("/fhir/Observation", {**of_patient, "code": ["http://loinc.org|1-8,x\\|y"]}),
    ]
    assert {h["Accept"] for h in hospital.headers} == {"application/fhir+json"}


@pytest.mark.parametrize(
    ("codes", "asked"),
    [
        (["a,b", "c|d", "e$f", "g\\h"], ["a\\,b,c\\|d,e\\$f,g\\\\h"]),
        ([f"c{n}" for n in range(20)], [",".join(f"c{n}" for n in range(20))]),
        # More would make a URL that some servers do not take: all are read.
        ([f"c{n}" for n in range(21)], []),
    ],
)
def test_codes_are_asked_for_where_they_are_few(
    hospital: Hospital, codes: list[str], asked: list[str]
) -> None:
    hospital.gather(needs("Condition", *({"code": code} for code in codes)))
    assert parse_qs(urlsplit(hospital.asked[1]).query).get("code", []) == asked


@pytest.mark.parametrize(
    "link", ["{base}/Condition?page={n}", "?page={n}", "/fhir/Condition?page={n}"]
)
def test_all_pages_are_read(hospital: Hospital, link: str) -> None:
    warning = {"resourceType": "OperationOutcome", "issue": [{"severity": "warning"}]}

    def search(path: str) -> Answer:
        number = int(parse_qs(urlsplit(path).query).get("page", ["1"])[0])
        following = link.format(base=hospital.base, n=number + 1) if number < 3 else ""
        return page(condition(f"c{number}"), warning, following=following)

    hospital.search = search
    found = hospital.gather(needs("Condition"))
    assert [r["id"] for r in found] == ["p", "c1", "c2", "c3"]


@pytest.mark.parametrize("form", ["XML", "gzip", "a charset", "plain JSON"])
def test_answers_in_every_form(hospital: Hospital, form: str) -> None:
    content = page(condition("c")).content
    assert isinstance(content, dict)
    plain = json.dumps(content).encode()
    hospital.search = lambda _: {
        "XML": Answer(xml_codec.encode(content), headers={"Content-Type": "application/fhir+xml"}),
        "gzip": Answer(gzip.compress(plain), headers={**JSON, "Content-Encoding": "gzip"}),
        "a charset": Answer(plain, headers={"Content-Type": "application/fhir+json;charset=UTF-8"}),
        "plain JSON": Answer(plain, headers={"Content-Type": "application/json"}),
    }[form]
    assert [r["id"] for r in hospital.gather(needs("Condition"))] == ["p", "c"]


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_what_fails_for_the_moment_is_tried_again(hospital: Hospital, status: int) -> None:
    answers = iter([Answer(status=status), Answer(status=status), page(condition("c"))])
    hospital.search = lambda _: next(answers)
    assert len(hospital.gather(needs("Condition"))) == 2
    assert hospital.slept == [0.2, 0.4]


@pytest.mark.parametrize(
    ("told", "slept"),
    [("3", [3, 3]), ("0", [0.2, 0.4]), ("Wed, 21 Oct 2026 07:28:00 GMT", [0.2, 0.4])],
)
def test_retry_after_is_kept(hospital: Hospital, told: str, slept: list[float]) -> None:
    hospital.search = lambda _: Answer(status=429, headers={"Retry-After": told})
    with pytest.raises(DataEndpointFailed, match="does not answer"):
        hospital.gather(needs("Condition"))
    assert hospital.slept == slept


def test_a_long_retry_after_is_passed_on(hospital: Hospital) -> None:
    hospital.search = lambda _: Answer(status=503, headers={"Retry-After": "120"})
    with pytest.raises(DataEndpointFailed) as caught:
        hospital.gather(needs("Condition"))
    assert (caught.value.retry_after, hospital.slept) == (120, [])


def test_a_pause_that_the_request_has_no_time_for_is_not_made(hospital: Hospital) -> None:
    hospital.search = lambda _: Answer(status=503, headers={"Retry-After": "4"})
    with pytest.raises(DataEndpointFailed, match="does not answer in time"):
        hospital.gather(needs("Condition"), request_seconds=4)
    assert hospital.slept == []


def drip() -> Iterator[bytes]:
    """Send a little again and again, each piece soon enough."""
    for _ in range(600):
        yield b" "
        time.sleep(0.05)


def silence() -> Iterator[bytes]:
    time.sleep(10)
    yield b" "


@cache
def bomb() -> bytes:
    return gzip.compress(b'{"resourceType":"Bundle","x":"' + b" " * 80_000_000 + b'"}')


OUTCOME = {
    "resourceType": "OperationOutcome",
    "issue": [{"severity": "error", "code": "exception"}],
}
BADLY: dict[str, tuple[Callable[[Hospital], Answer], str, Json]] = {
    "401": (lambda _: Answer(OUTCOME, status=401), "401", {}),
    "403": (lambda _: Answer(OUTCOME, status=403), "403", {}),
    "400": (lambda _: Answer(OUTCOME, status=400), "400", {}),
    "404": (lambda _: Answer(OUTCOME, status=404), "not answered with a Bundle", {}),
    "a redirect": (lambda _: Answer(status=302, headers={"Location": "/fhir/x"}), "302", {}),
    "HTML": (lambda _: Answer(b"<html>", headers={"Content-Type": "text/html"}), "text/html", {}),
    "no Content-Type": (lambda _: Answer(b"{}", headers={}), "Content-Type", {}),
    "no JSON": (lambda _: Answer(b"{,"), "cannot be read", {}),
    "a list": (lambda _: Answer(b"[]"), "resourceType", {}),
    "no Bundle": (lambda _: Answer(PATIENT), "not answered with a Bundle", {}),
    "an outcome": (lambda _: Answer(OUTCOME), "not answered with a Bundle", {}),
    "errors among the matches": (lambda _: page(condition("c"), OUTCOME), "with errors", {}),
    "a page elsewhere": (lambda _: page(following="http://evil.example/fhir"), "another host", {}),
    "a page at another port": (
        lambda h: page(following=f"http://{h.host.partition(':')[0]}:1/fhir"), "another host", {}),
    "a page by another scheme": (
        lambda h: page(following=f"https://{h.host}/fhir"), "another host", {}),
    "a page with a user": (
        lambda h: page(following=f"http://me:secret@{h.host}/fhir"), "another host", {}),
    "a page in a file": (lambda _: page(following="file:///etc/passwd"), "another host", {}),
    "a page nowhere": (lambda _: page(following="http://[::1"), "no valid URL", {}),
    "a circle": (lambda h: page(following=f"{h.base}/Condition?a=1"), "circle", {}),
    "pages without end": (
        lambda h: page(following=f"{h.base}/Condition?page={len(h.asked)}"), "too many pages", {}),
    "too large": (lambda _: Answer(b" " * 5000), "larger", {"max_body_bytes": 1000}),
    "a bomb": (lambda _: Answer(bomb(), headers={**JSON, "Content-Encoding": "gzip"}), "larger",
               {"max_expanded_bytes": 1_000_000}),
    "broken gzip": (lambda _: Answer(b"x", headers={**JSON, "Content-Encoding": "gzip"}),
                    "gzip", {}),
    "another encoding": (lambda _: Answer(b"x", headers={**JSON, "Content-Encoding": "br"}),
                         "br", {}),
    "too deep": (lambda _: Answer(b'{"a":' * 100 + b"1" + b"}" * 100), "cannot be read", {}),
}  # fmt: skip


@pytest.mark.parametrize(("behave", "said", "settings"), BADLY.values(), ids=BADLY.keys())
def test_what_cannot_be_used_is_said_and_not_tried_again(
    hospital: Hospital, behave: Callable[[Hospital], Answer], said: str, settings: Json
) -> None:
    hospital.search = lambda _: behave(hospital)
    with pytest.raises(DataEndpointRefused, match=said) as caught:
        hospital.gather(needs("Condition"), **settings)
    assert (caught.value.host, hospital.slept) == (hospital.host, [])
    assert "secret" not in str(caught.value)


def test_a_bomb_takes_no_memory(hospital: Hospital) -> None:
    packed = Answer(bomb(), headers={**JSON, "Content-Encoding": "gzip"})
    hospital.search = lambda _: packed
    tracemalloc.start()
    with pytest.raises(DataEndpointRefused):
        hospital.gather(needs("Condition"), max_expanded_bytes=1_000_000)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20_000_000


@pytest.mark.parametrize(
    "patient", [Answer(OUTCOME), Answer({**PATIENT, "id": "q"}), Answer(condition("p"))]
)
def test_a_read_must_give_the_patient(hospital: Hospital, patient: Answer) -> None:
    hospital.patient = patient
    with pytest.raises(DataEndpointRefused, match="the Patient"):
        hospital.gather()


@pytest.mark.parametrize("status", [404, 410])
def test_an_unknown_patient(hospital: Hospital, status: int) -> None:
    hospital.patient = Answer(status=status)
    with pytest.raises(SubjectNotFound):
        hospital.gather()


@pytest.mark.parametrize("settings", [{"max_entries": 10}, {"max_expanded_bytes": 4000}], ids=str)
def test_too_much_on_many_pages(hospital: Hospital, settings: Json) -> None:
    def search(_: str) -> Answer:
        number = len(hospital.asked)
        conditions = [condition(f"{number}-{n}") for n in range(6)]
        return page(*conditions, following=f"{hospital.base}/Condition?page={number}")

    hospital.search = search
    with pytest.raises(TooLarge):
        hospital.gather(needs("Condition"), **settings)
    assert len(hospital.asked) < 8


def test_as_many_resources_as_are_allowed_are_read(hospital: Hospital) -> None:
    hospital.search = lambda _: page(condition("a"), condition("b"))
    found = hospital.gather(needs("Condition"), max_entries=3)
    assert [resource["id"] for resource in found] == ["p", "a", "b"]
    with pytest.raises(TooLarge):
        hospital.gather(needs("Condition"), max_entries=2)


def test_as_many_pages_as_are_allowed_are_read(hospital: Hospital) -> None:
    def search(path: str) -> Answer:
        number = int(path.partition("page=")[2] or 1)
        following = f"{hospital.base}/Condition?page={number + 1}" if number < 3 else ""
        return page(condition(f"c{number}"), following=following)

    hospital.search = search
    found = hospital.gather(needs("Condition"), data_endpoint_pages=3)
    assert [resource["id"] for resource in found] == ["p", "c1", "c2", "c3"]
    with pytest.raises(DataEndpointRefused, match="too many pages"):
        hospital.gather(needs("Condition"), data_endpoint_pages=2)
    assert len(hospital.asked) == 4 + 3


def test_an_answer_that_drips_is_given_up(hospital: Hospital) -> None:
    hospital.search = lambda _: Answer(drip)
    started = time.perf_counter()
    with pytest.raises(DataEndpointFailed, match="does not answer"):
        hospital.gather(needs("Condition"), data_endpoint_seconds=0.3, data_endpoint_retries=1)
    assert time.perf_counter() - started < 3


@contextmanager
def always_continue() -> Iterator[str]:
    """A server that sends `100 Continue` as long as somebody reads it, and gives up after 5 s."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = listening.accept()
                    with connection, contextlib.suppress(OSError):
                        for _ in range(500):
                            connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
                            time.sleep(0.01)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"127.0.0.1:{listening.getsockname()[1]}"
        listening.shutdown(socket.SHUT_RDWR)
    thread.join(5)


def test_a_server_that_only_says_continue_is_given_up() -> None:
    with always_continue() as host:
        config = Config(
            data_endpoint_hosts=(host,), data_endpoint_seconds=0.3, data_endpoint_retries=1
        )
        endpoint = DataEndpoint(f"http://{host}/fhir", config, sleep=lambda _: None)
        started = time.perf_counter()
        with pytest.raises(DataEndpointFailed, match="does not answer"):
            endpoint.gather("Patient/p", [])
        assert time.perf_counter() - started < 3


def test_a_proxy_and_a_login_of_the_environment_do_not_count(
    hospital: Hospital, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with open_hospital() as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://{proxy.host}")
        monkeypatch.delenv("NO_PROXY", raising=False)
        (tmp_path / "netrc").write_text("machine 127.0.0.1 login a password b")
        monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
        assert hospital.gather() == [PATIENT]
    assert (proxy.asked, len(hospital.asked)) == ([], 1)
    assert "Authorization" not in hospital.headers[0]


def test_silence_is_given_up(hospital: Hospital) -> None:
    hospital.search = lambda _: Answer(silence)
    with pytest.raises(DataEndpointFailed, match="does not answer"):
        hospital.gather(needs("Condition"), data_endpoint_seconds=0.2, data_endpoint_retries=1)


APPLY = "/fhir/PlanDefinition/walk/$apply"


def endpoint(address: str, **elements: Any) -> Json:
    resource = {
        "resourceType": "Endpoint",
        "status": "active",
        "connectionType": {"code": "hl7-fhir-rest"},
        "payloadType": [{"text": "any"}],
        "address": address,
        **elements,
    }
    subject = {"name": "subject", "valueString": "Patient/p"}
    return {
        "resourceType": "Parameters",
        "parameter": [subject, {"name": "dataEndpoint", "resource": resource}],
    }


def titles(answer: Json) -> list[str]:
    group = next(r for r in answer["contained"] if r["resourceType"] == "RequestGroup")
    return [action["title"] for action in group.get("action", [])]


Maker = Callable[..., FlaskClient]


def test_apply_reads_from_a_data_endpoint(make_client: Maker, hospital: Hospital) -> None:
    hospital.search = lambda path: page(condition("c")) if "/Condition?" in path else page()
    client = make_client(data_endpoint_hosts=(hospital.host,))
    body = endpoint(hospital.base, header=["Authorization: Bearer x"])
    response = client.post(APPLY, json=body)
    assert response.status_code == 200, response.data
    assert titles(json.loads(response.data)) == ["Stroll", "Talk"]
    assert {h.get("Authorization") for h in hospital.headers} == {"Bearer x"}


def test_one_odd_resource_is_left_out_and_told(make_client: Maker, hospital: Hospital) -> None:
    found = page(condition("c"), {**condition("d"), "code": "C49"})
    hospital.search = lambda path: found if "/Condition?" in path else page()
    client = make_client(data_endpoint_hosts=(hospital.host,))
    response = client.post(APPLY, json=endpoint(hospital.base))
    assert response.status_code == 200, response.data
    answer = json.loads(response.data)
    assert titles(answer) == ["Stroll", "Talk"]
    outcome = next(r for r in answer["contained"] if r["resourceType"] == "OperationOutcome")
    assert {
        "severity": "warning",
        "code": "structure",
        "diagnostics": "`Condition/d` was not used: `code` is not a JSON object.",
    } in outcome["issue"]


def test_the_patient_of_the_endpoint_who_cannot_be_read(
    make_client: Maker, hospital: Hospital
) -> None:
    """Neither alone nor beside another, of whom the body is."""
    hospital.patient = Answer({**PATIENT, "gender": 7})
    client = make_client(data_endpoint_hosts=(hospital.host,))
    body = endpoint(hospital.base)
    other = {"resourceType": "Bundle", "type": "collection", "entry": [
        {"resource": {"resourceType": "Patient", "id": "other"}}]}  # fmt: skip
    for data in ([], [{"name": "data", "resource": other}]):
        sent = {**body, "parameter": [*body["parameter"], *data]}
        response = client.post(APPLY, json=sent)
        assert response.status_code == 422, response.data
        assert json.loads(response.data)["issue"][0]["diagnostics"] == (
            "`Patient/p` cannot be read: `gender` is not a JSON string."
        )


def test_a_host_that_is_not_listed_is_refused(make_client: Maker, hospital: Hospital) -> None:
    response = make_client().post(APPLY, json=endpoint(hospital.base))
    assert response.status_code == 400
    issue = json.loads(response.data)["issue"][0]
    assert issue["expression"] == ["Parameters.parameter[1]"]
    assert hospital.asked == []


@pytest.mark.parametrize(
    ("answer", "status", "retry_after"),
    [
        (Answer(OUTCOME, status=401), 422, None),
        (Answer(status=503, headers={"Retry-After": "60"}), 503, "60"),
        (Answer(status=500), 503, "10"),
    ],
    ids=["it refuses", "it is busy", "it fails"],
)
def test_what_the_client_sees(
    make_client: Maker, hospital: Hospital, answer: Answer, status: int, retry_after: str | None
) -> None:
    hospital.search = lambda _: answer
    client = make_client(data_endpoint_hosts=(hospital.host,), data_endpoint_retries=0)
    response = client.post(APPLY, json=endpoint(hospital.base))
    assert response.status_code == status
    assert response.headers.get("Retry-After") == retry_after
    assert hospital.host in json.loads(response.data)["issue"][0]["diagnostics"]


def test_a_server_that_never_answers_takes_no_longer_than_an_operation_may(
    make_client: Maker, hospital: Hospital
) -> None:
    hospital.patient = Answer(silence)
    settings = {"data_endpoint_seconds": 0.5, "data_endpoint_retries": 9, "request_seconds": 1.0}
    client = make_client(data_endpoint_hosts=(hospital.host,), **settings)
    started = time.perf_counter()
    response = client.post(APPLY, json=endpoint(hospital.base))
    assert (response.status_code, response.headers["Retry-After"]) == (503, "10")
    assert time.perf_counter() - started < 3


def test_a_slow_server_leaves_threads_for_others(
    serve: Callable[..., Any], hospital: Hospital
) -> None:
    hospital.patient = Answer(drip)
    settings = {
        "CAREPATH_DATA_ENDPOINT_HOSTS": hospital.host,
        "CAREPATH_DATA_ENDPOINT_SECONDS": "2.5",
        "CAREPATH_DATA_ENDPOINT_RETRIES": "0",
        "CAREPATH_WORKERS": "1",
        "CAREPATH_THREADS": "8",
        "CAREPATH_MAX_APPLICATIONS": "4",
    }
    with serve(**settings) as one, ThreadPoolExecutor() as pool:
        url = f"{one.base}/PlanDefinition/mst-pathway/$apply"
        body = endpoint(hospital.base)
        waiting = [pool.submit(httpx.post, url, json=body, timeout=20) for _ in range(6)]
        time.sleep(0.5)
        assert httpx.get(f"{one.root}/healthz", timeout=20).status_code == 200
        assert len([task for task in waiting if not task.done()]) >= 2
        answers = [task.result() for task in waiting]
    told = sorted((a.status_code, a.headers["Retry-After"]) for a in answers)
    assert told == [(503, "10")] * 2 + [(503, "2")] * 4


def test_a_server_that_drips_ends_with_the_time_of_the_operation(
    make_client: Maker, hospital: Hospital
) -> None:
    hospital.patient = Answer(drip)
    settings = {"data_endpoint_seconds": 20.0, "request_seconds": 0.5}
    client = make_client(data_endpoint_hosts=(hospital.host,), **settings)
    started = time.perf_counter()
    assert client.post(APPLY, json=endpoint(hospital.base)).status_code == 503
    assert time.perf_counter() - started < 4


def test_a_configured_endpoint_makes_get_possible(make_client: Maker, hospital: Hospital) -> None:
    hospital.search = lambda path: page(condition("c")) if "/Condition?" in path else page()
    client = make_client(data_endpoint=hospital.base)
    response = client.get(f"{APPLY}?subject=Patient/p")
    assert response.status_code == 200, response.data
    assert titles(json.loads(response.data)) == ["Stroll", "Talk"]
    for subject in ("p", "Group/g", "Patient/../Secret", "https://evil.example/Patient/p"):
        refused = client.get(APPLY, query_string={"subject": subject})
        assert refused.status_code == 400
    assert client.get(APPLY).status_code == 400


def test_an_endpoint_that_is_down_is_503(make_client: Maker) -> None:
    client = make_client(data_endpoint="http://127.0.0.1:9/fhir", data_endpoint_retries=0)
    response = client.get(f"{APPLY}?subject=Patient/p")
    assert response.status_code == 503
    assert int(response.headers["Retry-After"]) > 0
